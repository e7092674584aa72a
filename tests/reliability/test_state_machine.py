"""Random calls in a random order, against a model."""

import os
from collections.abc import Callable

from tests.reliability.state_machine import StateMachine, run

HISTORIES = int(os.environ.get("HISTORIES", "0"))
"""How many are played (`make test-states`); without it a few, always the same."""


def test_whatever_is_called_in_whatever_order_the_model_foresees_it(machine: Callable[[], type[StateMachine]]) -> None:
    run(machine(), histories=HISTORIES or 25, is_repeatable=not HISTORIES)
