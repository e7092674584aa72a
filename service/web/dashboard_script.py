"""The script of Optuna's dashboard, from its package, with its addresses below ours.

It is written for a host of its own: its pages are below /dashboard there, and what it asks for below /api and /csv.
"""

import hashlib
from functools import cache
from pathlib import Path

from service.dashboard.asking import package

ROOT = "/optuna"
"""Below which all of the dashboard is."""

_DIGITS = 12
_ADDRESSES = {
    b'url_prefix:"/dashboard"': f'url_prefix:"{ROOT}"'.encode(),
    b"${this.baseURL}/api/": f"{ROOT}/api/".encode(),
    b"`/csv/": f"`{ROOT}/csv/".encode(),
}


def url() -> str:
    """Return where the script is served. Another content has another address."""
    return f"{ROOT}/{_digest()}/bundle.js"


def script(digest: str) -> bytes | None:
    """Return the script; None: it has another address by now."""
    return _read() if digest == _digest() else None


def moved(given: bytes) -> bytes:
    """Return the script with its addresses below ours.

    Raises:
        ValueError: It is of a version whose addresses are not known here.
    """
    for address, ours in _ADDRESSES.items():
        if address not in given:
            raise ValueError(f"the dashboard's script has no {address.decode()}: this version is not known here")
        given = given.replace(address, ours)
    return given


@cache
def _digest() -> str:
    return hashlib.sha256(_read()).hexdigest()[:_DIGITS]


def _read() -> bytes:
    folder = package()
    assert isinstance(folder, Path), "the dashboard is installed"
    return moved((folder / "public" / "bundle.js").read_bytes())
