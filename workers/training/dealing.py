"""Which examples go to which set: a deal that keeps the classes' shares, groups whole, or the order in time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

# N examples, C classes, G groups, S sets.

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Traits:
    """What examples are dealt out by.

    Args:
        class_N: Class of each; all 0 where the target is a number.
        group_N: Group of each, by a number of its own; None: there are none.
        time_N: Time of each; None: they have no order.
    """

    class_N: Indices
    group_N: Indices | None = None
    time_N: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.class_N)

    def __getitem__(self, rows: Indices) -> "Traits":
        return Traits(
            self.class_N[rows],
            None if self.group_N is None else self.group_N[rows],
            None if self.time_N is None else self.time_N[rows],
        )


def deal(traits: Traits, counts: Sequence[int], *, seed: str) -> list[Indices]:
    """Deal all examples out to sets; return the row numbers of each, ascending.

    In time order the sets follow each other. Groups make sets of about the wanted size. Else each class has its share
    of each set, rounded up or down.

    Args:
        traits: Of the examples.
        counts: How many each set gets, together all.
        seed: The deal: the same gives the same for ever.

    Raises:
        ValueError: A set is left without any.
    """
    if traits.time_N is not None:
        sets = _cut(in_time(traits.time_N, seed=seed), counts)
    elif traits.group_N is not None:
        # Of a part of the examples some numbers have no group left: those are none to be dealt.
        group_N = np.unique(traits.group_N, return_inverse=True)[1]
        sets = _by_group(group_N, traits.class_N, counts, seed=seed)
    else:
        sets = _by_class(traits.class_N, counts, seed=seed)
    if any(len(rows) == 0 for rows in sets):
        whole = "groups" if traits.group_N is not None else "examples"
        sizes = ", ".join(str(len(rows)) for rows in sets)
        raise ValueError(f"too few {whole}: {len(traits)} examples make sets of {sizes}")
    return sets


def in_time(time_N: NDArray[np.float64], *, seed: str) -> Indices:
    """Return row numbers, earliest first; those of the same time in random order."""
    return np.lexsort((random_keys(len(time_N), seed), time_N))


def random_keys(count: int, seed: str) -> NDArray[np.uint64]:
    """Return what puts rows in random order when sorted by it: the same for ever."""
    # The raw stream of a bit generator is the part of NumPy's randomness that no version changes (NEP 19).
    entropy = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "little")
    return np.random.PCG64(entropy).random_raw(count)


def class_counts(sizes_C: Sequence[int], counts: Sequence[int]) -> list[tuple[int, ...]]:
    """Return for each class how many of its examples each set gets: its share, rounded up or down; the sums are exact.

    That is always possible: shares are a flow from classes to sets, also where the sums over the first few classes must
    be rounded shares too; and where there is a flow there is one in whole numbers. So a few sums are all that has to be
    remembered from one class to the next.
    """
    total, dealt = sum(sizes_C), 0
    none: tuple[int, ...] = (0,) * len(counts)
    ways: list[dict[tuple[int, ...], tuple[int, ...]]] = [{none: none}]
    for size in sizes_C:
        dealt += size
        sums = [after for after in product(*_roundings(dealt, counts, total)) if sum(after) == dealt]
        cells = _roundings(size, counts, total)
        ways.append({after: before for after in sums for before in ways[-1] if _fits(before, after, cells)})
    return list(_steps_back(ways, tuple(counts)))[::-1]


def _roundings(size: int, counts: Sequence[int], total: int) -> list[tuple[int, ...]]:
    return [tuple({size * count // total, -(-size * count // total)}) for count in counts]


def _fits(before: tuple[int, ...], after: tuple[int, ...], cells: Sequence[tuple[int, ...]]) -> bool:
    return all(end - start in cell for start, end, cell in zip(before, after, cells, strict=True))


def _steps_back(
    ways: Sequence[dict[tuple[int, ...], tuple[int, ...]]], after: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    for way in ways[:0:-1]:
        before = way[after]
        yield tuple(end - start for start, end in zip(before, after, strict=True))
        after = before


def _by_class(class_N: Indices, counts: Sequence[int], *, seed: str) -> list[Indices]:
    order = np.lexsort((random_keys(len(class_N), seed), class_N))
    sizes_C = np.unique(class_N, return_counts=True)[1].tolist()
    set_N = np.concatenate([np.repeat(np.arange(len(counts)), row) for row in class_counts(sizes_C, counts)])
    return [np.sort(order[set_N == number]) for number in range(len(counts))]


def _by_group(group_N: Indices, class_N: Indices, counts: Sequence[int], *, seed: str) -> list[Indices]:
    """Deal whole groups, one after the other to the set that has most room for its classes; large ones come first."""
    table_GC = _table(group_N, class_N)
    room_SC = np.outer(np.array(counts) / len(group_N), table_GC.sum(axis=0))
    size_G = table_GC.sum(axis=1)
    # Among groups of about one size, by powers of two, chance decides.
    order = np.lexsort((random_keys(len(size_G), seed), -np.frexp(size_G)[1]))
    set_G = np.empty(len(size_G), dtype=np.int64)
    is_empty_S = np.ones(len(counts), dtype=bool)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        fit_S = room_SC @ table_GC[group]
        # The last groups are for the sets that have none yet.
        chosen = np.where(is_empty_S, fit_S, -np.inf).argmax() if left <= is_empty_S.sum() else fit_S.argmax()
        set_G[group], is_empty_S[chosen] = chosen, False
        room_SC[chosen] -= table_GC[group]
    set_N = set_G[group_N]
    return [np.flatnonzero(set_N == number) for number in range(len(counts))]


def _table(group_N: Indices, class_N: Indices) -> NDArray[np.float64]:
    groups, classes = int(group_N.max()) + 1, int(class_N.max()) + 1
    cells = np.bincount(group_N * classes + class_N, minlength=groups * classes)
    return cells.reshape(groups, classes).astype(np.float64)


def _cut(order: Indices, counts: Sequence[int]) -> list[Indices]:
    ends = np.cumsum([0, *counts])
    return [np.sort(order[start:end]) for start, end in pairwise(ends)]
