"""The study that all tests of pages look at: small, on real data, trained by a real worker."""

import json
from dataclasses import dataclass

from tests.e2e.running import wait_for
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import TrialState

NAME = "digits"
TRIALS = 12
EPOCHS = 6
TAG = "of the tests"

_SPEC = {
    "name": NAME,
    "task": {"name": "mlp", "data": {"dataset": "digits"}, "fixed": {"epochs": EPOCHS, "hidden_layers": 1}},
    "space": {
        "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
        "beta1": {"type": "float", "low": 0.5, "high": 0.99, "scale": "reverse_log"},
        "hidden_units": {"type": "int", "low": 4, "high": 64, "scale": "log"},
        "batch_size": {"type": "categorical", "choices": [64, 128, 256]},
    },
    "sampler": {"name": "random", "seed": 1},
    "pruner": {"name": "median", "startup_trials": 3, "warmup_steps": 1},
    "budget": {"trials": TRIALS},
    "tags": [TAG],
}


@dataclass(frozen=True)
class Trained:
    """A study whose trials have all ended.

    Args:
        name: Of the study.
        best: The number of its best trial.
        pruned: The number of one that was stopped early.
    """

    name: str
    best: int
    pruned: int


def train(client: Client) -> Trained:
    """Create the study and wait for its end."""
    client.create_study(StudySpec.model_validate_json(json.dumps(_SPEC)))
    wait_for(lambda: client.study(NAME).state.is_ended, seconds=300)
    pruned = next(iter(client.trials(NAME, TrialState.PRUNED)))
    return Trained(NAME, client.best_trial(NAME).number, pruned.number)
