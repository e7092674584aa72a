"""Follow a study until it has ended, and show how it goes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.live import Live

from trimtab import rendering
from trimtab.client import Client
from trimtab.errors import NoCompleteTrial, NoFeasibleTrial, SeveralObjectives
from trimtab.finals import FinalModel
from trimtab.protocol import BestTrial, Study, Trial
from trimtab.waiting import Idle

POLL_SECONDS = 1.0
"""Soon enough to look live; what is read costs the service less than a hundredth of a core."""


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Args:
        study: As it is.
        best: Its best trial; None: none is complete, or no objective says alone which is best.
        etag: Names that trial.
        running: The trials that run, each with its last step and metrics, where they were asked for.
    """

    study: Study
    best: BestTrial | None
    etag: str | None = field(repr=False)
    running: tuple[Trial, ...] = ()


def watch(
    client: Client,
    name: str,
    console: Console,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Show a study until it has ended; return how it ended. In a terminal as a live bar, else a line for each change.

    Where nobody trains it, it is said what it waits for.

    Raises:
        StudyNotFound: There is no such study, any more.
    """
    return show(follow(client, name, sleep=sleep), console, Idle(client, clock))


def show(progresses: Iterator[Progress], console: Console, idle: Idle | None = None) -> Progress:
    """Show each of them as it comes; return the last one.

    Args:
        progresses: Of one study.
        console: Where.
        idle: Finds out what the study waits for; None: that is not shown.
    """
    show_each = _show_live if console.is_terminal else _show_lines
    return show_each(progresses, console, idle)


def follow(client: Client, name: str, *, sleep: Callable[[float], object] = time.sleep) -> Iterator[Progress]:
    """Yield how far a study is, again and again, until it has ended.

    Raises:
        StudyNotFound: There is no such study, any more.
    """
    progress = _read(client, name, None)
    while not progress.study.state.is_ended:
        yield progress
        sleep(POLL_SECONDS)
        progress = _read(client, name, progress)
    yield progress


def wait_for_final(client: Client, name: str, *, sleep: Callable[[float], object] = time.sleep) -> FinalModel:
    """Return the final model of a study when it is complete or has failed.

    Raises:
        StudyNotFound: There is no such study, any more.
        FinalNotFound: None was asked for, or none came of its confirmation.
    """
    found = client.final(name)
    while not found.state.is_settled:
        sleep(POLL_SECONDS)
        found = client.final(name)
    return found


def _read(client: Client, name: str, before: Progress | None) -> Progress:
    # The study first: its best trial is then at least as new, and once it has ended the last word.
    study = client.study(name)
    if before and before.study.counts.complete == study.counts.complete:
        return replace(before, study=study)
    try:
        news = client.better_trial(name, before.etag if before else None)
    except (NoCompleteTrial, NoFeasibleTrial, SeveralObjectives):
        return Progress(study, None, None)
    if news is None:
        assert before is not None, "only an ETag that was sent can hold"
        return Progress(study, before.best, before.etag)
    return Progress(study, *news)


def _show_live(progresses: Iterator[Progress], console: Console, idle: Idle | None) -> Progress:
    with Live(console=console, auto_refresh=False) as live:
        for progress in progresses:
            waits = idle.waits(progress.study) if idle else None
            live.update(rendering.progress_view(progress.study, progress.best, waits=waits), refresh=True)
    return progress


def _show_lines(progresses: Iterator[Progress], console: Console, idle: Idle | None) -> Progress:
    shown = ""
    for progress in progresses:
        waits = idle.waits(progress.study) if idle else None
        line = rendering.progress_line(progress.study, progress.best, waits=waits)
        if line != shown:
            console.print(line, soft_wrap=True, markup=False, emoji=False)
        shown = line
    return progress
