"""A study is followed until it has ended."""

from collections.abc import Iterable
from io import StringIO
from itertools import count

import pytest
from rich.console import Console
from rich.text import Text

from tests.unit import samples
from tests.unit.stub import Answer, Asked, Stub, refused, said
from trimtab import rendering
from trimtab.client import Client
from trimtab.errors import NoCompleteTrial, StudyNotFound
from trimtab.protocol import BestTrial, Study
from trimtab.rendering import BAR_COLUMNS
from trimtab.spec import TaskSpec
from trimtab.states import StudyState
from trimtab.waiting import PATIENCE_SECONDS
from trimtab.watching import POLL_SECONDS, follow, watch

START = samples.study(running=2)
HALF = samples.study(running=2, complete=20)
END = samples.study(state=StudyState.COMPLETE, complete=40)


def live(stub: Stub, course: Iterable[tuple[Study, BestTrial | None]]) -> None:
    """Let the stub be a service whose study goes on by one point each time that it is read."""
    left = iter(course)
    best: BestTrial | None = None

    def answer(asked: Asked) -> Answer:
        nonlocal best
        if not asked.path.endswith("/best-trial"):
            study, best = next(left)
            return said(study)
        if best is None:
            return refused(NoCompleteTrial("none is complete"))
        etag = f'W/"{best.number}-0"'
        return Answer(304) if asked.headers.get("If-None-Match") == etag else said(best, ETag=etag)

    stub.answering = answer


def test_a_study_is_followed_to_its_end(stub: Stub, client: Client) -> None:
    first, second = samples.best(3, 0.05), samples.best(9, 0.02)
    live(stub, [(START, None), (HALF, first), (HALF, first), (END, second)])
    pauses: list[float] = []

    seen = list(follow(client, "digits", sleep=pauses.append))

    assert [progress.study for progress in seen] == [START, HALF, HALF, END]
    assert [progress.best for progress in seen] == [None, first, first, second]
    assert pauses == [POLL_SECONDS] * 3


def test_a_best_trial_is_asked_for_when_another_trial_is_complete_and_not_sent_again_where_it_stays(
    stub: Stub, client: Client
) -> None:
    best = samples.best(3, 0.05)
    live(stub, [(START, None), (HALF, best), (HALF, best), (END, best)])

    seen = list(follow(client, "digits", sleep=lambda _: None))

    tags = [asked.headers.get("If-None-Match") for asked in stub.asked if asked.path.endswith("/best-trial")]
    assert tags == [None, None, 'W/"3-0"']
    assert [progress.best for progress in seen] == [None, best, best, best]


def test_a_study_that_has_ended_is_seen_once(stub: Stub, client: Client) -> None:
    live(stub, [(END, samples.best(3, 0.05))])

    (seen,) = follow(client, "digits", sleep=lambda _: pytest.fail("waited for nothing"))

    assert seen.study == END


def test_a_study_that_is_deleted_meanwhile_is_not_waited_for(stub: Stub, client: Client) -> None:
    stub.answers(said(START), refused(NoCompleteTrial("none")), refused(StudyNotFound("there is no study 'digits'")))

    with pytest.raises(StudyNotFound):
        list(follow(client, "digits", sleep=lambda _: None))


def test_a_pipe_gets_a_line_for_each_change(stub: Stub, client: Client) -> None:
    best = samples.best(3, 0.05)
    live(stub, [(START, None), (START, None), (HALF, best), (END, best)])
    console = Console(file=StringIO(), width=200)

    ended = watch(client, "digits", console, sleep=lambda _: None)

    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines() == [
        rendering.progress_line(START, None),
        rendering.progress_line(HALF, best),
        rendering.progress_line(END, best),
    ]
    assert (ended.study, ended.best) == (END, best)


@pytest.mark.parametrize("is_terminal", [False, True], ids=["pipe", "terminal"])
def test_who_watches_a_study_that_nobody_trains_is_told_which_worker_to_start(
    stub: Stub, client: Client, *, is_terminal: bool
) -> None:
    own = TaskSpec(name="mine:net")
    spec = START.spec.model_copy(update={"task": own})
    waiting = samples.study().model_copy(update={"spec": spec})
    course = iter([waiting, waiting, START, END])

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v1/workers":
            return said(samples.page())
        if asked.path.endswith("/best-trial"):
            return refused(NoCompleteTrial("none is complete"))
        return said(next(course))

    stub.answering = answer
    clock = count(step=PATIENCE_SECONDS)
    console = Console(file=StringIO(), width=200, force_terminal=is_terminal)

    watch(client, "digits", console, sleep=lambda _: None, clock=lambda: next(clock))

    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    told = "waits: no worker that is alive has the task mine:net: python -m workers --allow mine:net"
    waited, _, ran = shown.partition("2 running")
    assert (told in waited, told in ran) == (True, False)
    assert is_terminal or shown.splitlines() == [
        f"{rendering.progress_line(waiting, None)}; {told}",
        rendering.progress_line(START, None),
        rendering.progress_line(END, None),
    ]


def test_a_terminal_gets_a_bar_that_stays_at_its_end(stub: Stub, client: Client) -> None:
    live(stub, [(START, None), (END, samples.best(3, 0.05))])
    console = Console(file=StringIO(), width=80, force_terminal=True)

    watch(client, "digits", console, sleep=lambda _: None)

    assert isinstance(console.file, StringIO)
    shown = Text.from_ansi(console.file.getvalue()).plain.split("\n")
    assert any("0/40  running" in line for line in shown[:-4])
    assert [line.strip() for line in shown[-4:]] == [
        f"digits  {'━' * BAR_COLUMNS}  40/40  complete",
        "40 complete, 0 pruned, 0 failed, 0 running",
        "best: validation_error 0.05 (trial 3)",
        "",
    ]
