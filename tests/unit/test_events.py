"""The client follows a stream of events over whatever cuts it off, and hears each trial that ends once."""

import pytest

from tests.unit.samples import NOON, SPEC
from tests.unit.stub import TOKEN, Answer, Stub, refused, serving
from trimtab.client import Client
from trimtab.errors import StudyNotFound, Unavailable, Unreachable
from trimtab.events import Event, EventKind, Sent, sent, understood
from trimtab.protocol import Counts, Study, Trial
from trimtab.states import StudyState, TrialState

CUT = Answer(200, "", {"Content-Type": "text/event-stream"})


def study(
    state: StudyState = StudyState.RUNNING, *, running: int = 0, complete: int = 0, last: int | None = None
) -> str:
    counts = Counts(running=running, complete=complete)
    told = Study(name="digits", state=state, spec=SPEC, counts=counts, created_at=NOON)
    return Sent("study", told.model_dump_json(), None if last is None else str(last)).text


def trial(number: int, *, last: int | None = None) -> str:
    told = Trial(study="digits", number=number, state=TrialState.COMPLETE, params={}, values={}, metrics={}, attempts=1)
    return Sent("trial", told.model_dump_json(), None if last is None else str(last)).text


def stream(*events: str) -> Answer:
    return Answer(200, "".join(events), {"Content-Type": "text/event-stream"})


def heard(stub: Stub, *answers: Answer, last: int | None = None) -> list[Event]:
    stub.answers(*answers)
    with Client(stub.url, TOKEN, sleep=lambda _: None) as client:
        return list(client.events("digits", last))


def test_a_stream_that_is_cut_off_is_taken_up_where_it_was() -> None:
    with serving() as stub:
        events = heard(
            stub,
            stream(study(last=0), trial(0, last=1)),
            CUT,
            stream(study(last=1), trial(1, last=2), study(StudyState.COMPLETE)),
        )

    assert [event.trial.number for event in events if event.trial] == [0, 1]
    assert [asked.headers.get("Last-Event-ID") for asked in stub.asked] == [None, "1", "1"]


def test_who_comes_back_says_what_he_has_heard() -> None:
    with serving() as stub:
        heard(stub, stream(study(StudyState.COMPLETE, last=7)), last=7)

    assert stub.asked[0].headers["Last-Event-ID"] == "7"


def test_a_study_whose_trials_still_run_is_followed_after_it_was_stopped() -> None:
    with serving() as stub:
        events = heard(
            stub, stream(study(StudyState.STOPPED, running=1, last=0)), stream(study(StudyState.STOPPED, last=1))
        )

    assert [event.study.counts.running for event in events if event.study] == [1, 0]


def test_a_study_that_has_ended_is_not_left_before_all_that_was_missed_is_heard() -> None:
    def ended(last: int) -> str:
        return study(StudyState.COMPLETE, complete=2, last=last)

    with serving() as stub:
        events = heard(stub, stream(ended(0), trial(0, last=1)), stream(ended(1), trial(1, last=2)))

    assert [event.trial.number for event in events if event.trial] == [0, 1]


def test_it_ends_when_the_study_is_deleted() -> None:
    with serving() as stub:
        events = heard(stub, stream(study(last=0), Sent("deleted", "{}").text))

    assert [event.kind for event in events] == [EventKind.STUDY, EventKind.DELETED]


def test_a_study_that_is_gone_after_an_outage_is_not_found() -> None:
    with serving() as stub, pytest.raises(StudyNotFound):
        heard(stub, stream(study(last=0)), refused(StudyNotFound("there is no study 'digits'")))


def test_a_service_that_is_away_is_looked_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.client.events.OUTAGE_SECONDS", 0.0)
    away = refused(Unavailable("the database is away"))

    with serving() as stub, pytest.raises(Unavailable):
        heard(stub, stream(study(last=0)), *[away] * 20)

    assert len(stub.asked) > 5


def test_what_is_no_stream_of_ours_is_said_to_be_none() -> None:
    with serving() as stub, pytest.raises(Unreachable, match="tells of nothing"):
        heard(stub, stream("event: study\ndata: {}\n\n"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Answer(200, "<html>", {"Content-Type": "text/html"}), "is no stream of events"), (CUT, "ended before it began")],
)
def test_what_tells_nothing_is_not_asked_again_and_again(answer: Answer, said: str) -> None:
    with serving() as stub, pytest.raises(Unreachable, match=said):
        heard(stub, *[answer] * 3)

    assert len(stub.asked) == 1


def test_streams_that_end_before_they_begin_are_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.client.events.OUTAGE_SECONDS", 0.0)

    with serving() as stub, pytest.raises(Unreachable, match="ended before it began"):
        heard(stub, stream(study(last=0)), *[CUT] * 20)

    assert len(stub.asked) < 5


def test_an_event_is_its_fields_up_to_an_empty_line_and_comments_are_nothing() -> None:
    lines = [": keep-alive", "", "event: trial", "id:7", "data: {}", "", "event: half", "data: {}"]

    assert list(sent(lines)) == [Sent("trial", "{}", "7")]


def test_kinds_of_events_that_only_a_later_service_has_are_passed_over() -> None:
    assert understood(Sent("weather", "{}")) is None
