"""httpx2's log has a line for each request: of ours, one for each report, only where somebody asked for them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_logger = logging.getLogger("httpx2")
_is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)


@contextmanager
def left_out() -> Iterator[None]:
    """Leave out the lines of requests that are sent in the block.

    The user's own requests keep theirs, and so do ours once the level of the logger `httpx2` itself is set.
    """
    _logger.addFilter(_is_wanted)  # Twice is once.
    before = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(before)


def _is_wanted(_: logging.LogRecord) -> bool:
    return not _is_ours.get() or _logger.level != logging.NOTSET
