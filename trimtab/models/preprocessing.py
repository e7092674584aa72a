"""From rows as they come to what a network takes in, and from what it gives back: all that is fitted to training rows.

Of a table, each number is a feature, and each category of the training set is one (1 or 0: a category that the
training set does not have, and none at all, are all zeros). A missing number is the training set's mean, and where a
column misses any in the training set, that it is missing is a feature too; where it misses all, it makes none. Of an
image, each channel is a feature.
Then each feature gets mean 0 and variance 1 by the training set; so does a target that is a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from trimtab.models.columns import AS_IT_IS, Column, Floats, Rows, Scale, channel_scale

# N examples, D inputs of the network, X shape of an example, C channels, H height, W width.

_CHUNK_BYTES = 2**25
"""Of rows in float64 at a time: many are turned into float32 without twice their memory."""


@dataclass(frozen=True)
class Preprocessing:
    """All that turns rows into inputs and outputs into answers.

    Args:
        columns: Of a table, in the order of their features.
        image: Channels, height and width; None: a table.
        scales: Of each feature.
        target: Of a target that is a number, in whose deviations the network answers.
        classes: What they are called, by number; None: the target is a number.
    """

    columns: tuple[Column, ...]
    image: tuple[int, int, int] | None
    scales: tuple[Scale, ...]
    target: Scale = AS_IT_IS
    classes: tuple[str, ...] | None = None

    @classmethod
    def fit(
        cls, rows: Rows, y_N: NDArray[Any], *, classes: Sequence[str] | None = None, is_standard: bool = True
    ) -> Self:
        """Take all figures from training rows.

        Args:
            rows: Of the training set, at least one.
            y_N: Their targets.
            classes: What classes are called; None: the target is a number.
            is_standard: Whether features are normalised; else they stay as they are.

        Raises:
            ValueError: No column has a value in any of them.
        """
        columns = tuple(Column.fit(name, column_N) for name, column_N in rows.columns.items())
        image = None if rows.images_NCHW is None else tuple(map(int, rows.images_NCHW.shape[1:]))
        target = Scale.fit(np.asarray(y_N, dtype=np.float64)) if classes is None else AS_IT_IS
        plain = cls(columns, image, (), target, None if classes is None else tuple(classes))  # type: ignore[arg-type]  # a shape of three
        if not plain.features:
            raise ValueError("no column has a value in the training set: there is nothing to learn from")
        scales = tuple(plain._fitted_scales(rows)) if is_standard else (AS_IT_IS,) * plain.features
        return replace(plain, scales=scales)

    @property
    def features(self) -> int:
        """How many: channels of an image, or inputs that a table's columns make."""
        return self.image[0] if self.image else sum(column.width for column in self.columns)

    @property
    def inputs(self) -> tuple[int, ...]:
        """Shape of what the network takes in of an example."""
        return self.image or (self.features,)

    def apply(self, rows: Rows) -> NDArray[np.float32]:
        """Return the inputs of a network, float32: x_ND of a table, x_NCHW of images."""
        x_NX = np.empty((len(rows), *self.inputs), dtype=np.float32)
        step = max(1, _CHUNK_BYTES // (8 * int(np.prod(self.inputs))))
        for start in range(0, len(rows), step):
            chunk = slice(start, start + step)
            x_NX[chunk] = self._normalised(rows[chunk])
        return x_NX

    def standardised(self, y_N: NDArray[Any]) -> NDArray[np.float32]:
        """Return targets as the network is to answer them, float32."""
        return ((np.asarray(y_N, dtype=np.float64) - self.target.mean) / self.target.deviation).astype(np.float32)

    def numbers(self, outputs_N: NDArray[Any]) -> Floats:
        """Return what a network's answers stand for where the target is a number."""
        return np.asarray(outputs_N, dtype=np.float64) * self.target.deviation + self.target.mean

    def plain(self) -> dict[str, Any]:
        """Return the same as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """Return what plain values, read from JSON, describe.

        Raises:
            ValueError: One is missing, not of its type, or there are not as many scales as features.
        """
        found: Self = TypeAdapter(cls).validate_python(plain)
        if len(found.scales) != found.features:
            raise ValueError(f"{found.features} features have {len(found.scales)} scales")
        return found

    def _fitted_scales(self, rows: Rows) -> Iterator[Scale]:
        if rows.images_NCHW is not None:
            yield from (channel_scale(rows.images_NCHW[:, channel]) for channel in range(self.features))
        for column in self.columns:
            yield from column.scales(rows.columns[column.name])

    def _normalised(self, rows: Rows) -> Floats:
        means = np.array([scale.mean for scale in self.scales])
        deviations = np.array([scale.deviation for scale in self.scales])
        if rows.images_NCHW is not None:
            x_NCHW: Floats = (rows.images_NCHW - means[:, None, None]) / deviations[:, None, None]
            return x_NCHW
        features = [column.features(rows.columns[column.name]) for column in self.columns]
        x_ND: Floats = (np.concatenate(features, axis=1) - means) / deviations
        return x_ND
