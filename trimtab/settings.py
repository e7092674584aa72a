"""The settings that the client, the workers and the service share, read from the environment."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

import platformdirs

from trimtab.errors import Misconfigured

DEFAULT_SERVER = "http://127.0.0.1:8000"


def data_dir(environment: Mapping[str, str]) -> Path:
    """Return TRIMTAB_DATA_DIR, by default the user's data folder / trimtab.

    The default of root is the machine's folder: the embedded PostgreSQL runs as a user of its own, who must
    reach its data, and root's home is nobody else's business.
    """
    if given := environment.get("TRIMTAB_DATA_DIR"):
        return Path(given).expanduser().absolute()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/trimtab")
    return Path(platformdirs.user_data_dir("trimtab", appauthor=False))


def server(environment: Mapping[str, str]) -> str:
    """Return TRIMTAB_SERVER, where the service is."""
    return environment.get("TRIMTAB_SERVER", "").strip() or DEFAULT_SERVER


def token(environment: Mapping[str, str]) -> str:
    """Return TRIMTAB_TOKEN, else what TRIMTAB_TOKEN_FILE holds, by default TRIMTAB_DATA_DIR/token.

    Raises:
        Misconfigured: None of them is there.
    """
    if given := environment.get("TRIMTAB_TOKEN"):
        return given.strip()
    path = _token_file(environment)
    try:
        # What is no text becomes no token; the client says so.
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        reason = error.strerror or error
        raise Misconfigured(
            f"no token: {path}: {reason}; set TRIMTAB_TOKEN or TRIMTAB_TOKEN_FILE, or start the service here"
        ) from error


def token_source(environment: Mapping[str, str]) -> str:
    """Return where the token is from: TRIMTAB_TOKEN, or the path of a file."""
    return "TRIMTAB_TOKEN" if environment.get("TRIMTAB_TOKEN") else str(_token_file(environment))


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine and can be reached from nowhere else."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token_file(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("TRIMTAB_TOKEN_FILE") or data_dir(environment) / "token")
