"""What a network is trained and judged on: split, normalised, on the device, without the test set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data import DataSpec, Problem
from trimtab.models.preprocessing import Preprocessing
from trimtab.states import Purpose
from workers.training import sources
from workers.training.examples import Examples
from workers.training.facts import facts_of
from workers.training.leakage import find_leak
from workers.training.placement import fits
from workers.training.row_sets import RowSet, joined
from workers.training.sources import Sources

__all__ = ["Data", "Examples", "prepare"]

_KEPT = 2  # that stay on the device, each in half of what was free: trials come from few studies at a time

_NO_FILES: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True)
class Data:
    """The sets that a training may see.

    Args:
        train: What the weights are fitted to. Of the final model: all but the test set.
        validation: What the trial is judged by; None: of the final model, for which nothing is left.
        problem: What is learned.
        inputs: Shape of one example: (D,), or channels, height and width.
        outputs: Outputs of the network: classes, or 1 for a number.
        split_hash: The split that this came from.
        preprocessing: What turned rows into these examples, fitted to `train`.
        train_dev: Held apart from where `train` comes from, where validation comes from elsewhere.
        test: For the final model alone; None: locked.
        facts: What is known of the data, as metrics by name.
    """

    train: Examples
    validation: Examples | None
    problem: Problem
    inputs: tuple[int, ...]
    outputs: int
    split_hash: str
    preprocessing: Preprocessing
    train_dev: Examples | None = None
    test: Examples | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


def prepare(
    spec: DataSpec,
    *,
    device: torch.device,
    purpose: Purpose = Purpose.SEARCH,
    fold: int | None = None,
    files: Mapping[str, Path] = _NO_FILES,
    resident_bytes: int | None = None,
) -> Data:
    """Load data sets, split them, normalise them by the training set and put them on the device, once.

    Args:
        spec: Which, and how.
        device: Where batches are wanted.
        purpose: What for: the final model alone gets the test set, and trains on what validated before.
        fold: Which one, from 0, where the split has folds; of the final model none.
        files: Where the data sets are that are not built in, by name.
        resident_bytes: How much of the device's memory examples may take; None: as much as `placement` says.

    Raises:
        ValueError: There is no such data set, or a set is left without any example.
        DatasetUnusable: A file is not what the spec says.
    """
    where = tuple(sorted(files.items()))
    return _prepared(spec.model_dump_json(), where, purpose is Purpose.FINAL, fold, device, resident_bytes)


@lru_cache(maxsize=_KEPT)
def _prepared(
    spec_json: str,
    files: tuple[tuple[str, Path], ...],
    is_final: bool,
    fold: int | None,
    device: torch.device,
    resident_bytes: int | None,
) -> Data:
    spec = DataSpec.model_validate_json(spec_json)
    found = sources.load(spec, files=dict(files), fold=fold)
    parts = _parts(found, is_final=is_final)
    train = parts["train"]
    fitted = Preprocessing.fit(
        train.rows, train.y_N, classes=found.classes, is_standard=spec.normalization == "standard"
    )
    inputs = {name: fitted.apply(part.rows) for name, part in parts.items()}
    tensors = {name: (torch.from_numpy(x_NX), _targets(parts[name], fitted)) for name, x_NX in inputs.items()}
    sets = _placed(tensors, device, resident_bytes)
    return Data(
        train=sets["train"],
        validation=sets.get("validation"),
        problem=Problem.REGRESSION if found.classes is None else Problem.CLASSIFICATION,
        inputs=fitted.inputs,
        outputs=1 if found.classes is None else len(found.classes),
        split_hash=found.split_hash,
        preprocessing=fitted,
        train_dev=sets.get("train_dev"),
        test=sets.get("test"),
        facts={} if is_final else _leak(spec_json, files) | facts_of(inputs, _strange_test(found, spec, fitted)),
    )


@lru_cache(maxsize=_KEPT)
def _leak(spec_json: str, files: tuple[tuple[str, Path], ...]) -> dict[str, float]:
    """Return what a single feature tells, in all that is not tested: the same in each fold."""
    found = sources.load(DataSpec.model_validate_json(spec_json), files=dict(files), fold=None)
    seen = joined([found.train, found.validation])
    leak = find_leak(seen.rows, seen.y_N, is_class=found.classes is not None)
    return {"leak_error": leak.error, "leak_feature": leak.feature} if leak else {}


def _strange_test(found: Sources, spec: DataSpec, fitted: Preprocessing) -> NDArray[np.float32] | None:
    """Return the inputs of a test set that comes from elsewhere: only how it differs from validation may be told."""
    return fitted.apply(found.test.rows) if spec.test_dataset else None


def _parts(found: Sources, *, is_final: bool) -> dict[str, RowSet]:
    """Return the sets that may be seen."""
    train_dev = {} if found.train_dev is None else {"train_dev": found.train_dev}
    if is_final:
        return {"train": joined([found.train, *train_dev.values(), found.validation]), "test": found.test}
    if not len(found.validation):
        raise ValueError("which fold validates is not said")
    return {"train": found.train, "validation": found.validation, **train_dev}


def _targets(part: RowSet, fitted: Preprocessing) -> Tensor:
    return torch.from_numpy(part.y_N if fitted.classes is not None else fitted.standardised(part.y_N))


def _placed(
    sets: Mapping[str, tuple[Tensor, Tensor]], device: torch.device, resident_bytes: int | None
) -> dict[str, Examples]:
    """Return the sets, on the device if there is room for all of them."""
    size = sum(tensor.nbytes for tensors in sets.values() for tensor in tensors)
    if fits(device, size, resident_bytes):
        return {name: Examples(x_ND.to(device), y_N.to(device)) for name, (x_ND, y_N) in sets.items()}
    return {name: Examples(x_ND, y_N, device) for name, (x_ND, y_N) in sets.items()}
