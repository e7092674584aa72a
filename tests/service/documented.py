"""Fails where the service answers what the description of its API does not say."""

import json
import re
from functools import cache

import httpx2

from tests.openapi import description


class Documented(httpx2.BaseTransport):
    """Passes requests on, and looks at the status of each answer.

    Args:
        transport: Carries the requests.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._transport.handle_request(request)
        for path, statuses in _statuses(request.method):
            if path.fullmatch(request.url.path):
                assert str(response.status_code) in statuses, f"{request.method} {path.pattern}: {response.status_code}"
        return response


@cache
def _statuses(method: str) -> list[tuple[re.Pattern[str], set[str]]]:
    paths = json.loads(description())["paths"]
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path)), set(verbs[method.lower()]["responses"]))
        for path, verbs in paths.items()
        if method.lower() in verbs
    ]
