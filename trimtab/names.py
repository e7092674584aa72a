"""Names that the service takes."""

import re


def worker_name(host: str, process: int) -> str:
    """Return the name of a worker: it is the only one of that name at a time."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", host).lstrip("._-")[:150]
    return f"{plain or 'worker'}-{process}"
