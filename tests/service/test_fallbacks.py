"""A sampler or a pruner that fails or hangs costs its study as little as can be, and the others nothing."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import pruning, sampling
from service.history import Observations
from service.replica import Replica
from service.sampling import Suggestion, View, suggester
from service.sampling.suggester import PLACES, REST_SECONDS, Suggester, sampler_children
from service.storage.dimensions import dimensions
from tests.clocks import Clock
from tests.service.long_polls import wait_until
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import Decision, Direction

LIMIT_SECONDS = 0.2
LATE = f"the sampler took longer than {LIMIT_SECONDS:g} s"
SLOW = "slow"


class Stuck:
    """A sampler that hangs for one study, and for no other, until it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.answers = 0
        self.let_go = threading.Event()

    def suggest_many(
        self, spec: StudySpec, view: View, *, number: int, count: int, salt: int | None = None
    ) -> list[Suggestion]:
        if spec.name == SLOW:
            self.calls += 1
            self.let_go.wait(120)
            self.answers += 1
        return sampling.suggest_many(spec, view, number=number, count=count, salt=salt)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    stuck = Stuck()
    monkeypatch.setattr(suggester, "suggest_many", stuck.suggest_many)
    monkeypatch.setattr(suggester, "LIMIT_SECONDS", LIMIT_SECONDS)
    yield stuck
    stuck.let_go.set()


def suggest(suggester: Suggester, number: int = 0) -> Suggestion:
    study = spec(SLOW)
    space = dimensions(study.searched)
    view = View(space, [Direction.MINIMIZE], Observations.empty([dimension.stored_name for dimension in space]), ())
    return suggester.suggest(study, view, number=number)


# -- the sampler ----------------------------------------------------------------------------------------


def test_a_trial_of_a_sampler_that_raises_gets_a_random_point_and_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FloatingPointError("overflow")

    client.create_study(spec(sampler={"name": "tpe", "seed": 3}))
    client.create_study(spec("random", sampler={"name": "random", "seed": 3}))
    monkeypatch.setattr(suggester, "suggest_many", fail)

    lease = lease_of(client)

    monkeypatch.undo()
    assert lease.params == lease_of(client, "random").params
    assert client.trial("study", 0).fallback == "the sampler failed: FloatingPointError: overflow"
    assert [trial.fallback for trial in client.trials("study")] == ["the sampler failed: FloatingPointError: overflow"]
    (logged,) = [entry for entry in caplog.records if "the sampler failed" in entry.getMessage()]
    assert logged.exc_info is not None


def test_a_trial_that_the_sampler_chose_has_no_fallback(client: Client) -> None:
    client.create_study(spec(sampler={"name": "tpe"}))

    lease_of(client)

    assert client.trial("study", 0).fallback is None


def test_a_trial_of_a_sampler_that_hangs_gets_a_random_point_in_time(client: Client, stuck: Stuck) -> None:
    client.create_study(spec(SLOW))
    begin = time.monotonic()

    lease_of(client, SLOW)

    assert time.monotonic() - begin >= LIMIT_SECONDS
    assert client.trial(SLOW, 0).fallback == LATE
    assert (stuck.calls, stuck.answers) == (1, 0)


def test_a_sampler_that_hangs_is_not_waited_for_again(client: Client, stuck: Stuck) -> None:
    client.create_study(spec(SLOW))

    client.ask("worker", study=SLOW, count=4)
    lease_of(client, SLOW)

    assert [trial.fallback for trial in client.trials(SLOW)] == [LATE] * 4 + [f"{LATE} lately"]
    assert stuck.calls == 1


@pytest.mark.usefixtures("unhurried")
def test_a_sampler_that_hangs_keeps_no_call_on_another_study_from_being_served(
    client: Client, stuck: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggester, "LIMIT_SECONDS", 120.0)
    monkeypatch.setattr(suggester, "PLACE_SECONDS", 0.05)
    client.create_study(spec(SLOW, budget={"trials": 100}))
    client.create_study(spec("other"))
    with ThreadPoolExecutor(45) as executor:
        asked = [executor.submit(client.ask, f"worker-{n}", study=SLOW) for n in range(45)]
        wait_until(lambda: stuck.calls >= PLACES)

        complete(client, [0.5, 0.25], study="other")

        still_waiting = sum(not future.done() for future in asked)
        stuck.let_go.set()
        leases = [future.result().leases for future in asked]
    assert still_waiting >= PLACES
    assert all(leases)


def test_a_sampler_that_was_late_rests_and_is_then_asked_again(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    suggester = Suggester(sampler_children(), clock=clock)
    late = suggest(suggester)
    stuck.let_go.set()

    clock.now += REST_SECONDS - 1
    resting = suggest(suggester)
    clock.now += 1

    assert (late.fallback, resting.fallback) == (LATE, f"{LATE} lately")
    with monkeypatch.context() as patient:
        patient.setattr("service.sampling.suggester.LIMIT_SECONDS", 60.0)
        assert _eventually(suggester) is None


def test_a_sampler_that_never_comes_back_is_never_waited_for_again(stuck: Stuck) -> None:
    clock = Clock()
    suggester = Suggester(sampler_children(), clock=clock)
    suggest(suggester)

    clock.now += 10 * REST_SECONDS
    again = suggest(suggester)

    assert again.fallback == f"{LATE} lately"
    assert stuck.calls == 1


def test_a_timeout_that_the_sampler_itself_raises_is_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TimeoutError("of its own")

    monkeypatch.setattr(suggester, "suggest_many", fail)

    found = suggest(Suggester(sampler_children()))

    assert found.fallback == "the sampler failed: TimeoutError: of its own"


# -- the pruner -----------------------------------------------------------------------------------------


def test_a_trial_goes_on_where_the_pruner_raises_and_that_is_logged_and_counted(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    client.create_study(spec(pruner=EAGER))
    complete(client, [0.1, 0.01, 0.01])
    lease = lease_of(client)
    report(client, lease, 1, 0.05)
    monkeypatch.setattr(pruning, "judge", fail)

    verdicts = [report(client, lease, step, 0.5) for step in (2, 3)]

    known = replica.memory.known(int(lease.id))
    assert [verdict.verdict for verdict in verdicts] == [Decision.CONTINUE] * 2
    assert all(verdict.recorded for verdict in verdicts)
    assert known is not None
    assert known[0].pruner_failures == 2
    assert "study study: the pruner failed at step 3, 2 times so far; the trial goes on" in caplog.messages


def test_a_trial_goes_on_where_the_pruner_raises_before_it_is_told_of_the_others(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    client.create_study(spec(pruner={"name": "successive_halving"}))
    lease = lease_of(client)
    monkeypatch.setattr(pruning, "reached_rungs", fail)

    verdict = report(client, lease, 1, 0.5)

    known = replica.memory.known(int(lease.id))
    assert (verdict.verdict, verdict.recorded) == (Decision.CONTINUE, True)
    assert known is not None
    assert known[0].pruner_failures == 1


def test_the_verdict_of_a_pruner_that_failed_is_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    client.create_study(spec(pruner=EAGER))
    complete(client, [0.1])
    lease = lease_of(client)
    with monkeypatch.context() as patched:
        patched.setattr(pruning, "judge", fail)
        report(client, lease, 1, 0.5)

    again = report(client, lease, 1, 0.5)

    assert again.verdict is Decision.CONTINUE


def _eventually(suggester: Suggester) -> str | None:
    """Return the fallback once the thread that was late has come back."""
    wait_until(lambda: suggester._late == 0)
    return suggest(suggester).fallback
