"""A study that somebody watches: how far it is, the curves of what runs, and who is missing if nothing does."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.handle.following import outlasting
from trimtab.protocol import Trial
from trimtab.sparklines import curve
from trimtab.waiting import Idle
from trimtab.watching import Progress

SHOWN = 8
"""Running trials whose curves are shown: a terminal has 24 lines."""

Curve = Sequence[float | None]


@dataclass(frozen=True)
class Watched:
    """A study as it is now.

    Args:
        progress: How far it is.
        curves: By the number of a running trial what it has reported so far.
        waits: What it waits for, and what to do; None: for nobody.
    """

    progress: Progress
    curves: Mapping[int, Curve]
    waits: str | None = None


def watched(
    client: Client,
    name: str,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Watched]:
    """Yield how a study is, again and again, until it has ended.

    Raises:
        StudyNotFound: There is no such study, any more.
        Unreachable: Nothing answers, at the first call; later on a service that is away is waited for.
    """
    client.study(name)
    curves = Curves(client)
    idle = Idle(client, clock)
    for progress in outlasting(client, name, sleep=sleep):
        yield Watched(progress, curves.of(progress), idle.waits(progress.study))


class Curves:
    """The curves of running trials: read once where somebody comes late, then grown by each last report.

    Args:
        client: Of their service.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[int, tuple[int | None, dict[int, float | None]]] = {}

    def of(self, progress: Progress) -> dict[int, Curve]:
        """Return the curves of the trials that run, of the first few."""
        metric = progress.study.spec.objectives[0].metric
        shown = [trial for trial in progress.running if trial.step is not None][:SHOWN]
        self._known = {trial.number: self._grown(trial, metric) for trial in shown}
        return {number: [points[step] for step in sorted(points)] for number, (_, points) in self._known.items()}

    def _grown(self, trial: Trial, metric: str) -> tuple[int | None, dict[int, float | None]]:
        """Return the points of a trial, and which attempt they were read at; None: they could not be, so again."""
        read_at, points = self._known.get(trial.number) or (None, {})
        if read_at != trial.attempts:
            with suppress(TrimtabError):
                points = curve(self._client.trial(trial.study, trial.number).reports, metric)
                read_at = trial.attempts
        assert trial.step is not None
        return read_at, {**points, trial.step: trial.metrics.get(metric)}
