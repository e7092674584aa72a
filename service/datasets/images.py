"""A tar of an image folder: CLASS/FILE.png or .jpg, all of one size. Read member by member; nothing is unpacked."""

import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.datasets import canonical, targets
from service.datasets.canonical import Content
from service.datasets.unfit import Problems, refuse, shown
from trimtab.data import Problem
from trimtab.datasets import DatasetDescription, TargetKind

_ENDINGS = {".png", ".jpg", ".jpeg"}
_FORMATS = ("PNG", "JPEG")
_GREY = {"1", "L"}
_DEEP = ("I", "F")
"""Modes of more than 8 bits a value begin so."""

_SET_ASIDE = {"Thumbs.db", "__MACOSX"}

_LONGEST_NAME = 1000

# N examples, C channels, H height, W width.


@dataclass(frozen=True)
class _File:
    """An image in the archive."""

    member: tarfile.TarInfo
    name: str
    label: str


def read(path: Path, *, target: str | None, kind: TargetKind, most_bytes: int) -> Content:
    """Return the data set that a file holds.

    Raises:
        Unfit: It holds none that can be trained on.
    """
    if target is not None:
        refuse("target", "is not for images: the folder that an image lies in is its class")
    if kind is TargetKind.REGRESSION:
        refuse("kind", "cannot be regression: the folder that an image lies in is its class")
    try:
        with tarfile.open(path, "r:") as archive:
            return _read(archive, most_bytes)
    except tarfile.TarError as error:
        refuse("body", f"is no tar archive that can be read: {error}; if it is compressed, send it uncompressed")


def _read(archive: tarfile.TarFile, most_bytes: int) -> Content:
    files = _files(archive)
    labels = sorted({file.label for file in files})
    codes_N = np.array([labels.index(file.label) for file in files], dtype=np.int64)
    learned = targets.counted(codes_N, labels, "body")
    channels, height, width = _size(archive, files)
    canonical.check_size(len(files) * channels * height * width, most_bytes)
    images_NCHW = np.empty((len(files), channels, height, width), dtype=np.uint8)
    problems = Problems()
    for image_CHW, file in zip(images_NCHW, files, strict=True):
        try:
            image_CHW[:] = _pixels(archive, file, channels)
        except Exception:  # noqa: BLE001  # Pillow raises anything on what is no whole image
            problems.add(shown(file.name), "is broken, or is no PNG and no JPEG")
    problems.settle()
    description = DatasetDescription(
        problem=Problem.CLASSIFICATION,
        examples=len(files),
        classes=list(learned.classes),
        image=(channels, height, width),
        warnings=list(learned.warnings),
    )
    return Content(description, {"y_N": codes_N, "images_NCHW": images_NCHW})


def _files(archive: tarfile.TarFile) -> list[_File]:
    """Return the images, by class and name."""
    problems = Problems()
    files: dict[str, _File] = {}
    for member in archive:
        if (found := _file(member, problems)) is None:
            continue
        if found.name in files:
            problems.add(shown(found.name), "is there twice")
        files[found.name] = found
    _check_end(archive)
    problems.settle()
    if not files:
        refuse("body", "has no images: CLASS/FILE.png or CLASS/FILE.jpg are needed")
    _check_one_folder(files)
    return [files[name] for name in sorted(files)]


def _check_end(archive: tarfile.TarFile) -> None:
    """Refuse an archive without a block of zeros at its end: tarfile takes what is cut off or damaged for the end."""
    assert archive.fileobj, "it is open"
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        there = f"{len(archive.getmembers())} of its entries can be read"
        refuse("body", f"is a tar archive that is cut off or damaged: {there}, and no end follows; make it anew")


def _file(member: tarfile.TarInfo, problems: Problems) -> _File | None:
    """Return the image that a member is; None: it is none, and if it should be one that is noted."""
    path = PurePosixPath(member.name)
    name = shown(member.name)
    if path.is_absolute() or ".." in path.parts or len(member.name) > _LONGEST_NAME:
        problems.add(name, "leaves its folder")
    elif member.isdir() or any(part.startswith(".") or part in _SET_ASIDE for part in path.parts):
        return None
    elif not member.isfile():
        problems.add(name, "is no file but a link or a device")
    elif path.suffix.lower() not in _ENDINGS:
        problems.add(name, "is no .png, .jpg or .jpeg")
    elif not _is_utf8(path.parent.name):
        problems.add(name, "lies in a folder whose name is not UTF-8: rename it")
    elif not path.parent.name:
        problems.add(name, "lies in no folder: the folder that an image lies in is its class")
    else:
        return _File(member, str(path), path.parent.name)
    return None


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # Bytes that are no text come as halves of surrogate pairs.
        return False
    return True


def _check_one_folder(names: Iterable[str]) -> None:
    above = {str(PurePosixPath(name).parent.parent) for name in names}
    if len(above) > 1:
        first, second = sorted(above)[:2]
        refuse("body", f"has folders of classes in {shown(first)} and in {shown(second)}: put those of one folder")


def _size(archive: tarfile.TarFile, files: Sequence[_File]) -> tuple[int, int, int]:
    """Return channels, height and width of every image, from their headers."""
    problems = Problems()
    sizes: list[tuple[int, int]] = []
    modes: set[str] = set()
    for file in files:
        try:
            with _opened(archive, file) as image:
                sizes.append(image.size)
                modes.add(image.mode)
                _check_alike(file, image, sizes[0], problems)
        except Exception:  # noqa: BLE001  # Pillow raises anything on what is no whole image
            problems.add(shown(file.name), "is broken, or is no PNG and no JPEG")
    problems.settle()
    width, height = sizes[0]
    return (1 if modes <= _GREY else 3), height, width


def _check_alike(file: _File, image: Image.Image, size: tuple[int, int], problems: Problems) -> None:
    if image.size != size:
        there, others = (f"{width} x {height}" for width, height in (image.size, size))
        problems.add(shown(file.name), f"is {there}, where the first is {others}: all images are of one size")
    if image.mode.startswith(_DEEP):
        problems.add(shown(file.name), "has more than 8 bits a value")


def _pixels(archive: tarfile.TarFile, file: _File, channels: int) -> NDArray[np.uint8]:
    with _opened(archive, file) as image:
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _opened(archive: tarfile.TarFile, file: _File) -> Image.Image:
    found = archive.extractfile(file.member)
    assert found, "it is a file"
    return Image.open(BytesIO(found.read()), formats=_FORMATS)
