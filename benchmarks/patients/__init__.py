"""Planted patients: studies whose illness is known beforehand, trained as workers train, shown to the doctor.

    make bench-patients

wards: the patients, each with what the doctor has to name first, written down before any of them was trained.
planted: the data sets that are made ill. clinic: trains a study's trials in this process and asks the doctor.
"""
