"""Trimtab: the words, and the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from trimtab.models.loading import Build
    from trimtab.models.model import Model


def load_model(path: str | Path, build: Build | None = None) -> Model:
    """Return the final model of a study from its file, for inference on the CPU. Needs the extra `models`.

    Args:
        path: Of the file.
        build: What built the network, where that is the user's own: `build(params, data)`.

    Raises:
        ModelUnreadable: It is no file of a model, it needs `build`, or `build` gives another network.
        OSError: It cannot be read.
    """
    from trimtab.models.loading import load  # noqa: PLC0415  # torch takes seconds, and most of trimtab needs none

    return load(path, build)
