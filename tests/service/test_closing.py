"""A study comes to its end by whatever limit of its budget is reached first."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, LeaseEnded, StepConflict
from trimtab.protocol import Lease
from trimtab.states import Decision, NoLease, StudyState, TrialState

AGO = """
    WITH first AS (UPDATE trimtab_studies SET first_leased_at = first_leased_at - make_interval(secs => :seconds))
    UPDATE trimtab_leases SET leased_at = leased_at - make_interval(secs => :seconds)
"""
STEPS = "SELECT count(*) FROM trimtab_reports"
HELD_UP = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def budget(**limits: float | None) -> dict[str, Any]:
    """Return the part of a spec that has these limits and no others."""
    return {"budget": limits}


def ended(client: Client) -> tuple[StudyState, str | None]:
    """How the study has ended, and why."""
    study = client.study("study")
    assert (study.completed_at is not None) == study.state.is_ended
    return study.state, study.reason


# -- a target -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "errors"), [("minimize", [0.5, 0.3, 0.2]), ("maximize", [0.1, 0.15, 0.2])])
def test_a_study_ends_when_its_target_is_met(client: Client, direction: str, errors: list[float]) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC, "direction": direction}], **budget(target=0.2)))

    states = []
    for error in errors:
        complete(client, [error])
        states.append(client.study("study").state)

    assert states == [StudyState.RUNNING, StudyState.RUNNING, StudyState.COMPLETE]
    assert ended(client) == (StudyState.COMPLETE, "budget.target: error is 0.2")
    assert client.ask("worker", study="study").reason is NoLease.STUDY_ENDED


def test_running_trials_are_told_to_stop_and_waiting_ones_are_pruned(client: Client) -> None:
    client.create_study(spec(**budget(target=0.2)))
    first, running, other = (lease_of(client) for _ in range(3))
    client.tell(lease_of(client), "released")
    client.enqueue("study", {"x": 0.5})

    client.tell(first, "complete", metrics={METRIC: 0.1})

    study = client.study("study")
    reason = "budget.target: error is 0.1"
    assert (study.state, study.closing, study.counts.pruned, study.counts.running) == (StudyState.RUNNING, reason, 2, 2)
    assert client.trial("study", 3).reason == reason
    assert client.ask("worker", study="study").leases == []
    verdict = report(client, running, 1, 0.5)
    assert (verdict.verdict, verdict.reason, verdict.recorded) == (Decision.STOP, reason, False)
    assert client.heartbeat(other).verdict is Decision.STOP
    client.tell(running, "released")
    assert client.study("study").state is StudyState.RUNNING
    client.tell(other, "complete", metrics={METRIC: 0.05})
    assert ended(client) == (StudyState.COMPLETE, reason)
    assert client.best_trial("study").values == {METRIC: 0.05}
    assert client.trial("study", 1).state is TrialState.PRUNED


@pytest.mark.usefixtures("nothing_ahead")
def test_waiting_trials_are_pruned_at_once_however_many_there_are(client: Client, replica: Replica) -> None:
    counts = []
    for name, waiting in {"few": 1, "many": 12}.items():
        client.create_study(spec(name, constraints=[{"metric": "size", "at_most": 1}], budget={"target": 0.2}))
        last, trained = (lease_of(client, name) for _ in range(2))
        client.report(trained, step=1, metrics={METRIC: 0.5, "size": 3})
        client.tell(trained, "released")
        for _ in range(waiting):
            client.enqueue(name, {"x": 0.5})
        with record.statements(replica.engine) as statements:
            client.tell(last, "complete", metrics={METRIC: 0.1, "size": 1})
        counts.append(len(statements))

    orders = record.value(
        replica.engine,
        "SELECT array_agg(finish_order ORDER BY number) FROM trimtab_trials JOIN studies USING (study_id) "
        "WHERE study_name = 'many'",
    )
    study, trained_on = client.study("many"), client.trial("many", 1)
    reason = "budget.target: error is 0.1"
    assert counts[0] == counts[1]
    assert orders == list(range(1, 15))
    assert (study.state, study.reason) == (StudyState.COMPLETE, reason)
    assert (study.counts.pruned, study.counts.finished) == (13, 14)
    assert (trained_on.values, trained_on.is_feasible, trained_on.step) == ({METRIC: 0.5}, False, 1)
    assert {trial.reason for trial in client.trials("many", state=TrialState.PRUNED)} == {reason}


def test_a_trial_that_was_stopped_before_its_study_ends_keeps_the_reason(client: Client) -> None:
    client.create_study(spec(**budget(target=0.2)))
    first, stopped = lease_of(client), lease_of(client)
    client.stop_trial("study", stopped.trial)

    client.tell(first, "complete", metrics={METRIC: 0.1})

    assert client.heartbeat(stopped).reason == "stopped by hand"
    client.tell(stopped, "pruned")
    assert client.trial("study", stopped.trial).reason == "stopped by hand"
    assert ended(client)[0] is StudyState.COMPLETE


@pytest.mark.parametrize(
    ("change", "is_waiting"),
    [
        ("closing = 'budget.target: error is 0.1'", False),
        ("epochs_used = epochs", False),
        ("epochs_used = epochs", True),
    ],
)
def test_a_study_that_closes_while_a_trial_is_chosen_gives_none(
    client: Client, replica: Replica, engine: sa.Engine, change: str, is_waiting: bool
) -> None:
    client.create_study(spec(**budget(epochs=10)))
    if is_waiting:
        client.tell(lease_of(client), "released")

    def close(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("EXECUTE trimtab_create") or "SET\n        state = 'RUNNING'" in statement:
            record.execute(engine, f"UPDATE trimtab_studies SET {change}")

    sa.event.listen(replica.engine, "before_cursor_execute", close)
    asked = client.ask("worker", study="study")

    assert asked.leases == []
    assert client.study("study").counts.running == 0


def test_a_trial_that_was_told_to_stop_and_is_lost_ends_with_its_study(client: Client, replica: Replica) -> None:
    client.create_study(spec(**budget(target=0.2)))
    first, _ = lease_of(client), lease_of(client)
    client.tell(first, "complete", metrics={METRIC: 0.1})

    record.let_leases_run_out(replica.engine)
    sweep(replica)

    assert ended(client)[0] is StudyState.COMPLETE
    assert client.trial("study", 1).state is TrialState.PRUNED


def test_no_trial_is_enqueued_in_a_study_that_comes_to_its_end(client: Client) -> None:
    client.create_study(spec(**budget(target=0.2)))
    first, _ = lease_of(client), lease_of(client)
    client.tell(first, "complete", metrics={METRIC: 0.1})

    with pytest.raises(Conflict, match=r"comes to its end: budget.target: error is 0.1; a larger budget lets it go on"):
        client.enqueue("study", {"x": 0.5})


def test_a_trial_that_is_not_feasible_meets_no_target(client: Client) -> None:
    client.create_study(spec(constraints=[{"metric": "size", "at_most": 1}], **budget(target=0.2)))

    client.tell(lease_of(client), "complete", metrics={METRIC: 0.1, "size": 2})
    assert client.study("study").state is StudyState.RUNNING
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.15, "size": 1})

    assert ended(client) == (StudyState.COMPLETE, "budget.target: error is 0.15")


def test_an_added_trial_may_meet_the_target(client: Client) -> None:
    client.create_study(spec(**budget(target=0.2)))
    running = lease_of(client)

    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.1})

    assert client.heartbeat(running).verdict is Decision.STOP
    client.tell(running, "pruned")
    assert ended(client)[0] is StudyState.COMPLETE


def test_a_study_that_starts_with_its_target_met_is_complete(client: Client) -> None:
    client.create_study(spec("other"))
    complete(client, [0.1], "other")

    created = client.create_study(spec(warm_start={"study": "other"}, **budget(target=0.2)))

    assert (created.state, created.reason, created.added) == (StudyState.COMPLETE, "budget.target: error is 0.1", 1)


# -- patience -------------------------------------------------------------------------------------------


def test_a_study_ends_when_so_many_trials_brought_nothing_better(client: Client) -> None:
    client.create_study(spec(**budget(patience=3)))
    for outcome in ("error", "pruned", "error", "pruned"):
        client.tell(lease_of(client), outcome)
    for error in (0.5, 0.75, 0.75, 0.25, 0.5):
        complete(client, [error])
    client.tell(lease_of(client), "error")
    assert ended(client) == (StudyState.RUNNING, None)

    complete(client, [0.25])

    assert ended(client) == (StudyState.COMPLETE, "budget.patience: 3 trials ended without a better one")


def test_added_trials_try_nobodys_patience(client: Client) -> None:
    client.create_study(spec(**budget(patience=2)))
    complete(client, [0.5])
    for _ in range(3):
        client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.75})
    complete(client, [0.75])
    assert client.study("study").state is StudyState.RUNNING

    complete(client, [0.75])

    assert client.study("study").state is StudyState.COMPLETE


# -- epochs ---------------------------------------------------------------------------------------------


def test_the_steps_on_record_never_exceed_the_epochs(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(**budget(epochs=5)))
    leases = [lease_of(client) for _ in range(2)]

    verdicts = [report(client, lease, step, 0.5) for step in range(1, 5) for lease in leases]

    assert [verdict.recorded for verdict in verdicts] == [True] * 5 + [False] * 3
    assert {verdict.reason for verdict in verdicts[5:]} == {"budget.epochs: 5 were reported"}
    assert {verdict.verdict for verdict in verdicts[5:]} == {Decision.STOP}
    assert record.value(engine, STEPS) == 5
    assert client.ask("worker", study="study").leases == []
    for lease in leases:
        client.tell(lease, "pruned")
    assert ended(client) == (StudyState.COMPLETE, "budget.epochs: 5 were reported")
    assert client.study("study").used.epochs == 5


@pytest.mark.usefixtures("unhurried")
def test_epochs_are_exact_however_many_report_at_once(start_replica: Serve, engine: sa.Engine) -> None:
    clients = [start_replica().client for _ in range(2)]
    clients[0].create_study(spec(**budget(epochs=50)))
    leases = clients[0].ask("worker", study="study", count=12).leases

    def train(lease: Lease) -> int:
        for step in range(1, 100):
            if not report(clients[lease.trial % 2], lease, step, 0.5).recorded:
                return step - 1
        raise AssertionError

    with ThreadPoolExecutor(12) as executor:
        recorded = sum(executor.map(train, leases))

    assert recorded == record.value(engine, STEPS) == 50


@pytest.mark.usefixtures("unhurried")
def test_of_two_reports_that_wait_for_the_last_epoch_one_is_recorded(
    client: Client, engine: sa.Engine, replica: Replica
) -> None:
    client.create_study(spec(**budget(epochs=3)))
    leases = [lease_of(client) for _ in range(2)]
    for lease in leases:
        report(client, lease, 1, 0.5)

    with ThreadPoolExecutor(2) as executor, engine.connect() as holder:
        holder.execute(sa.text("SELECT FROM trimtab_studies FOR UPDATE"))
        reports = [executor.submit(report, client, lease, 2, 0.5) for lease in leases]
        wait_until(lambda: record.value(replica.engine, HELD_UP) == 2)
        holder.rollback()
        verdicts = [each.result() for each in reports]

    assert sorted(verdict.recorded for verdict in verdicts) == [False, True]
    assert record.value(engine, STEPS) == 3
    assert client.study("study").used.epochs == 3


def test_a_report_that_is_sent_twice_is_one_epoch(client: Client) -> None:
    client.create_study(spec(**budget(epochs=2)))
    lease = lease_of(client)

    verdicts = [report(client, lease, 1, 0.5) for _ in range(3)]
    with pytest.raises(StepConflict):
        report(client, lease, 1, 0.25)

    assert all(verdict.recorded for verdict in verdicts)
    assert client.study("study").used.epochs == 1
    assert report(client, lease, 2, 0.5).recorded
    assert not report(client, lease, 3, 0.5).recorded
    assert report(client, lease, 2, 0.5).recorded


def test_a_report_that_is_refused_is_no_epoch(client: Client) -> None:
    client.create_study(spec(**budget(epochs=2)))
    lost = lease_of(client)
    client.tell(lost, "released")

    with pytest.raises(LeaseEnded):
        report(client, lost, 1, 0.5)

    assert client.study("study").used.epochs == 0


def test_epochs_that_a_later_attempt_repeats_are_used_too(client: Client) -> None:
    client.create_study(spec(**budget(epochs=3)))
    lost = lease_of(client)
    report(client, lost, 1, 0.5)
    client.tell(lost, "released")

    report(client, lease_of(client), 1, 0.5)

    assert client.study("study").used.epochs == 2


def test_a_study_whose_epochs_are_used_up_hands_out_nothing_and_takes_nothing(client: Client) -> None:
    client.create_study(spec(**budget(epochs=1)))
    lease, waiting = lease_of(client), lease_of(client)
    client.tell(waiting, "released")

    report(client, lease, 1, 0.5)

    assert client.study("study").closing is None
    assert client.ask("worker", study="study").leases == []
    with pytest.raises(Conflict, match="all 1 epochs of the budget are reported; a larger budget makes room"):
        client.enqueue("study", {"x": 0.5})
    client.change_study("study", budget={"epochs": 2})
    assert lease_of(client).trial == waiting.trial


def test_the_sweep_ends_a_study_whose_epochs_are_used_up(client: Client, replica: Replica) -> None:
    client.create_study(spec(**budget(epochs=1)))
    lease = lease_of(client)
    report(client, lease, 1, 0.5)

    sweep(replica)

    assert client.heartbeat(lease).verdict is Decision.STOP


def test_epochs_are_limited_while_a_study_runs_and_those_before_count(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec())
    leases = [lease_of(client) for _ in range(2)]
    for lease in leases:
        report(client, lease, 1, 0.5)

    changed = client.change_study("study", budget={"epochs": 3})

    assert (changed.spec.budget.epochs, changed.spec.budget.trials, changed.used.epochs) == (3, 10, 2)
    assert [report(client, lease, 2, 0.5).recorded for lease in leases] == [True, False]
    assert record.value(engine, STEPS) == 3


@pytest.mark.usefixtures("unhurried")
def test_epochs_are_exact_when_they_are_limited_while_many_report(start_replica: Serve, engine: sa.Engine) -> None:
    clients = [start_replica().client for _ in range(2)]
    clients[0].create_study(spec())
    leases = clients[0].ask("worker", study="study", count=8).leases

    def train(lease: Lease) -> None:
        for step in range(1, 200):
            if not report(clients[lease.trial % 2], lease, step, 0.5).recorded:
                return

    with ThreadPoolExecutor(9) as executor:
        training = [executor.submit(train, lease) for lease in leases]
        changed = executor.submit(clients[1].change_study, "study", budget={"epochs": 400}).result()
        for each in training:
            each.result()

    assert changed.spec.budget.epochs == record.value(engine, STEPS) == 400


# -- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("seconds", "budget.seconds: the first lease was 60 s ago"),
        ("device_seconds", "budget.device_seconds: all leases together had 60 s"),
    ],
)
def test_a_study_ends_when_its_time_is_up(client: Client, replica: Replica, limit: str, reason: str) -> None:
    client.create_study(spec(**budget(**{limit: 60})))
    lease = lease_of(client)
    sweep(replica)
    assert client.heartbeat(lease).verdict is Decision.CONTINUE
    record.execute(replica.engine, AGO, seconds=61.0)
    assert client.ask("worker", study="study").leases == []

    sweep(replica)

    verdict = client.heartbeat(lease)
    assert (verdict.verdict, verdict.reason) == (Decision.STOP, reason)
    client.tell(lease, "pruned")
    assert ended(client) == (StudyState.COMPLETE, reason)


def test_a_study_without_a_running_trial_ends_at_once_when_its_time_is_up(client: Client, replica: Replica) -> None:
    client.create_study(spec(**budget(seconds=60)))
    client.tell(lease_of(client), "released")
    record.execute(replica.engine, AGO, seconds=61.0)

    sweep(replica)

    assert ended(client)[0] is StudyState.COMPLETE
    assert client.study("study").counts.pruned == 1


def test_a_trial_that_waits_is_not_handed_out_when_the_time_is_up(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(**budget(seconds=60)))
    client.tell(lease_of(client), "released")
    record.execute(engine, AGO, seconds=61.0)

    asked = client.ask("worker", study="study")

    assert asked.leases == []
    assert client.study("study").counts.waiting == 1


def test_time_begins_with_the_first_lease(client: Client, replica: Replica) -> None:
    created = client.create_study(spec(**budget(seconds=60)))
    record.execute(replica.engine, AGO, seconds=61.0)

    sweep(replica)

    assert (created.used.seconds, ended(client)) == (None, (StudyState.RUNNING, None))
    client.enqueue("study", {"x": 0.5})
    lease_of(client)
    assert client.study("study").used.seconds is not None


def test_device_seconds_are_those_of_all_leases(client: Client, replica: Replica) -> None:
    client.create_study(spec(**budget(device_seconds=15_000)))
    first, second = lease_of(client), lease_of(client)
    record.execute(replica.engine, AGO, seconds=6000.0)
    client.tell(first, "released")

    study = client.study("study")
    again = lease_of(client)

    assert 12_000 <= study.used.device_seconds < 13_000
    record.execute(replica.engine, AGO, seconds=3000.0)
    sweep(replica)
    assert [client.heartbeat(lease).verdict for lease in (second, again)] == [Decision.STOP] * 2


def test_a_paused_study_ends_when_its_time_is_up(client: Client, replica: Replica) -> None:
    client.create_study(spec(**budget(seconds=60)))
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.5})
    client.change_study("study", state="paused")
    record.execute(replica.engine, AGO, seconds=61.0)

    sweep(replica)

    assert ended(client)[0] is StudyState.COMPLETE


def test_a_study_that_was_stopped_by_hand_stays_so_when_its_epochs_are_used_up(client: Client) -> None:
    client.create_study(spec(**budget(epochs=1)))
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    client.change_study("study", state="stopped")

    verdict = report(client, lease, 2, 0.5)

    assert (verdict.verdict, verdict.recorded) == (Decision.STOP, False)
    client.tell(lease, "pruned")
    assert ended(client) == (StudyState.STOPPED, "stopped by hand")
    assert client.change_study("study", state="running").state is StudyState.COMPLETE


# -- whichever comes first ------------------------------------------------------------------------------


def test_whichever_limit_comes_first_ends_a_study(client: Client) -> None:
    for name, limits in {"one": {"trials": 2, "epochs": 100}, "two": {"trials": 100, "epochs": 2}}.items():
        client.create_study(spec(name, **budget(**limits, target=0.0, patience=50)))

    for name in ("one", "two"):
        while client.study(name).state is StudyState.RUNNING:
            complete(client, [0.5], name)

    assert client.study("one").used.trials == client.study("two").used.epochs == 2
    assert [client.study(name).reason for name in ("one", "two")] == [None, "budget.epochs: 2 were reported"]


def test_a_study_without_a_budget_has_a_hundred_trials(client: Client, http: httpx2.Client) -> None:
    plain = {field: value for field, value in body().items() if field != "budget"}

    budgets = [
        http.post("/v1/studies", json={**plain, "name": name, **more}).json()["spec"]["budget"]["trials"]
        for name, more in {"a": {}, "b": {"budget": {}}, "c": budget(seconds=60), "d": budget(trials=None)}.items()
    ]

    assert budgets == [100, 100, None, None]


# -- changed while it runs ------------------------------------------------------------------------------


def test_a_lower_limit_ends_a_study_that_runs(client: Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    lease = lease_of(client)

    changed = client.change_study("study", budget={"target": 0.6})

    assert changed.closing == "budget.target: error is 0.5"
    assert client.heartbeat(lease).verdict is Decision.STOP
    client.tell(lease, "pruned")
    assert client.study("study").state is StudyState.COMPLETE


def test_a_larger_limit_lets_a_study_go_on_that_comes_to_its_end(client: Client) -> None:
    client.create_study(spec(**budget(target=0.6)))
    first, lease = lease_of(client), lease_of(client)
    client.tell(first, "complete", metrics={METRIC: 0.5})

    changed = client.change_study("study", budget={"target": 0.1})

    assert (changed.state, changed.closing) == (StudyState.RUNNING, None)
    assert client.heartbeat(lease).verdict is Decision.STOP
    assert lease_of(client).trial == 2


@pytest.mark.parametrize("change", [{"target": 0.1}, {"target": None, "trials": 5}])
def test_a_larger_limit_reopens_a_study_that_is_complete(client: Client, change: dict[str, float | None]) -> None:
    client.create_study(spec(**budget(target=0.6)))
    complete(client, [0.5])

    changed = client.change_study("study", budget=change)

    assert (changed.state, changed.reason, changed.completed_at) == (StudyState.RUNNING, None, None)
    assert complete(client, [0.25]).trial == 1


def test_a_study_stays_complete_while_another_limit_forbids_it_to_go_on(client: Client) -> None:
    client.create_study(spec(**budget(target=0.6, trials=1)))
    complete(client, [0.5])

    for change in ({"trials": 5}, {"target": 0.1, "trials": 1}):
        assert client.change_study("study", budget=change).state is StudyState.COMPLETE

    assert client.change_study("study", budget={"trials": 2}).state is StudyState.RUNNING


def test_a_complete_study_says_why_it_is_not_resumed(client: Client) -> None:
    client.create_study(spec(**budget(target=0.6)))
    complete(client, [0.5])

    with pytest.raises(Conflict, match=r"complete: budget.target: error is 0.5; a larger budget reopens it"):
        client.change_study("study", state="running")


def test_limits_that_are_not_given_stay_and_null_takes_one_away(client: Client) -> None:
    client.create_study(spec(**budget(trials=5, seconds=60, target=0.1)))

    changed = client.change_study("study", budget={"seconds": None, "patience": 3}).spec.budget

    assert changed.model_dump(exclude_none=True) == {"trials": 5, "target": 0.1, "patience": 3}


@pytest.mark.parametrize(
    ("limits", "field", "text"),
    [
        ({"trials": 1}, "budget.trials", "is too small: 2 trials exist already"),
        ({"epochs": 2}, "budget.epochs", "is too small: 3 epochs were reported already"),
    ],
)
def test_a_budget_is_not_taken_back(client: Client, limits: dict[str, float], field: str, text: str) -> None:
    client.create_study(spec())
    complete(client, [0.5, 0.5])
    complete(client, [0.5])

    with pytest.raises(Invalid) as refused:
        client.change_study("study", budget=limits)

    assert [(error.field, error.message) for error in refused.value.errors] == [(field, text)]
    assert client.study("study").spec.budget.trials == 10


# -- what cannot be, and what may never end -------------------------------------------------------------


@pytest.mark.parametrize("limit", ["target", "patience"])
def test_several_objectives_have_no_better_one(client: Client, http: httpx2.Client, limit: str) -> None:
    several: dict[str, Any] = {"objectives": [{"metric": "error"}, {"metric": "size"}]}
    text = "needs one objective: of several, none says alone which trial is better"

    answer = http.post("/v1/studies", json=body(**several, **budget(**{limit: 1})))

    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": f"budget.{limit}", "message": text}])
    client.create_study(spec(**several))
    with pytest.raises(Invalid, match=text):
        client.change_study("study", budget={limit: 1})


@pytest.mark.parametrize(
    ("limits", "warning"),
    [
        ({"trials": None}, "the budget has no limit: nothing ends this study but you"),
        ({"target": 0.1}, "only its target can end this study, and that may never come"),
        ({"patience": 5}, "only its patience can end this study, and that may never come"),
        ({"epochs": 5}, "only its epochs can end this study, and that may never come"),
        ({"seconds": 60, "target": 0.1}, None),
    ],
)
def test_a_study_that_may_never_end_says_so(client: Client, limits: dict[str, Any], warning: str | None) -> None:
    created = client.create_study(spec(**budget(**limits)))

    assert created.warnings == client.study("study").warnings
    assert [text.split(";")[0] for text in created.warnings] == ([warning] if warning else [])
