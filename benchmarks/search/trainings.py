"""Trains networks at random points and stores their curves: python -m benchmarks.search.trainings.

The task `mlp` of the workers on digits, on the CPU. What is stored is the study, and for each trial its params and its
validation error after each epoch. Some learning rates are far too small or too large.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from service.history import Observations
from service.sampling import View, random_points
from service.storage.dimensions import dimensions, params
from trimtab.message import FlatParams
from trimtab.samplers import RandomSampler
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin

TABLE = Path(__file__).parent / "tables" / "curves.json"
TRIALS, EPOCHS = 24, 20
SPACE = Space(
    {
        "learning_rate": Float(low=1e-5, high=1.0, scale=Scale.LOG),
        "hidden_units": Int(low=8, high=256, scale=Scale.LOG),
        "batch_size": Categorical(choices=(32, 64, 128)),
    }
)


def main() -> None:
    """Train every trial and write the table."""
    # One thread: more would add up in another order, which would change the figures.
    torch.set_num_threads(1)
    study = spec()
    trials = [{"params": point, "curve": curve(study, point, seed=seed)} for seed, point in enumerate(points(study))]
    made = study.model_dump(mode="json", include={"task", "space", "sampler"})
    TABLE.write_text(json.dumps({"study": made, "trials": trials}) + "\n")


def spec() -> StudySpec:
    """Return the study."""
    task = TaskSpec(name="mlp", fixed={"epochs": EPOCHS})
    return StudySpec(name="curves", task=task, space=SPACE, sampler=RandomSampler(name="random", seed=0)).resolved()


def points(study: StudySpec) -> Iterator[FlatParams]:
    """Give the params of each trial."""
    space = dimensions(study.searched)
    nothing = Observations.empty([dimension.stored_name for dimension in space])
    suggestions = random_points(study, View.of(study, space, nothing), number=0, count=TRIALS)
    return (params(space, suggestion.point) for suggestion in suggestions)


def curve(study: StudySpec, point: FlatParams, *, seed: int) -> list[float]:
    """Return the validation error after each epoch, a share in [0, 1]."""
    assert study.task is not None, "the study has one"
    given: dict[str, Any] = {**study.task.fixed, **point}
    training = begin(study.task, given, seed=seed, purpose=Purpose.SEARCH, files={}, device=torch.device("cpu"))
    return [round(epoch.metrics["validation_error"], 4) for epoch in training.epochs()]


if __name__ == "__main__":
    main()
