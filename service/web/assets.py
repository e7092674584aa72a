"""Scripts, styles and pictures: served under a hash, so that a browser asks for each once.

The files of ours share one hash, of all of them together, so that scripts import each other by a relative path. Those
of others are served from the packages that carry them.
"""

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from trimtab.errors import NotFound

_FOLDER = Path(str(files("service.web"))) / "static"
_PACKAGED = {
    "plotly.min.js": ("plotly", "package_data"),
    "swagger-ui-bundle.js": ("fastapi_offline", "static"),
    "swagger-ui.css": ("fastapi_offline", "static"),
}
_DIGITS = 12

router = APIRouter()


def url(name: str) -> str:
    """Return where a file is served. Another content has another address.

    Raises:
        NotFound: There is none of that name.
    """
    return f"/static/{_digest(name)}/{name}"


@router.get("/static/{digest}/{name}")
def asset(digest: str, name: str) -> FileResponse:
    """Serve a file for ever: under this address it never changes."""
    if digest != _digest(name):
        raise NotFound(f"there is no other content of {name!r} any more")
    return FileResponse(_path(name), headers={"Cache-Control": "public, max-age=31536000, immutable"})


def _digest(name: str) -> str:
    path = _path(name)
    return _digest_of(path) if name in _PACKAGED else _digest_of(*(_FOLDER / known for known in sorted(_names())))


def _path(name: str) -> Path:
    if name in _PACKAGED:
        package, folder = _PACKAGED[name]
        return Path(str(files(package))) / folder / name
    if name not in _names():
        raise NotFound(f"there is no {name!r}")
    return _FOLDER / name


@cache
def _digest_of(*paths: Path) -> str:
    content = hashlib.sha256()
    for path in paths:
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:_DIGITS]


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir())
