"""Studies for workers to train, and looks at their trials."""

import json
from typing import Any

from tests.e2e.running import wait_for
from trimtab.client import Client
from trimtab.message import Params
from trimtab.protocol import TrialHistory
from trimtab.spec import StudySpec
from trimtab.states import TrialState

ENDLESS: Params = {"epochs": 100_000}
LONG_EPOCH: Params = {"hidden_units": 2048, "hidden_layers": 20, "batch_size": 1}
"""A quarter of a minute."""


def create(client: Client, name: str = "study", *, trials: int = 1, fixed: Params, **changes: Any) -> None:
    """Create a study of small networks, points drawn at random, nothing pruned."""
    body = {
        "name": name,
        "task": {"name": "mlp", "data": {"dataset": "iris"}, "fixed": fixed},
        "space": {"l2": {"type": "float", "low": 1e-6, "high": 1e-3, "scale": "log"}},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
        "budget": {"trials": trials},
    } | changes
    client.create_study(StudySpec.model_validate_json(json.dumps(body)))


def reached(
    client: Client, state: TrialState, number: int = 0, name: str = "study", *, reports: int = 0
) -> TrialHistory:
    """Return a trial as soon as it is in this state and has reported so often."""

    def look() -> TrialHistory | None:
        if all(trial.number != number for trial in client.trials(name, state)):
            return None
        trial = client.trial(name, number)
        return trial if len(trial.reports) >= reports else None

    return wait_for(look)
