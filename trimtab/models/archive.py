"""The file of a model: a zip without compression, of which equal models give equal bytes.

model.json            what it is (trimtab.models.card)
weights.safetensors   all that is fitted, by the names of the network
model.onnx            the network from inputs to outputs, for other programs; only where it can be written so
"""

import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from pydantic import ValidationError

from trimtab.models.card import FORMAT, Card
from trimtab.models.errors import ModelUnreadable

CARD = "model.json"
WEIGHTS = "weights.safetensors"
ONNX = "model.onnx"

_DAMAGED = (zipfile.BadZipFile, KeyError, EOFError, ValueError, RuntimeError)
"""What is raised on a zip that is none, or of which a byte is another: a member seems encrypted, of a later version of
the format, or to begin before the file does."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can say


def write(path: Path, card: Card, weights: bytes, *, onnx: bytes | None) -> None:
    """Write the file of a model.

    Args:
        path: Where to.
        card: What it is.
        weights: As safetensors.
        onnx: The network for other programs; None: it cannot be written so.

    Raises:
        OSError: There is no room, or no such folder.
    """
    members = {CARD: card.model_dump_json(indent=1).encode(), WEIGHTS: weights}
    if onnx is not None:
        members[ONNX] = onnx
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content)


def read(path: Path) -> tuple[Card, bytes]:
    """Return what a model is, and its weights as safetensors.

    Raises:
        ModelUnreadable: It is no file of a model, or one of another format.
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = {name: _member(archive, name) for name in (CARD, WEIGHTS)}
    except _DAMAGED as error:
        raise ModelUnreadable(f"{path} is no file of a model: {error}") from error
    return _card(path, members[CARD]), members[WEIGHTS]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{name} is compressed")  # what is not cannot be larger than the file
    return archive.read(info)


def _card(path: Path, text: bytes) -> Card:
    try:
        plain = json.loads(text)
        if not isinstance(plain, Mapping) or plain.get("format") != FORMAT:
            raise ModelUnreadable(f"{path} has another format than {FORMAT}: a newer version of trimtab may read it")
        # A newer version may have said more than this one knows.
        return Card.model_validate_json(text, extra="ignore")
    except (ValidationError, ValueError) as error:
        raise ModelUnreadable(f"{path} does not say what model it is: {error}") from error
