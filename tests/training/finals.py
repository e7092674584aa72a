"""Final models as a worker's child trains and writes them."""

from pathlib import Path
from typing import Any

import trimtab
from tests.training.runs import run
from trimtab.data import DataSpec
from trimtab.models.model import Model
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks.export import export
from workers.training.final import Final


def trained(dataset: str = "iris", *, task: str = "mlp", data: DataSpec | None = None, **params: Any) -> Final:
    """Return the training of a final model, over."""
    spec = data or DataSpec(dataset=dataset)
    final = run({"epochs": 2} | params, spec, task=task, purpose=Purpose.FINAL)
    assert isinstance(final, Final)
    list(final.epochs())
    return final


def written(final: Final, path: Path, *, task: TaskSpec | None = None) -> Path:
    """Write a final model to a file."""
    export(final, task or TaskSpec(name="mlp", data=DataSpec(dataset="iris")), study="study.final", trial=0, path=path)
    return path


def loaded(final: Final, folder: Path) -> Model:
    """Write a final model, and read it."""
    return trimtab.load_model(written(final, folder / "model.zip"))
