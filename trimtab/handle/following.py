"""A study that is followed to its end, whatever happens to the service meanwhile."""

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from trimtab.client import Client
from trimtab.patience import PASSING, pauses
from trimtab.states import TrialState
from trimtab.watching import Progress, follow

_log = logging.getLogger(__name__)


def outlasting(client: Client, name: str, *, sleep: Callable[[float], object]) -> Iterator[Progress]:
    """Yield how far a study is, again and again, until it has ended. A service that is away is waited for.

    Raises:
        StudyNotFound: There is no such study, any more.
    """
    away = _pauses()
    while True:
        try:
            for seen in follow(client, name, sleep=sleep):
                running = tuple(client.trials(name, TrialState.RUNNING)) if seen.study.counts.running else ()
                away = _pauses()
                yield replace(seen, running=running)
        except PASSING as error:
            _log.warning("the service has no answer: %(error)s", {"error": error})
            sleep(next(away))
        else:
            return


def _pauses() -> Iterator[float]:
    return pauses(random.Random())  # noqa: S311  # it spreads callers in time, no more
