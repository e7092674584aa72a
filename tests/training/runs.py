"""Trainings as a worker's child begins them."""

from collections.abc import Mapping
from pathlib import Path

import torch

from trimtab.data import DataSpec
from trimtab.message import Params
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin
from workers.training.data import Data
from workers.training.examples import Examples
from workers.training.steps import Steps

CPU = torch.device("cpu")


def run(
    params: Params,
    data: DataSpec | None = None,
    *,
    seed: int = 0,
    task: str = "mlp",
    repeats: int = 1,
    purpose: Purpose = Purpose.SEARCH,
    files: Mapping[str, Path] | None = None,
) -> Steps:
    """Return a training at its beginning, on the CPU."""
    spec = TaskSpec(name=task, data=data or DataSpec(), repeats=repeats)
    return begin(spec, params, seed=seed, purpose=purpose, files=files or {}, device=CPU)


def validation_of(data: Data) -> Examples:
    """Return what a trial is judged by."""
    assert data.validation is not None, "it is no final model's"
    return data.validation
