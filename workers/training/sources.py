"""The sets of a training as they come: data sets read, brought to one form, split."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.data import DataSpec, SplitSpec
from trimtab.sizes import SetSizes, set_sizes
from workers.training import datasets
from workers.training.datasets import Dataset
from workers.training.dealing import Indices, Traits
from workers.training.row_sets import Form, RowSet, column_of
from workers.training.split import Split, split_alone, split_pair

# N examples.


@dataclass(frozen=True)
class Sources:
    """The sets, with nothing fitted to them.

    Args:
        train: What weights are fitted to.
        validation: What hyperparameters are chosen by.
        test: Locked: nothing of it but what tells it from `validation` may reach a trial.
        train_dev: Where validation comes from elsewhere.
        classes: What they are called, by number; None: the target is a number.
        split_hash: Who is where, in what data.
    """

    train: RowSet
    validation: RowSet
    test: RowSet
    train_dev: RowSet | None
    classes: tuple[str, ...] | None
    split_hash: str


def load(spec: DataSpec, *, files: Mapping[str, Path], fold: int | None) -> Sources:
    """Read the data sets that a spec names, and split them.

    Args:
        spec: Which, and how.
        files: Where those are that are not built in.
        fold: Which one, from 0; None: without folds, or all of them together, with nobody in `validation`.

    Raises:
        ValueError: There is no such data set, they do not go together, or a set is left without any example.
        DatasetUnusable: A file is not what the spec says.
    """
    whole = {name: datasets.load(name, spec=spec, files=files) for name in spec.datasets}
    split = _split(whole, spec, fold)
    home = whole[spec.dataset]
    of = Form(home, without=(spec.split.group, spec.split.time)).of
    validation = whole[spec.validation_dataset or spec.dataset]
    test = whole[spec.test_dataset] if spec.test_dataset else validation
    return Sources(
        train=of(home)[split.train],
        validation=of(validation)[split.validation],
        test=of(test)[split.test],
        train_dev=of(home)[split.train_dev] if spec.validation_dataset else None,
        classes=home.classes,
        split_hash=split.hash(*(dataset.content_hash for dataset in whole.values())),
    )


def split_hash(spec: DataSpec, *, files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of who is where; of folds that over the hashes of all of them.

    Raises:
        ValueError, DatasetUnusable: As `load`.
    """
    whole = {name: datasets.load(name, spec=spec, files=files) for name in spec.datasets}
    contents = [dataset.content_hash for dataset in whole.values()]
    if not spec.split.folds:
        return _split(whole, spec, None).hash(*contents)
    hashes = [_split(whole, spec, fold).hash(*contents) for fold in range(spec.split.folds)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _split(whole: Mapping[str, Dataset], spec: DataSpec, fold: int | None) -> Split:
    sizes = set_sizes(spec, {name: len(dataset) for name, dataset in whole.items()})
    validation = sizes.validation + bool(spec.split.folds)
    train_dev = sizes.train_dev if spec.validation_dataset else 1
    if min(sizes.train, sizes.test, validation, train_dev) < 1:
        raise ValueError(f"{len(whole[spec.dataset])} examples are too few: sets of {sizes}")
    home = whole[spec.dataset]
    if spec.test_dataset is None:
        return _split_rest(whole, home, spec, sizes, fold)
    split = _split_rest(whole, home, spec, replace(sizes, test=0), fold)
    return replace(split, test=np.arange(sizes.test))


def _split_rest(
    whole: Mapping[str, Dataset], home: Dataset, spec: DataSpec, sizes: SetSizes, fold: int | None
) -> Split:
    here = _traits(home, spec.split)
    if spec.validation_dataset is None:
        return split_alone(here, spec.split, sizes, content=home.content_hash, fold=fold)
    elsewhere = whole[spec.validation_dataset]
    contents = (home.content_hash, elsewhere.content_hash)
    return split_pair(here, _traits(elsewhere, spec.split), spec.split, sizes, contents=contents)


def _traits(dataset: Dataset, spec: SplitSpec) -> Traits:
    class_N = np.zeros(len(dataset), dtype=np.int64) if dataset.classes is None else dataset.y_N
    group_N = None if spec.group is None else _numbered(column_of(dataset.rows, spec.group))
    time_N = None if spec.time is None else column_of(dataset.rows, spec.time)
    if time_N is not None and (time_N.dtype == object or np.isnan(time_N).any()):
        raise ValueError(f"column {spec.time} does not order the examples: it holds text, or misses values")
    return Traits(class_N, group_N, time_N)


def _numbered(column_N: NDArray[Any]) -> Indices:
    """Number groups; those that are not known are one."""
    known_N = np.array([text or "" for text in column_N], dtype=str) if column_N.dtype == object else column_N
    return np.unique(known_N, return_inverse=True)[1].reshape(-1)
