"""Folds and repeats: trainings of one trial, one after another, whose figures are their means.

A step is a whole training. So a trial may be stopped between them, and another worker goes on with the next one; within
one nothing is kept.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.training.errors import CheckpointForeign, Diverged
from workers.training.means import means
from workers.training.steps import Epoch, Heed, State, Steps, heed_nothing


@dataclass(frozen=True)
class Part:
    """One training of a trial.

    Args:
        seed: All its randomness.
        fold: Which one validates, from 0; None: there are no folds.
        repeat: Which one it is, from 0; None: there is only one.
    """

    seed: int
    fold: int | None = None
    repeat: int | None = None

    def __str__(self) -> str:
        named = {"fold": self.fold, "repeat": self.repeat}
        return " of ".join(f"{name} {number + 1}" for name, number in named.items() if number is not None)


def parts(*, folds: int | None, repeats: int, seed: int) -> list[Part]:
    """Return the trainings of a trial, all folds of a repeat before the next one.

    The first repeat has the trial's own seed, so that it is the trial without repeats; the others' are drawn from it.
    """
    return [
        Part(_seed_of(seed, repeat), fold, repeat if repeats > 1 else None)
        for repeat in range(repeats)
        for fold in (range(folds) if folds else (None,))
    ]


def _seed_of(seed: int, repeat: int) -> int:
    if repeat == 0:
        return seed
    return int(np.random.SeedSequence(seed, spawn_key=(repeat,)).generate_state(1, np.uint64)[0])


class Repeated:
    """Several trainings of the same hyperparameters.

    Args:
        parts: At least one.
        begin: Returns the training of a part at its beginning.
        split: SHA-256 of who is where in all of them, in what data.
    """

    def __init__(self, parts: Sequence[Part], begin: Callable[[Part], Steps], *, split: str) -> None:
        self.split = split
        self._parts = parts
        self._begin = begin
        self._done: list[dict[str, float]] = []

    @property
    def is_over(self) -> bool:
        """Whether the last training is behind it."""
        return len(self._done) >= len(self._parts)

    def epochs(self, heed: Heed = heed_nothing) -> Iterator[Epoch]:
        """Train part after part; yield after each the means over those done so far.

        Raises:
            Diverged: One of them did.
        """
        while not self.is_over:
            self._done.append(self._trained(self._parts[len(self._done)], heed))
            yield self.result

    @property
    def result(self) -> Epoch:
        """The means over the trainings that are done."""
        folds = [part.fold for part in self._parts[: len(self._done)]]
        return Epoch(len(self._done), means(self._done, folds))

    def state(self) -> State:
        """Return what the trainings that are done came to."""
        return {"done": self._done}

    def restore(self, state: State) -> None:
        """Go on after the trainings that another has done.

        Raises:
            CheckpointForeign: That was none like this one in the midst of it.
        """
        done = state.get("done")
        if not isinstance(done, list) or not 1 <= len(done) < len(self._parts):
            raise CheckpointForeign(f"the checkpoint is of another kind of training: this one has {len(self._parts)}")
        self._done = [dict(each) for each in done]

    def _trained(self, part: Part, heed: Heed) -> dict[str, float]:
        """Return what the training of a part comes to."""
        training = self._begin(part)
        try:
            for _ in training.epochs(heed):
                pass
        except Diverged as error:
            raise Diverged(f"{error} of {part}", step=len(self._done) + 1, metrics=error.metrics) from error
        return training.result.metrics
