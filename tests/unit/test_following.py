"""A study is followed to its end, whatever happens to the service meanwhile."""

import pytest

from tests.unit import samples
from tests.unit.samples import NOON
from tests.unit.stub import Answer, Stub, refused, said
from trimtab.cli.following import Curves
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.handle import StudyHandle
from trimtab.protocol import RecordedReport, Used, Worker
from trimtab.spec import StudySpec
from trimtab.states import Decision, StudyState, TrialState
from trimtab.waiting import Idle
from trimtab.watching import Progress

END = (
    said(samples.study(state=StudyState.COMPLETE, complete=40)),
    said(samples.best(3, 0.5), ETag='W/"3"'),
    said(samples.page()),
)


@pytest.mark.parametrize(
    ("outage", "waits"),
    [
        ([Answer(503, "<html>")] * 5, 1),  # The client's own tries of one call.
        ([Answer(200, "<html>")] * 5, 5),  # Somebody else at the service's address.
    ],
)
def test_a_service_that_is_away_is_waited_for(stub: Stub, client: Client, outage: list[Answer], waits: int) -> None:
    stub.answers(*outage, *END)
    pauses: list[float] = []

    (seen,) = StudyHandle(client, "digits", sleep=pauses.append).watch()

    assert (seen.study.state, seen.running) == (StudyState.COMPLETE, ())
    assert len(pauses) == waits


def test_what_was_seen_before_an_outage_is_not_lost_with_it(stub: Stub, client: Client) -> None:
    going = (said(samples.study(running=1)), said(samples.best(3, 0.5), ETag='W/"3"'), said(samples.page()))
    stub.answers(*going, *[Answer(503, "<html>")] * 5, *END)

    seen = list(StudyHandle(client, "digits", sleep=lambda _: None).watch())

    assert [progress.study.state for progress in seen] == [StudyState.RUNNING, StudyState.COMPLETE]


def test_a_study_that_is_deleted_is_not_waited_for(stub: Stub, client: Client) -> None:
    stub.answers(refused(StudyNotFound("there is no study 'digits'")))

    with pytest.raises(StudyNotFound):
        list(StudyHandle(client, "digits", sleep=lambda _: None).watch())


@pytest.mark.parametrize(
    ("alive", "seconds", "waits"),
    [
        ([], 12.5, "nobody asks for its trials: start the script again"),
        (
            [],
            None,
            "no task, and no code of yours has asked for its trials yet: start that code: docs/how-to/own-code.md",
        ),
        ([samples.worker("script")], 12.5, None),
        ([samples.worker("script")], None, None),
    ],
)
def test_a_study_without_a_task_that_nobody_asks_for_says_so(
    stub: Stub, client: Client, alive: list[Worker], seconds: float | None, waits: str | None
) -> None:
    stub.answers(said(samples.page(*alive)))
    spec, used = StudySpec(name="digits", task=None), Used(trials=0, seconds=seconds)
    study = samples.study().model_copy(update={"spec": spec, "used": used})
    clock = iter([0.0, 1.0, 4.0])
    idle = Idle(client, lambda: next(clock))

    seen = [idle.waits(study) for _ in range(2)]

    assert seen == [None, waits]


def test_a_curve_that_cannot_be_read_is_read_with_the_next_look(stub: Stub, client: Client) -> None:
    def progress(step: int) -> Progress:
        running = samples.trial(7, state=TrialState.RUNNING, step=step, metrics={"validation_error": 1 / step})
        return Progress(samples.study(running=1), None, None, running=(running,))

    before = [
        RecordedReport(
            attempt=1, step=step, metrics={"validation_error": 1.0}, verdict=Decision.CONTINUE, reported_at=NOON
        )
        for step in (1, 2)
    ]
    past = samples.history(7).model_copy(update={"reports": before})
    stub.answers(*[Answer(503, "<html>")] * 5, said(past))
    curves = Curves(client)

    first, second = curves.of(progress(2)), curves.of(progress(4))

    assert first == {7: [0.5]}
    assert second == {7: [1.0, 1.0, 0.25]}
