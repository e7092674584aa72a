"""The client: each verb of the service as a method, each answer as the protocol's class, each refusal raised."""

import os
import random
import time
from collections.abc import Callable
from typing import Self

import httpx2

from trimtab import settings
from trimtab.client.checks import CheckCalls
from trimtab.client.datasets import DatasetCalls
from trimtab.client.doctor import DoctorCalls
from trimtab.client.events import EventCalls
from trimtab.client.exports import ExportCalls
from trimtab.client.finals import FinalCalls
from trimtab.client.leases import LeaseCalls
from trimtab.client.lessons import LessonCalls
from trimtab.client.service import ServiceCalls
from trimtab.client.studies import StudyCalls
from trimtab.client.suggestions import SuggestionCalls
from trimtab.client.tokens import TokenCalls
from trimtab.client.trial_logs import TrialLogCalls
from trimtab.client.trials import TrialCalls
from trimtab.connection import Connection


class Client(
    StudyCalls,
    TrialCalls,
    TrialLogCalls,
    EventCalls,
    LessonCalls,
    CheckCalls,
    DoctorCalls,
    LeaseCalls,
    SuggestionCalls,
    TokenCalls,
    DatasetCalls,
    FinalCalls,
    ExportCalls,
    ServiceCalls,
):
    """A service and the right to call it. May be shared by threads.

    Requests are sent again where the service is away for a moment: each is the same twice as once.

    Args:
        server: URL of the service; None: TRIMTAB_SERVER.
        token: None: TRIMTAB_TOKEN, TRIMTAB_TOKEN_FILE or TRIMTAB_DATA_DIR/token.
        timeout: Seconds until a request that makes no headway is given up. A long poll has its wait on top.
        transport: What carries requests; None: the network.
        sleep: Waits between tries, in seconds.
        chance: Draws from [0, 1); spreads the tries.

    Raises:
        Misconfigured: There is no token, or the server is no URL.

    Each method raises `Unreachable` where nothing answers, or nothing of ours, and a `Refused` where the service
    says no: `Unauthorized`, `Invalid` and `Unavailable` everywhere, and what the method names.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 10.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        connection = Connection(
            settings.server(os.environ) if server is None else server,
            settings.token(os.environ) if token is None else token,
            timeout=timeout,
            transport=transport,
            sleep=sleep,
            chance=chance,
        )
        super().__init__(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the network."""
        self._connection.close()
