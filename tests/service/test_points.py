"""Points are chosen ahead beside the calls: what fails in it fails no call."""

import threading

import pytest

from service.replica import Replica
from service.sampling import stock
from tests.service.long_polls import wait_until
from tests.service.runs import complete, lease_of
from tests.service.specs import METRIC, spec
from trimtab.client import Client


def test_an_ask_and_a_tell_are_answered_where_no_thread_can_be_started_to_choose_ahead(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stock, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(stock, "_SHARE", 0.0)
    client.create_study(spec(sampler={"name": "tpe", "startup_trials": 3}, budget={"trials": 100}))
    for _ in range(5):
        complete(client, [0.5])
    known = replica.memory.known(int(lease_of(client).id))
    assert known
    memory = known[0]
    wait_until(lambda: not memory.stock._is_filling)
    memory.stock._prepared = None
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "points ahead":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        lease = lease_of(client)
        told = client.tell(lease, "complete", metrics={METRIC: 0.5})

    refused = [message for message in caplog.messages if "no points are chosen ahead" in message]
    assert refused == ["study study: no points are chosen ahead: can't start new thread"] * 2
    assert told.trial == lease.trial
    assert memory.stock.begin_filling()
