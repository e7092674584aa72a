"""What happens in a study is told as it happens, through every replica, to whoever listens."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn

from service import access, happenings
from service.changes import Changes
from service.feeds import MOST_WAITING, Feeds, Listener
from service.happenings import DELETED, Happening
from service.principals import OPERATOR
from service.sessions import COOKIE
from service.slow_clients import Guarded
from service.storage import studies
from service.storage.happenings import Look
from tests.service.browsing import browser_of, signed_in
from tests.service.long_polls import LONG, wait_until
from tests.service.runs import complete, lease_of, report
from tests.service.served import TOKEN, Serve, Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound, Unavailable
from trimtab.events import Event, EventKind, sent, understood
from trimtab.states import StudyState, TrialState

PATH = "/v1/studies/study/events"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than anybody needs, so that no test waits; let each look take its time."""
    monkeypatch.setattr("service.feeds.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("service.feeds.PATIENCE_SECONDS", LONG)
    monkeypatch.setattr("service.api.events.RECOGNISE_SECONDS", 0.05)


@pytest.fixture
def url(served: Served) -> Iterator[str]:
    """Where the replica listens: what is carried in this process alone is carried whole, and no stream is."""
    config = uvicorn.Config(served.app, http=Guarded, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        served.replica.close()
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Hearing:
    """Events as somebody hears them; None: there are no more."""

    events: SimpleQueue[Event | None]

    def next(self) -> Event:
        event = self.events.get(timeout=LONG)
        assert event is not None, "it has ended"
        return event

    def until(self, is_it: Callable[[Event], bool]) -> Event:
        while not is_it(event := self.next()):
            pass
        return event

    def rest(self) -> list[Event]:
        return list(iter(lambda: self.events.get(timeout=LONG), None))


@pytest.fixture
def listen(url: str, served: Served) -> Iterator[Callable[..., Hearing]]:
    threads: list[threading.Thread] = []
    with ExitStack() as closing:

        def listening(last: int | None = None, token: str = TOKEN) -> Hearing:
            client = closing.enter_context(Client(url, token))
            hearing = Hearing(SimpleQueue())

            def hear() -> None:
                with suppress(Exception):  # The test has ended before the study.
                    for event in client.events("study", last):
                        hearing.events.put(event)
                hearing.events.put(None)

            threads.append(threading.Thread(target=hear, daemon=True))
            threads[-1].start()
            return hearing

        yield listening
        served.replica.close()
    for thread in threads:
        thread.join(LONG)


def test_the_life_of_a_study_is_told_from_its_beginning_to_its_end(
    client: Client, listen: Callable[..., Hearing]
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    hearing = listen()
    begun = hearing.next()

    lease = lease_of(client)
    running = hearing.until(lambda event: event.trial is not None)
    report(client, lease, 1, 0.5)
    reported = hearing.until(lambda event: event.report is not None)
    client.tell(lease, "complete", metrics={METRIC: 0.5})
    rest = hearing.rest()

    assert begun.study
    assert (begun.study.state, begun.last) == (StudyState.RUNNING, 0)
    assert running.trial
    assert running.trial.state is TrialState.RUNNING
    assert reported.report
    assert (reported.report.number, reported.report.step, reported.report.metrics) == (0, 1, {METRIC: 0.5})
    assert [(event.trial.state, event.last) for event in rest if event.trial] == [(TrialState.COMPLETE, 1)]
    assert rest[-1].study
    assert rest[-1].study.state is StudyState.COMPLETE


def test_a_trial_that_ends_while_a_stream_begins_is_told_of_once(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    study_id = happenings.study_of(engine, "study")
    before, _ = happenings.since(engine, study_id, None)
    get = studies.get

    def tell_first(*given: Any) -> Any:
        client.tell(lease, "complete", metrics={METRIC: 0.5})
        return get(*given)

    with monkeypatch.context() as between:
        between.setattr(studies, "get", tell_first)
        opening = happenings.opening(engine, study_id, last=None)
    _, happened = happenings.since(engine, study_id, before)

    assert opening
    assert [each.data.partition(b"\n")[0] for each in opening.happenings] == [b"event: study"]
    assert [each.order for each in happened] == [1, None]


def test_of_reports_between_two_looks_none_is_left_out_unless_there_are_very_many(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(happenings, "MOST_REPORTS", 6)
    client.create_study(spec())
    study_id = happenings.study_of(engine, "study")
    leases = [lease_of(client) for _ in range(2)]
    before, _ = happenings.since(engine, study_id, None)
    report(client, leases[0], 1, 0.5)

    def told(*steps: int) -> list[tuple[int, int]]:
        nonlocal before
        for lease in leases:
            for step in steps:
                report(client, lease, step, 0.5)
        before, happened = happenings.since(engine, study_id, before)
        lines = [line for each in happened for line in each.data.decode().splitlines()]
        found = [event.report for event in map(understood, sent(lines)) if event and event.report]
        return [(each.number, each.step) for each in found]

    few, many = told(2, 3), told(4, 5, 6, 7, 8)

    assert few == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
    assert many == [(0, 6), (0, 7), (0, 8), (1, 6), (1, 7), (1, 8)]


def test_what_is_done_through_another_replica_is_told_too(
    client: Client, listen: Callable[..., Hearing], start_replica: Serve
) -> None:
    other = start_replica().client
    client.create_study(spec())
    hearing = listen()
    hearing.next()

    complete(other, [0.5])

    assert hearing.until(lambda event: event.last == 1).trial


def test_who_comes_back_hears_of_each_trial_that_has_ended_since_once(
    client: Client, listen: Callable[..., Hearing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(happenings, "PAGE", 2)
    client.create_study(spec())
    for _ in range(6):
        complete(client, [0.5])

    hearing = listen(last=1)
    missed = [hearing.until(lambda event: event.trial is not None).last for _ in range(5)]
    complete(client, [0.5])

    assert missed == [2, 3, 4, 5, 6]
    assert hearing.until(lambda event: event.trial is not None and event.last is not None).last == 7


def test_who_comes_back_to_another_study_of_that_name_hears_all_of_it(
    client: Client, listen: Callable[..., Hearing]
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    events = listen(last=100).rest()

    assert [event.last for event in events] == [0, 1]


def test_a_study_that_has_ended_is_told_and_no_more(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    answer = http.get(PATH)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert [event.kind for event in client.events("study")] == [EventKind.STUDY]
    assert answer.text.startswith("event: study\nid: 1\ndata: {")
    assert answer.text.isascii()


def test_that_a_study_is_deleted_is_told_and_the_stream_ends(client: Client, listen: Callable[..., Hearing]) -> None:
    client.create_study(spec())
    hearing = listen()
    hearing.next()

    client.delete_study("study")

    assert [event.kind for event in hearing.rest()] == [EventKind.DELETED]


def test_a_study_that_is_not_there_is_not_found(client: Client, http: httpx2.Client) -> None:
    with pytest.raises(StudyNotFound):
        next(client.events("study"))
    client.create_study(spec())

    assert http.get(PATH, headers={"Last-Event-ID": "yesterday"}).status_code == 422


@contextmanager
def opened(url: str, token: str = TOKEN, headers: Mapping[str, str] | None = None) -> Iterator[Iterator[bytes]]:
    headers = headers or {"Authorization": f"Bearer {token}"}
    with (
        httpx2.Client(base_url=url, headers=headers, timeout=LONG) as http,
        http.stream("GET", PATH) as answer,
    ):
        yield answer.iter_bytes()


def test_a_stream_ends_when_its_token_is_revoked(client: Client, http: httpx2.Client, url: str) -> None:
    client.create_study(spec())
    token = client.make_token("reader", "page")

    with opened(url, token.token) as stream:
        next(stream)
        client.revoke_token(token.id)
        rest = list(stream)

    assert rest == []


@pytest.mark.parametrize("is_revoked", [True, False], ids=["revoked", "over"])
def test_a_stream_ends_with_the_session_that_it_was_opened_in(
    client: Client, served: Served, url: str, monkeypatch: pytest.MonkeyPatch, is_revoked: bool
) -> None:
    client.create_study(spec())
    token, browser = client.make_token("reader", "page"), browser_of(served)
    signed_in(browser, token.token)

    with opened(url, headers={"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}) as stream:
        next(stream)
        if is_revoked:
            access.revoke(served.replica.engine, int(token.id), by=OPERATOR)
        else:
            monkeypatch.setattr("service.sessions.LIFE_SECONDS", 0)
        rest = list(stream)

    assert rest == []


def test_a_replica_that_goes_down_ends_its_streams(client: Client, url: str, served: Served) -> None:
    client.create_study(spec())

    with opened(url) as stream:
        next(stream)
        served.replica.close()

        assert list(stream) == []


def test_a_stream_on_which_nothing_happens_gives_a_sign_of_life(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.api.events.KEEP_ALIVE_SECONDS", 0.05)
    client.create_study(spec())

    with opened(url) as stream:
        next(stream)

        assert next(stream) == b":\n\n"


def test_the_database_is_looked_at_once_for_all_who_listen_and_not_at_all_for_nobody(
    client: Client, url: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    since = happenings.since

    def counted(engine: sa.Engine, study_id: int, before: Look | None) -> tuple[Look | None, list[Happening]]:
        looks.append(threading.get_ident())
        if len(looks) == 3:
            raise Unavailable("the database is away")
        return since(engine, study_id, before)

    monkeypatch.setattr(happenings, "since", counted)
    client.create_study(spec())
    feeds: Feeds = served.app.state.feeds

    with ExitStack() as ending:
        streams = [ending.enter_context(opened(url)) for _ in range(5)]
        for stream in streams:
            next(stream)
        (feed,) = feeds._feeds.values()
        assert len(feed.listeners) == 5
        wait_until(lambda: len(looks) > 5)
        assert not feed.is_over

    wait_until(feed._task.done)
    assert not feeds._feeds


@pytest.mark.parametrize("is_silent", [False, True])
def test_who_listens_is_let_go_while_the_database_does_not_answer_and_hears_the_rest_when_it_does(
    client: Client, listen: Callable[..., Hearing], served: Served, monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    answers = threading.Event()

    def away(*_: object) -> None:
        if is_silent:
            answers.wait(LONG)
        raise Unavailable("the database is away")

    client.create_study(spec())
    hearing = listen()
    hearing.next()
    (feed,) = served.app.state.feeds._feeds.values()

    with monkeypatch.context() as outage:
        outage.setattr("service.feeds.PATIENCE_SECONDS", 0.05)
        outage.setattr(happenings, "since", away)
        wait_until(lambda: feed.is_over and not feed.listeners)
    answers.set()
    complete(client, [0.5])

    assert hearing.until(lambda event: event.last == 1).trial


def test_a_listener_that_does_not_listen_is_let_go_and_what_waits_for_him_is_bounded() -> None:
    async def told(times: int) -> list[int]:
        listener = Listener()
        for _ in range(times):
            listener.tell([DELETED])
        return [len(await listener.next()) for _ in range(2)]

    assert asyncio.run(told(MOST_WAITING)) == [1, 1]
    assert asyncio.run(told(MOST_WAITING + 1)) == [0, 0]


def test_a_feed_that_fails_leaves_nobody_waiting(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a defect")

    async def heard() -> int:
        async with Feeds(engine, Changes()).listener(1) as listener:
            return len(await listener.next())

    monkeypatch.setattr(happenings, "since", broken)

    assert asyncio.run(heard()) == 0
