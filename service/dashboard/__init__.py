"""Optuna's dashboard on the service's database, reading only, in a process of its own.

It reads whole studies and makes JSON of them, which takes seconds of a processor for ten thousand trials: next to the
API it would keep workers waiting. Its one connection refuses to write, and is there only while it reads.
"""
