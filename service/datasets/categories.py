"""Columns of words as codes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.datasets.unfit import Problems, shown

MOST = 1000
"""Of a column: each is an input of the network."""

_MOSTLY = 0.9
"""A column of which so many words are numbers is meant as one of numbers."""

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
"""What a number looks like."""


def coded(values: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return words as codes (N,) of the sorted words, -1 for one that is missing; and these words."""
    encoded = pc.dictionary_encode(values).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no chunk at all
        return np.empty(0, np.int32), []
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.empty(len(words) + 1, np.int32)
    place[order] = np.arange(len(words), dtype=np.int32)
    place[-1] = -1
    found = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return place[found], [words[position] for position in order]


def check_words(values: pa.ChunkedArray, column: str, problems: Problems, *, remedy: str) -> None:
    """Note the words in a column of text that is meant as one of numbers."""
    looks_right = pc.match_substring_regex(values, NUMBER)
    share = pc.mean(looks_right.cast(pa.float64())).as_py() or 0.0
    if not _MOSTLY <= share < 1:
        return
    wrong = np.flatnonzero(pc.invert(looks_right).fill_null(False).to_numpy())
    text = f"is no number, as {share:.1%} of the column are: {remedy}"
    for row in wrong[:101]:
        problems.add_cells([int(row)], column, f"({shown(values[int(row)].as_py())}) {text}")


def check_count(count: int, column: str, problems: Problems) -> None:
    """Note a column of too many categories."""
    if count > MOST:
        text = f"has {count} categories: at most {MOST}; drop it, or, if it is to group examples, number them"
        problems.add(f"column {column}", text)
