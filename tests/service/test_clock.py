"""All replicas have the database's time, and hardly ever ask for it."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from service.clock import KEPT_SECONDS, Clock
from service.database import connect
from service.replica import Replica
from tests import clocks
from tests.service import record
from tests.service.browsing import browser_of, signed_in
from tests.service.runs import lease_of
from tests.service.served import Served
from tests.service.specs import spec
from trimtab.errors import Unavailable

TIME = "SELECT clock_timestamp()"


def test_the_time_is_the_databases_and_goes_on_without_a_question(replica: Replica, engine: sa.Engine) -> None:
    steady = clocks.Clock()
    clock = Clock(replica.engine, steady)
    before, told, after = record.value(engine, TIME), clock.now(), record.value(engine, TIME)

    steady.now += KEPT_SECONDS - 1
    with record.statements(replica.engine) as sent:
        later = clock.now()

    assert isinstance(before, datetime)
    assert isinstance(after, datetime)
    assert before < told < after
    assert later == told + timedelta(seconds=KEPT_SECONDS - 1)
    assert sent == []


def test_after_a_while_the_database_is_asked_again(replica: Replica, engine: sa.Engine) -> None:
    steady = clocks.Clock()
    clock = Clock(replica.engine, steady)
    told = clock.now()

    steady.now += KEPT_SECONDS
    again, after = clock.now(), record.value(engine, TIME)

    assert isinstance(after, datetime)
    assert told < again < after


def test_without_a_database_there_is_no_time() -> None:
    engine = connect("postgresql+psycopg2://127.0.0.1:1/nowhere")

    with pytest.raises(Unavailable):
        Clock(engine).now()


def test_pages_tell_how_long_ago_something_was_by_the_databases_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.client.create_study(spec())
    lease_of(served.client)
    browser = browser_of(served)
    signed_in(browser)
    later = served.replica.clock.now() + timedelta(hours=3)
    monkeypatch.setattr(Clock, "now", lambda _: later)

    for path in ("/", "/workers", "/studies/study/trials", "/studies/study/trials/0"):
        for part in (path, f"/fragments{path}" if path != "/" else "/fragments/studies"):
            assert "3 h" in browser.get(part).text, part
