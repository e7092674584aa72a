"""The trials that a study has to offer to whoever asks for them here."""

import logging
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

from trimtab.client import Client
from trimtab.names import worker_name
from trimtab.own.held import give_back
from trimtab.patience import PASSING, patiently
from trimtab.protocol import Lease
from trimtab.requests import new_key
from trimtab.states import NoLease

ASK_SECONDS = 20.0
"""An ask waits so long for a trial."""

_log = logging.getLogger("trimtab")


def leases(
    client: Client, study: str, *, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic
) -> Iterator[Lease]:
    """Yield leases on trials of a study, one after another, until it has ended.

    While others train the last ones there may be another, should one of them be lost.

    Args:
        client: To the service.
        study: Its name.
        seconds: After these no more is asked for, and what comes late is given back.
        clock: In seconds.

    Raises:
        StudyNotFound: There is no such study, any more.
    """
    host = socket.gethostname()
    ask = partial(client.ask, worker_name(host, os.getpid()), study=study, host=host[:200])
    deadline = clock() + seconds
    is_paused = False
    while (left := deadline - clock()) > 0:
        try:
            found = patiently(partial(ask, wait=min(ASK_SECONDS, left), key=new_key()), deadline=deadline, clock=clock)
        except PASSING as error:
            _log.warning("the time for %s is over, and the service has no answer: %s", study, error)
            return
        if clock() < deadline:
            yield from found.leases
        else:
            for late in found.leases:
                give_back(client, late)
        if found.reason is NoLease.STUDY_ENDED:
            return
        if found.reason is NoLease.PAUSED and not is_paused:
            _log.warning("%s is paused: waiting until it runs again", study)
        is_paused = found.reason is NoLease.PAUSED
