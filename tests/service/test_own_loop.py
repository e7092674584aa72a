"""A loop that owns itself: what it is given, and what its trials become however their blocks are left."""

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import trimtab
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import EAGER, complete, lease_of
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client
from trimtab.errors import Invalid, StudyNotFound, Unreachable
from trimtab.own import held, offers
from trimtab.own.loop import LoopTrial
from trimtab.protocol import Lease, Leases
from trimtab.states import Outcome, TrialState


def train(client: Client, block: Callable[[LoopTrial], object]) -> None:
    """Run a loop over the study whose blocks are all alike."""
    for trial in trimtab.trials("study", client=client):
        with trial:
            block(trial)


def ending(error: BaseException, *, after: float | None = None) -> Callable[[LoopTrial], object]:
    """Return a block that an exception leaves, with a report before or without."""

    def block(trial: LoopTrial) -> None:
        if after is not None:
            trial.report(1, error=after)
        raise error

    return block


def states(client: Client) -> list[TrialState]:
    return [trial.state for trial in client.trials("study")]


def test_a_loop_trains_every_trial_of_a_study_and_ends_with_it(client: Client) -> None:
    client.create_study(spec(budget={"trials": 3}))

    seen = []
    for trial in trimtab.trials("study", client=client):
        with trial:
            seen.append((trial.number, trial.params, trial.seed))
            trial.report(1, error=0.9)
            trial.report(2, error=number(trial.params["x"]))

    found = list(client.trials("study"))
    assert [(each.number, each.params) for each in found] == [(place, params) for place, params, _ in seen]
    assert [(each.state, each.step) for each in found] == [(TrialState.COMPLETE, 2)] * 3
    assert [each.values for each in found] == [{METRIC: params["x"]} for _, params, _ in seen]
    assert len({seed for _, _, seed in seen}) == 3


def test_a_loop_creates_the_study_that_it_is_given(client: Client) -> None:
    for trial in trimtab.trials(spec(budget={"trials": 1}), client=client):
        with trial:
            trial.report(1, error=0.5)

    again = list(trimtab.trials(spec(budget={"trials": 1}), client=client))

    assert states(client) == [TrialState.COMPLETE]
    assert again == []


@pytest.fixture
def at_the_third_ask(client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a loop waits for a trial."""
    asked = client.ask
    asks = count(1)

    def happens(event: Callable[[], object]) -> None:
        def ask(worker: str, **told: Any) -> Leases:
            if next(asks) == 3:
                event()
            return asked(worker, **told)

        monkeypatch.setattr(client, "ask", ask)
        monkeypatch.setattr(offers, "ASK_SECONDS", 0.01)

    return happens


def test_a_loop_waits_while_others_train_the_last_trials(
    client: Client, at_the_third_ask: Callable[[Callable[[], object]], None]
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    others = lease_of(client)

    at_the_third_ask(lambda: client.tell(others, "released"))
    train(client, lambda trial: trial.report(1, error=0.5))

    assert [attempt.outcome for attempt in client.trial("study", 0).history] == [Outcome.RELEASED, Outcome.COMPLETE]


def test_a_loop_waits_while_its_study_is_paused_and_says_so_once(
    client: Client, at_the_third_ask: Callable[[Callable[[], object]], None], caplog: pytest.LogCaptureFixture
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.change_study("study", state="paused")

    at_the_third_ask(lambda: client.change_study("study", state="running"))
    train(client, lambda trial: trial.report(1, error=0.5))

    assert states(client) == [TrialState.COMPLETE]
    assert [line.message for line in caplog.records if line.name == "trimtab"] == [
        "study is paused: waiting until it runs again"
    ]


def test_a_loop_over_no_study_is_refused_where_it_is_written(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        trimtab.trials("nowhere", client=client)


def test_a_trial_can_end_with_other_figures_than_its_last_ones(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))

    for trial in trimtab.trials("study", client=client):
        with trial:
            trial.report(1, error=0.25)
            trial.report(2, error=0.5)
            trial.complete(error=0.25, parameters=10)

    (found,) = client.trials("study")
    assert (found.values, found.metrics) == ({METRIC: 0.25}, {METRIC: 0.25, "parameters": 10.0})


def test_a_report_leaves_the_block_of_a_trial_that_is_to_stop_and_the_loop_goes_on(client: Client) -> None:
    client.create_study(spec(pruner=EAGER, budget={"trials": 3}))
    complete(client, [0.1, 0.1])

    steps = []
    for trial in trimtab.trials("study", client=client):
        with trial:
            for step in (1, 2):
                steps.append((trial.number, step))
                trial.report(step, error=0.9)

    assert steps == [(1, 1), (2, 1)]
    assert states(client) == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]


def test_a_loop_may_prune_by_its_own_lights(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))

    train(client, ending(trimtab.Pruned("no use"), after=0.5))

    (found,) = client.trials("study")
    assert (found.state, found.values) == (TrialState.PRUNED, {METRIC: 0.5})
    assert client.trial("study", 0).history[0].message == "no use"


def test_an_error_fails_its_trial_and_goes_on_to_be_raised(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(ZeroDivisionError):
        train(client, ending(ZeroDivisionError("division by zero"), after=0.5))

    (found,) = client.trials("study")
    assert (found.state, found.outcome) == (TrialState.FAIL, Outcome.ERROR)
    assert found.reason == "ZeroDivisionError: division by zero"


def test_too_little_memory_is_an_outcome_of_its_own(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(MemoryError):
        train(client, ending(MemoryError()))

    assert [trial.outcome for trial in client.trials("study")] == [Outcome.OUT_OF_MEMORY]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_gives_the_trial_back(client: Client, interrupt: type[BaseException]) -> None:
    client.create_study(spec())

    with pytest.raises(interrupt):
        train(client, ending(interrupt(), after=0.5))

    assert states(client) == [TrialState.WAITING]


def test_a_figure_that_is_not_finite_is_a_trial_that_diverged(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))

    train(client, lambda trial: trial.report(1, error=float("nan")))

    assert [trial.outcome for trial in client.trials("study")] == [Outcome.DIVERGED]


def test_a_block_that_ends_without_the_objective_is_an_error_that_names_it(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(Invalid, match=METRIC):
        train(client, lambda trial: trial.report(1, loss=0.5))

    (found,) = client.trials("study")
    assert found.outcome is Outcome.ERROR
    assert METRIC in str(found.reason)


def test_a_trial_that_another_worker_has_by_now_is_dropped_and_the_loop_goes_on(
    client: Client, engine: sa.Engine, replica: Replica
) -> None:
    client.create_study(spec(budget={"trials": 1}))

    attempts = 0
    for trial in trimtab.trials("study", client=client):
        with trial:
            attempts += 1
            trial.report(1, error=0.5)
            if attempts == 1:
                record.let_leases_run_out(engine)
                sweep(replica)
            trial.report(2, error=0.25 * attempts)

    found = client.trial("study", 0)
    assert [attempt.outcome for attempt in found.history] == [Outcome.LOST, Outcome.COMPLETE]
    assert found.values == {METRIC: 0.5}


def test_a_trial_that_is_passed_over_goes_back_and_the_loop_says_how_it_is_written(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(RuntimeError, match="trial 0 was passed over: train each in the block of `with trial:`"):
        list(trimtab.trials("study", client=client))

    assert states(client) == [TrialState.WAITING]


def test_a_report_outside_the_block_says_how_the_loop_is_written(client: Client) -> None:
    client.create_study(spec())
    trials = iter(trimtab.trials("study", client=client))

    trial = next(trials)
    with pytest.raises(RuntimeError, match="trial 0 is not begun: train it in the block of `with trial:`"):
        trial.report(1, error=0.5)


def test_a_second_block_of_a_trial_says_that_it_has_one(client: Client) -> None:
    client.create_study(spec())
    trials = iter(trimtab.trials("study", client=client))
    trial = next(trials)
    with trial:
        trial.report(1, error=0.5)

    with pytest.raises(RuntimeError, match="trial 0 was begun before: it has one block of `with trial:`"):
        trial.__enter__()

    assert states(client) == [TrialState.COMPLETE]


def test_a_loop_that_is_left_before_a_trial_begins_gives_it_back(client: Client) -> None:
    client.create_study(spec())

    for _ in trimtab.trials("study", client=client):
        break

    assert states(client) == [TrialState.WAITING]


def test_a_break_in_the_block_ends_the_trial_as_it_stands_and_asks_for_no_other(client: Client) -> None:
    client.create_study(spec())

    for trial in trimtab.trials("study", client=client):
        with trial:
            trial.report(1, error=0.5)
            break

    assert states(client) == [TrialState.COMPLETE]


def test_another_attempt_goes_on_from_what_was_left(client: Client, tmp_path: Path) -> None:
    client.create_study(spec(budget={"trials": 1}))
    left, found = tmp_path / "left", tmp_path / "found"
    left.write_text("weights")

    starts = []

    def begin(trial: LoopTrial) -> None:
        starts.append(trial.resume(found))
        trial.report(3, error=0.5)
        trial.checkpoint(left)
        raise KeyboardInterrupt

    def go_on(trial: LoopTrial) -> None:
        starts.append(trial.resume(found))
        trial.report(4, error=0.25)

    with pytest.raises(KeyboardInterrupt):
        train(client, begin)
    train(client, go_on)

    assert starts == [0, 3]
    assert found.read_text() == "weights"
    assert [(trial.state, trial.step) for trial in client.trials("study")] == [(TrialState.COMPLETE, 4)]


def test_an_attempt_with_nothing_left_to_train_ends_with_what_was_reported_at_its_checkpoint(
    client: Client, tmp_path: Path
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    left = tmp_path / "left"
    left.write_text("weights")

    def begin(trial: LoopTrial) -> None:
        trial.report(1, error=0.5)
        trial.checkpoint(left)
        trial.report(2, error=0.75)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(client, begin)
    train(client, lambda trial: trial.resume(tmp_path / "found"))

    (found,) = client.trials("study")
    assert (found.state, found.values, found.step) == (TrialState.COMPLETE, {METRIC: 0.5}, 1)


def test_a_checkpoint_of_no_step_says_what_comes_first(client: Client, tmp_path: Path) -> None:
    client.create_study(spec())

    with pytest.raises(RuntimeError, match="trial 0 has no step to go on from: report one before its checkpoint"):
        train(client, lambda trial: trial.checkpoint(tmp_path / "left"))


def test_an_interrupt_does_not_wait_for_a_service_that_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.create_study(spec())
    told: list[Outcome] = []

    def tell(lease: Lease, outcome: Outcome, **_: Any) -> None:
        told.append(outcome)
        raise Unreachable("nothing answers") if len(told) == 1 else AssertionError("told again")

    monkeypatch.setattr(client, "tell", tell)
    with pytest.raises(KeyboardInterrupt):
        train(client, ending(KeyboardInterrupt()))

    assert told == [Outcome.RELEASED]
    assert "trial 0 of study: not given back, its lease runs out: nothing answers" in caplog.text


def test_a_block_is_left_without_its_heartbeat(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.create_study(spec())
    begun, answered = threading.Event(), threading.Event()

    def heartbeat(_: Lease) -> None:
        begun.set()
        answered.wait(60)
        raise Unreachable("nothing answers")

    monkeypatch.setattr(client, "heartbeat", heartbeat)
    monkeypatch.setattr(held, "HEARTBEATS_PER_LEASE", 3000)
    monkeypatch.setattr(held, "JOIN_SECONDS", 0.01)

    def interrupted(_: LoopTrial) -> None:
        begun.wait(60)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(client, interrupted)
    is_free = not answered.is_set()
    answered.set()

    assert is_free
    assert states(client) == [TrialState.WAITING]


def test_a_silent_training_keeps_its_lease(client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "HEARTBEATS_PER_LEASE", 3000)
    client.create_study(spec(budget={"trials": 1}))
    renewed = "SELECT count(*) FROM trimtab_leases WHERE renewed_at > leased_at"

    for trial in trimtab.trials("study", client=client):
        with trial:
            wait_until(lambda: record.value(engine, renewed) == 1)
            trial.report(1, error=0.5)

    assert states(client) == [TrialState.COMPLETE]
