"""One worker that outlives whatever happens to its trials."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from signal import SIGCONT, SIGKILL, SIGSTOP

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, Worker, Workers, serving, wait_for
from tests.e2e.studies import ENDLESS, create, reached
from tests.ports import held_port
from tests.service import record
from trimtab.client import Client
from trimtab.states import Outcome, TrialState

LEASE_SECONDS = 60.0
HASTY = {"workers.session._HEARTBEATS_PER_LEASE": 120, "workers.process._DROP_SECONDS": 20}
"""A worker that is heard twice a second, and keeps a child that takes long over a batch."""

LEASED_FOR = sa.text("SELECT extract(epoch FROM renewed_at - leased_at) FROM trimtab_leases WHERE ended_at IS NULL")
SILENT_FOR = sa.text(
    "SELECT extract(epoch FROM clock_timestamp() - renewed_at) FROM trimtab_leases WHERE ended_at IS NULL"
)
HALF_A_LEASE_PASSES = sa.text("""
    UPDATE trimtab_leases SET
      leased_at = leased_at - interval '30 s',
      renewed_at = renewed_at - interval '30 s',
      expires_at = expires_at - interval '30 s'
    WHERE ended_at IS NULL
""")
STOP = sa.text("UPDATE trimtab_leases SET stop_reason = 'by hand' WHERE ended_at IS NULL")


@dataclass(frozen=True)
class Scene:
    """A worker of one slot, and a service that gives a silent worker a minute."""

    client: Client
    worker: Worker
    database: sa.Engine

    def find(self, statement: sa.TextClause) -> float:
        with self.database.begin() as connection:
            return float(connection.execute(statement).scalar_one())

    def do(self, statement: sa.TextClause) -> None:
        with self.database.begin() as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def stage(postgres: sa.Engine, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as ending:
        database_url = ending.enter_context(fresh_database(postgres, template))
        server = ending.enter_context(serving(database_url, lease_seconds=LEASE_SECONDS))
        client = ending.enter_context(Client(server, TOKEN))
        worker = Workers(tmp_path_factory.mktemp("workers"), ending).start(server, constants=HASTY)
        yield Scene(client, worker, sa.create_engine(database_url, poolclass=NullPool))


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    yield stage
    for study in stage.client.studies():
        stage.client.delete_study(study.name)
    assert stage.worker.process.is_running(), stage.worker.said()


def test_a_trial_that_diverges_fails_and_the_worker_goes_on(scene: Scene) -> None:
    create(scene.client, trials=2, fixed={"optimizer": "sgd", "learning_rate": 1e6})

    trials = [reached(scene.client, TrialState.FAIL, number) for number in range(2)]

    assert [(trial.outcome, trial.reason, trial.values) for trial in trials] == [
        (Outcome.DIVERGED, "the loss is not finite in epoch 2", {}),
        (Outcome.DIVERGED, "the loss is not finite in epoch 2", {}),
    ]


def test_a_trial_whose_child_is_killed_fails_and_the_next_has_a_new_child(scene: Scene) -> None:
    create(scene.client, trials=2, fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, reports=1)
    killed = scene.worker.child()

    killed.send_signal(SIGKILL)

    first = reached(scene.client, TrialState.FAIL)
    reached(scene.client, TrialState.RUNNING, 1, reports=1)
    assert (first.outcome, first.reason) == (Outcome.ERROR, "the training process was killed by SIGKILL")
    assert scene.worker.child() != killed


def test_a_trial_whose_child_hangs_ends_as_a_timeout_and_the_next_has_a_new_child(scene: Scene) -> None:
    create(scene.client, trials=2, fixed=ENDLESS, limits={"step_seconds": 10.0})
    reached(scene.client, TrialState.RUNNING, reports=1)
    hung = scene.worker.child()

    hung.send_signal(SIGSTOP)

    first = reached(scene.client, TrialState.FAIL)
    reached(scene.client, TrialState.RUNNING, 1, reports=1)
    assert (first.outcome, first.reason) == (Outcome.TIMEOUT, "a step took longer than 10 s (limits.step_seconds)")
    assert scene.worker.child() != hung


def test_a_trial_that_runs_out_of_memory_fails_and_the_next_has_a_new_child(scene: Scene) -> None:
    create(scene.client, "before", fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, name="before", reports=1)
    child = scene.worker.child()
    room = child.memory_info().vms + 2**30
    resource.prlimit(child.pid, resource.RLIMIT_AS, (room, room))
    scene.client.delete_study("before")

    create(scene.client, "big", fixed={"hidden_units": 32_768, "hidden_layers": 2})

    big = reached(scene.client, TrialState.FAIL, name="big")
    create(scene.client, "next", fixed={"epochs": 1})
    reached(scene.client, TrialState.COMPLETE, name="next")
    assert big.outcome is Outcome.OUT_OF_MEMORY
    assert big.reason
    assert "can't allocate memory" in big.reason
    assert scene.worker.child() != child


def test_a_trial_is_not_to_blame_for_a_child_that_died_before_it(scene: Scene) -> None:
    # Its first thread may be gone before the others: for a moment it still takes orders, and hears none.
    scene.worker.child().kill()

    create(scene.client, fixed=ENDLESS)

    trial = reached(scene.client, TrialState.RUNNING, reports=1)
    assert {attempt.outcome for attempt in trial.history} <= {Outcome.RELEASED, None}


def test_a_worker_leaves_a_deleted_study_for_the_next_with_the_same_child(scene: Scene) -> None:
    create(scene.client, "deleted", fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, name="deleted", reports=1)
    child = scene.worker.child()

    scene.client.delete_study("deleted")
    create(scene.client, "next", fixed=ENDLESS)

    reached(scene.client, TrialState.RUNNING, name="next", reports=1)
    assert scene.worker.child() == child


def test_a_worker_asks_again_where_the_service_failed(scene: Scene) -> None:
    scene.do(sa.text("ALTER TABLE trimtab_workers RENAME TO hidden"))
    create(scene.client, fixed=ENDLESS)
    wait_for(lambda: "the service has failed" in scene.worker.said())

    scene.do(sa.text("ALTER TABLE hidden RENAME TO trimtab_workers"))

    reached(scene.client, TrialState.RUNNING, reports=1)


def test_a_lease_is_kept_through_an_epoch_that_is_longer(scene: Scene) -> None:
    create(scene.client, fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, reports=1)
    scene.worker.child().send_signal(SIGSTOP)
    reported = len(scene.client.trial("study", 0).reports)

    while scene.find(LEASED_FOR) <= 2 * LEASE_SECONDS:
        scene.do(HALF_A_LEASE_PASSES)
        wait_for(lambda: scene.find(SILENT_FOR) < LEASE_SECONDS / 2)
    scene.worker.child().send_signal(SIGCONT)

    trial = reached(scene.client, TrialState.RUNNING, reports=reported + 2)
    assert len(trial.history) == 1


def test_a_trial_that_was_stopped_is_left_in_the_middle_of_an_epoch(scene: Scene) -> None:
    create(scene.client, fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, reports=1)
    scene.worker.child().send_signal(SIGSTOP)

    scene.do(STOP)

    trial = reached(scene.client, TrialState.PRUNED)
    assert (trial.outcome, trial.reason) == (Outcome.PRUNED, "by hand")


def test_a_worker_that_was_asleep_too_long_drops_its_trial_and_takes_another(scene: Scene) -> None:
    create(scene.client, trials=2, fixed=ENDLESS)
    reached(scene.client, TrialState.RUNNING, reports=1)

    scene.worker.signal(SIGSTOP)
    wait_for(lambda: scene.worker.process.status() == psutil.STATUS_STOPPED)
    record.let_leases_run_out(scene.database)
    reached(scene.client, TrialState.WAITING)
    (lease,) = scene.client.ask("another", study="study").leases
    told = scene.client.tell(lease, Outcome.COMPLETE, metrics={"validation_error": 0.5}, step=1)
    scene.worker.signal(SIGCONT)

    reached(scene.client, TrialState.RUNNING, 1, reports=1)
    trial = scene.client.trial("study", 0)
    assert (lease.trial, lease.attempt, told.state) == (0, 2, TrialState.COMPLETE)
    assert (trial.state, trial.values) == (TrialState.COMPLETE, {"validation_error": 0.5})
    assert {report.attempt for report in trial.reports} == {1}
    assert "trial 0 of study: dropped: this lease on trial 0 of 'study' ran out" in scene.worker.said()


def test_a_worker_waits_for_a_service_that_is_away(database_url: str, workers: Workers) -> None:
    with held_port() as port:
        with serving(database_url, port=port) as server, Client(server, TOKEN) as client:
            create(client, fixed=ENDLESS)
            worker = workers.start(server)
            reached(client, TrialState.RUNNING, reports=1)

        wait_for(lambda: "the service has no answer" in worker.said())

        with serving(database_url, port=port), Client(server, TOKEN) as client:
            reported = len(client.trial("study", 0).reports)
            trial = reached(client, TrialState.RUNNING, reports=reported + 1)
            assert len(trial.history) == 1
