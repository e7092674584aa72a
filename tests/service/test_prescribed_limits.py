"""A study that is prescribed has the time that its trainings need."""

from typing import Any

import pytest

from tests.service.specs import spec
from trimtab.budget import Limits
from trimtab.client import Client

FEW = {"training_error": 0.0, "validation_error": 0.01, "validation_examples": 20}
BIASED = {"training_error": 0.3, "validation_error": 0.31}
FOLDS, EPOCHS = "task.data.split.folds", "task.fixed.epochs"


def limits(trial: float, step: float) -> dict[str, float]:
    return {"trial_seconds": trial, "step_seconds": step}


@pytest.mark.parametrize(
    ("folds", "given", "metrics", "edit", "wanted"),
    [
        (None, limits(60, 2), FEW, FOLDS, limits(5 * 60, 1500 * 2)),  # An epoch was a step, a training is one now.
        (None, {}, FEW, FOLDS, {"step_seconds": 1500 * 3600}),
        (None, limits(60, 2), BIASED, EPOCHS, limits(2 * 60, 2)),
        (5, limits(60, 2), BIASED, EPOCHS, limits(2 * 60, 2 * 2)),
        (5, {}, BIASED, EPOCHS, {"step_seconds": 2 * 1500 * 3600}),
        (None, limits(60, 2), BIASED, "space.hidden_units.high", limits(60, 2)),
        (None, limits(1e9, 1e9), FEW, FOLDS, limits(1e9, 1e9)),
    ],
)
def test_longer_trials_and_steps_have_longer_limits(
    client: Client,
    folds: int | None,
    given: dict[str, float],
    metrics: dict[str, float],
    edit: str,
    wanted: dict[str, float],
) -> None:
    task: dict[str, Any] = {"name": "mlp", "data": {"dataset": "iris", "split": {"folds": folds}}}
    task["fixed"] = {"epochs": 1500}
    space = {"hidden_units": {"type": "int", "low": 4, "high": 16}}
    client.create_study(spec(task=task, space=space, objectives=[{"metric": "validation_error"}], limits=given))
    client.add_trial("study", {"hidden_units": 16}, metrics=metrics)

    made = client.prescribe("study", edits=[edit])

    assert made.spec.limits == Limits(**wanted)
