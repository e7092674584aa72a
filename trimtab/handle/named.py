"""A study, by its name, and the client that knows where it is."""

import time
from collections.abc import Callable

from trimtab.client import Client


class Named:
    """A study of a service.

    Args:
        client: Of the service.
        name: Of the study.
        sleep: Waits, in seconds, where the study is followed.
    """

    def __init__(self, client: Client, name: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.client = client
        self.name = name
        self._sleep = sleep
