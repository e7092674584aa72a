"""Planted patients: real trainings, shown to the real doctor. All of them: make bench-patients."""

import pytest

from benchmarks.patients.__main__ import visit
from benchmarks.patients.wards import PATIENTS, Patient

NAMES = [
    "not normalised: wine",
    "shifted test set: moons",
    "leaked label: breast_cancer",
    "vanishing gradients: digits",
    "healthy: breast_cancer",
]


@pytest.mark.parametrize("patient", [one for one in PATIENTS if one.name in NAMES], ids=lambda one: str(one.name))
def test_the_doctor_names_first_what_was_planted(patient: Patient) -> None:
    # One of a few good trials is healthy; an illness shows in any.
    found = visit(patient, seed=101, trials=2 if patient.expected else 8)

    assert found.named == patient.expected
