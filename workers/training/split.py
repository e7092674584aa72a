"""Which examples train, which validate, which are kept for the test: everywhere and always the same."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOLD_OUT_SHARE = 5  # one example in five ...
HOLD_OUT_LIMIT = 10_000  # ... but no more than tell 0.1 % apart, however large the data

# N examples.


@dataclass(frozen=True)
class Split:
    """Row numbers of the three sets, int64, ascending; together they are all rows, each once.

    Args:
        train: What the weights are fitted to.
        validation: What hyperparameters are chosen by.
        test: What no trial ever sees.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def hash(self) -> str:
        """SHA-256 of who is where."""
        parts = (self.train, self.validation, self.test)
        digest = hashlib.sha256(repr([len(part) for part in parts]).encode())
        for part in parts:
            digest.update(part.astype("<i8").tobytes())
        return digest.hexdigest()


def deal(y_N: NDArray[np.int64], *, content_hash: str, seed: int) -> Split:
    """Deal examples out, stratified by class: min(0.2 n, 10,000) to validation, as many to the test.

    The order is by class and random within it; 2k of the n places, evenly spaced, are held out and go to
    validation and test in turn. So each class has its share of either set, to within one example.

    Args:
        y_N: Classes, int64.
        content_hash: The data: other data is dealt otherwise.
        seed: The deal.

    Raises:
        ValueError: There are fewer than five examples.
    """
    examples = len(y_N)
    k = min(examples // HOLD_OUT_SHARE, HOLD_OUT_LIMIT)
    if k == 0:
        raise ValueError(f"{examples} examples are too few to hold any out")
    order = np.lexsort((_random_keys(examples, f"{content_hash} auto {seed}"), y_N))
    places = np.arange(examples)
    is_held_out = (places + 1) * 2 * k // examples > places * 2 * k // examples
    held_out = order[is_held_out]
    train, validation, test = order[~is_held_out], held_out[0::2], held_out[1::2]
    return Split(np.sort(train), np.sort(validation), np.sort(test))


def _random_keys(count: int, seed: str) -> NDArray[np.uint64]:
    # The raw stream of a bit generator is the part of NumPy's randomness that no version changes (NEP 19).
    entropy = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "little")
    return np.random.PCG64(entropy).random_raw(count)
