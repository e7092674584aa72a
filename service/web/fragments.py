"""Parts of pages that are asked for again and again, to keep the pages alive: made once in a while for all who look."""

import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from cachetools import LRUCache
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

HOLDS_SECONDS = 2.0
"""Less than a page waits before it asks, so that what it is given is never older than what it shows."""

MOST = 128

_NOT_MODIFIED = 304
_DIGITS = 16


@dataclass(frozen=True)
class Fragment:
    """A part of a page, the same for everybody.

    Args:
        html: It.
        tag: Of its content (ETag).
        until: When it is made anew.
    """

    html: str
    tag: str
    until: float


class Fragments:
    """The fragments that were asked for lately.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fragments: LRUCache[Hashable, Fragment] = LRUCache(MOST)
        self._lock = threading.Lock()

    def answer(
        self, request: Request, key: Hashable, make: Callable[[], str], *, holds_seconds: float = HOLDS_SECONDS
    ) -> Response:
        """Return a fragment, or only that it is what the page has.

        Args:
            request: That asks for it.
            key: What it is of, and all that it depends on.
            make: Makes it.
            holds_seconds: How long it is good.
        """
        fragment = self._held(key) or self._keep(key, make, holds_seconds)
        headers = {"ETag": fragment.tag}
        if request.headers.get("If-None-Match") == fragment.tag:
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        return HTMLResponse(fragment.html, headers=headers)

    def _held(self, key: Hashable) -> Fragment | None:
        with self._lock:
            fragment = self._fragments.get(key)
        return fragment if fragment and self._clock() < fragment.until else None

    def _keep(self, key: Hashable, make: Callable[[], str], holds_seconds: float) -> Fragment:
        # The time before: what is seen is not older than this. Two who come at once may both make it; nobody waits.
        until = self._clock() + holds_seconds
        html = make()
        tag = f'W/"{hashlib.sha256(html.encode()).hexdigest()[:_DIGITS]}"'
        fragment = Fragment(html, tag, until)
        with self._lock:
            self._fragments[key] = fragment
        return fragment


def answer(
    request: Request, key: Hashable, make: Callable[[], str], *, holds_seconds: float = HOLDS_SECONDS
) -> Response:
    """Return a fragment of those that the application keeps; the arguments are those of Fragments.answer."""
    fragments: Fragments = request.app.state.fragments
    return fragments.answer(request, key, make, holds_seconds=holds_seconds)
