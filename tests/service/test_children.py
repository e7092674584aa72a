"""Slow samplers run in few processes of their own; one that hangs or dies costs its study a point, others nothing."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from service import sampling
from service.children import Children, NoAnswer, TooLate
from service.history import Observations
from service.replica import Replica
from service.sampling import View, suggester
from service.sampling.orders import Order, suggestions
from service.sampling.suggester import MOST_CHILDREN
from service.storage.dimensions import dimensions
from service.storage.finished import FinishedTrial
from tests.service.long_polls import SOON, wait_until
from tests.service.runs import complete, lease_of
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.states import Outcome, TrialState

# Does as it is told: it says who it is, hangs or dies.
CHILD = """
import os, sys, time
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
pipe.send_bytes(b"ready")
while True:
    match pipe.recv_bytes():
        case b"hang":
            time.sleep(600)
        case b"die":
            os._exit(3)
        case _:
            pipe.send_bytes(str(os.getpid()).encode())
"""
OBEDIENT = (sys.executable, "-c", CHILD)
HANGING = (sys.executable, "-c", CHILD.replace('case b"hang"', "case bytes() if sys"))
NOT_THERE = ("/nothing/here",)
NEVER_READY = (sys.executable, "-c", "import time; time.sleep(600)")
# As where torch is not installed: it is not found.
HIDING = """
import sys
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *others: None if name == "torch" else found(name, *others)
from service.sampling.child import main
main(int(sys.argv[1]))
"""
WITHOUT_TORCH = (sys.executable, "-c", HIDING)
GP = {"name": "gp", "startup_trials": 1}
PATIENCE = 120.0
"""Seconds in which a child starts and answers on any machine; one that hangs does so for longer."""


def _children(command: Sequence[str]) -> Children:
    return Children(command, most=MOST_CHILDREN, idle_seconds=3600.0)


@pytest.fixture
def obedient() -> Iterator[Children]:
    children = _children(OBEDIENT)
    yield children
    children.close()


def test_a_child_answers_one_order_after_another(obedient: Children) -> None:
    answers = {obedient.answer(b"who", seconds=PATIENCE) for _ in range(5)}

    assert len(answers) == 1


def test_a_child_that_hangs_is_killed_in_time_and_replaced(obedient: Children) -> None:
    first = obedient.answer(b"who", seconds=PATIENCE)
    (child,) = obedient._idle
    begin = time.monotonic()

    with pytest.raises(TooLate, match="its process took too long and was killed"):
        obedient.answer(b"hang", seconds=0.2)

    assert time.monotonic() - begin < SOON
    assert child._process.returncode == -signal.SIGKILL
    assert obedient.answer(b"who", seconds=PATIENCE) != first


def test_a_child_that_dies_is_replaced(obedient: Children) -> None:
    with pytest.raises(NoAnswer, match="its process died: exit status 3"):
        obedient.answer(b"die", seconds=PATIENCE)

    assert obedient.answer(b"who", seconds=PATIENCE)


def test_there_are_two_children_at_most(obedient: Children) -> None:
    with ThreadPoolExecutor(MOST_CHILDREN) as asking:
        hung = [asking.submit(obedient.answer, b"hang", seconds=PATIENCE) for _ in range(MOST_CHILDREN)]
        wait_until(lambda: len(obedient._busy) == MOST_CHILDREN)

        with pytest.raises(NoAnswer, match="all processes were busy"):
            obedient.answer(b"who", seconds=0.2)

        for child in list(obedient._busy):
            child.interrupt()
    assert all(isinstance(each.exception(), NoAnswer) for each in hung)
    assert obedient.answer(b"who", seconds=PATIENCE)


def test_who_waits_for_a_child_when_all_are_killed_hears_so_at_once(obedient: Children) -> None:
    with ThreadPoolExecutor(MOST_CHILDREN + 1) as asking:
        waiting = [asking.submit(obedient.answer, b"hang", seconds=PATIENCE) for _ in range(MOST_CHILDREN + 1)]
        wait_until(lambda: len(obedient._busy) == MOST_CHILDREN)
        lent = [child._process for child in obedient._busy]

        obedient.close()

        for each in waiting:
            assert str(each.exception(timeout=SOON)) == "the service is going down"
    assert all(process.poll() is not None for process in lent)


def test_a_child_that_is_still_starting_is_not_waited_for_and_not_killed() -> None:
    children = _children(NEVER_READY)

    for _ in range(2):
        with pytest.raises(NoAnswer, match="still starting"):
            children.answer(b"who", seconds=0.1)

    (child,) = children._idle
    assert child._process.poll() is None
    children.close()


def test_children_that_cannot_be_started_take_no_place_from_those_to_come() -> None:
    children = _children(NOT_THERE)
    children.prepare()
    for _ in range(5):
        with pytest.raises(NoAnswer, match="no process can be started"):
            children.answer(b"who", seconds=0.1)

    children._command = OBEDIENT

    assert children.answer(b"who", seconds=PATIENCE)
    children.close()


def test_a_child_that_nobody_needs_goes(obedient: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    first = obedient.answer(b"who", seconds=PATIENCE)
    obedient.reap()
    kept = obedient.answer(b"who", seconds=PATIENCE)
    monkeypatch.setattr(obedient, "_idle_seconds", 0.0)

    obedient.reap()

    assert kept == first
    assert not obedient._idle


def test_a_trial_whose_sampler_hangs_in_its_child_gets_a_random_point_and_says_so(
    nothing_ahead: None, client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_study(spec(sampler=GP))
    client.create_study(spec("other"))
    monkeypatch.setattr(replica.memory.children, "_command", HANGING)
    complete(client, [0.5])
    wait_until(lambda: _is_ready(replica.memory.children))
    monkeypatch.setattr(suggester, "LIMIT_SECONDS", 0.3)

    lease = lease_of(client)

    assert client.trial("study", lease.trial).fallback == (
        "the sampler gave no point: its process took too long and was killed"
    )
    assert complete(client, [0.5], "other").trial == 0


def _is_ready(children: Children) -> bool:
    return any(child._pipe.poll(0) for child in children._idle)


def test_a_study_of_a_sampler_that_is_not_installed_is_refused(
    http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "is_installed", lambda: False)

    refused = http.post("/v1/studies", json=body(sampler=GP))

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "sampler.name"
    assert "pip install 'trimtab[service,gp]'" in error["message"]


def test_a_child_without_torch_serves_the_samplers_that_need_none() -> None:
    study = spec(sampler={"name": "tpe", "startup_trials": 1}, objectives=[{"metric": METRIC}, {"metric": "cost"}])
    trials = [
        FinishedTrial(n + 1, n, TrialState.COMPLETE, Outcome.COMPLETE, (x, 1 - x), 1, {"x": x})
        for n, x in enumerate((0.1, 0.5, 0.9))
    ]
    view = View.of(study, dimensions(study.searched), Observations.empty(["x"], objectives=2).extended(trials))
    children = _children(WITHOUT_TORCH)

    answered = children.answer(Order(study, view, 3, 1).to_bytes(), seconds=PATIENCE)

    assert suggestions(answered) == [sampling.suggest(study, view, number=3)]
    children.close()


@pytest.mark.usefixtures("nothing_ahead")
def test_points_that_are_asked_for_together_differ(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggester, "LIMIT_SECONDS", PATIENCE)
    client.create_study(spec(sampler={"name": "gp", "startup_trials": 4}, budget={"trials": 12}))
    for _ in range(4):
        lease = lease_of(client)
        client.tell(lease, "complete", metrics={METRIC: float(str(lease.params["x"]))})

    leases = client.ask("worker", study="study", count=8).leases

    assert all(client.trial("study", lease.trial).fallback is None for lease in leases)
    assert len({lease.params["x"] for lease in leases}) == 8
