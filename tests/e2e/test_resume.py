"""A trial that loses its worker goes on with another one where it was, and comes out as if nothing had happened."""

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
import sqlalchemy as sa
import torch
from sqlalchemy.pool import NullPool

from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, Cue, Worker, Workers, is_gone, serving, wait_for
from tests.e2e.studies import create, reached
from tests.service import record
from trimtab.client import Client
from trimtab.message import Params
from trimtab.protocol import TrialHistory
from trimtab.states import Outcome, TrialState
from workers.session import order
from workers.tasks import begin
from workers.training import checkpoints

EPOCHS = 80
SLOW: Params = {
    "epochs": EPOCHS,
    "batch_size": 1,
    "hidden_units": 16,
    "dropout": 0.3,
    "optimizer": "momentum",
    "decay": "cosine",
}
"""Some seconds: long enough to be interrupted twice."""

KILLED = Cue("workers.checkpoints", "checkpoint of step", times=3, signal=SIGKILL)
STOPPED = Cue("workers.checkpoints", "checkpoint of step", times=2, signal=SIGTERM)

CURVE = sa.text("SELECT step, intermediate_value FROM trial_intermediate_values ORDER BY step")


@dataclass(frozen=True)
class Whole:
    """The trial as it is where nobody interrupts it.

    Args:
        trial: Its history.
        curve: Its figures by step as Optuna's own table has them.
    """

    trial: TrialHistory
    curve: list[tuple[int, float]]


@pytest.fixture(scope="module")
def whole(postgres: sa.Engine, template: str, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Trained once, by a worker of its own, for all tests to compare with."""
    with ExitStack() as ending:
        database_url = ending.enter_context(fresh_database(postgres, template))
        server = ending.enter_context(serving(database_url))
        client = ending.enter_context(Client(server, TOKEN))
        create(client, fixed=SLOW)
        Workers(tmp_path_factory.mktemp("whole"), ending).start(server)
        return Whole(reached(client, TrialState.COMPLETE), curve(sa.create_engine(database_url, poolclass=NullPool)))


@pytest.fixture
def checkpoint_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workers make a checkpoint of nearly every epoch."""
    monkeypatch.setenv("TRIMTAB_CHECKPOINT_SECONDS", "0.01")


@pytest.mark.usefixtures("checkpoint_seconds")
def test_a_trial_whose_workers_are_killed_goes_on_with_the_next_bit_for_bit(
    engine: sa.Engine, server: str, client: Client, workers: Workers, whole: Whole
) -> None:
    create(client, fixed=SLOW)
    for _ in range(2):
        lose(workers.start(server, cue=KILLED), engine)
        reached(client, TrialState.WAITING)

    workers.start(server)

    trial = reached(client, TrialState.COMPLETE)
    starts, ends = zip(
        *[(first, last) for first, *_, last in (steps(trial, attempt) for attempt in (1, 2, 3))], strict=True
    )
    assert outcomes(trial) == [Outcome.LOST, Outcome.LOST, Outcome.COMPLETE]
    assert starts[0] == 1
    assert all(1 < start <= end + 1 for start, end in zip(starts[1:], ends, strict=False))
    assert starts[1] < starts[2]
    assert_same(trial, whole, engine)


@pytest.mark.usefixtures("checkpoint_seconds")
def test_a_stopped_workers_trial_goes_on_after_its_last_epoch_bit_for_bit(
    engine: sa.Engine, server: str, client: Client, workers: Workers, whole: Whole
) -> None:
    create(client, fixed=SLOW)

    stopped = workers.start(server, cue=STOPPED)
    code = stopped.wait()
    workers.start(server)

    trial = reached(client, TrialState.COMPLETE)
    assert code == 0, stopped.said()
    assert (outcomes(trial), trial.history[-1].attempt) == ([Outcome.RELEASED, Outcome.COMPLETE], 1)
    assert [report.step for report in trial.reports] == list(range(1, EPOCHS + 1))
    assert_same(trial, whole, engine)


def test_what_is_on_record_is_not_reported_again_where_its_checkpoint_cannot_be_loaded(
    engine: sa.Engine, server: str, client: Client, workers: Workers, whole: Whole, tmp_path: Path
) -> None:
    create(client, fixed=SLOW)
    (lease,) = client.ask("another", study="study").leases
    for report in whole.trial.reports[:20]:
        client.report(lease, step=report.step, metrics=report.metrics)
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"what no code of ours has written")
    client.put_checkpoint(lease, foreign, step=20, sha256=hashlib.sha256(foreign.read_bytes()).hexdigest())
    client.tell(lease, Outcome.RELEASED)

    worker = workers.start(server)
    trial = reached(client, TrialState.COMPLETE)

    assert "training from the first epoch on: the file is no checkpoint" in worker.said()
    assert [report.step for report in trial.reports] == list(range(1, EPOCHS + 1))
    assert_same(trial, whole, engine)


@pytest.mark.parametrize("kept", [2, 3])
def test_a_trial_that_was_left_between_its_last_report_and_its_tell_completes_with_its_metrics(
    client: Client, workers: Workers, server: str, tmp_path: Path, kept: int
) -> None:
    create(client, fixed={"epochs": 3})
    (lease,) = client.ask("another", study="study").leases
    ordered = order(lease, None, model_path=tmp_path)
    training = begin(
        ordered.task, ordered.params, seed=ordered.seed, purpose=ordered.purpose, files={}, device=torch.device("cpu")
    )
    for epoch in training.epochs():
        client.report(lease, step=epoch.step, metrics=epoch.metrics)
        if epoch.step == kept:
            written = checkpoints.write(training.state(), tmp_path / "kept", belongs_to=ordered.identity)
            client.put_checkpoint(lease, tmp_path / "kept", step=kept, sha256=written.sha256)
    client.tell(lease, Outcome.RELEASED)

    workers.start(server)

    trial = reached(client, TrialState.COMPLETE)
    assert (trial.step, trial.metrics) == (epoch.step, training.result.metrics)
    assert trial.values == {"validation_error": epoch.metrics["validation_error"]}
    assert [report.step for report in trial.reports] == [1, 2, 3, *range(kept + 1, 4)]


@pytest.mark.usefixtures("checkpoint_seconds")
def test_a_trial_goes_on_from_the_checkpoint_before_one_that_is_torn(
    engine: sa.Engine, database_url: str, workers: Workers, whole: Whole, tmp_path: Path
) -> None:
    artifacts = tmp_path / "artifacts"
    service = serving(database_url, artifacts=f"file://{artifacts}")
    with service as server, Client(server, TOKEN) as client:
        create(client, fixed=SLOW)
        lose(workers.start(server, cue=KILLED), engine)
        reached(client, TrialState.WAITING)
        older, newest = kept(engine)

        (torn,) = (artifacts / "checkpoints").glob(f"*-{newest}")
        torn.write_bytes(torn.read_bytes()[:-1])
        workers.start(server)

        trial = reached(client, TrialState.COMPLETE)
        assert steps(trial, attempt=2) == list(range(older + 1, EPOCHS + 1))
        assert_same(trial, whole, engine)


@pytest.mark.usefixtures("checkpoint_seconds")
def test_no_file_outlives_its_trial_nor_a_killed_worker(
    server: str, client: Client, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    create(client, fixed={**SLOW, "epochs": 100_000})
    worker = workers.start(server)
    wait_for(lambda: "checkpoint of step" in worker.said())
    in_training = [path for path in temporary.glob("trimtab-*/**/*") if path.is_file()]
    child = worker.child()

    worker.signal(SIGKILL)
    wait_for(lambda: is_gone(child))

    assert len(in_training) <= 2
    assert list(temporary.glob("trimtab-*")) == []


def lose(worker: Worker, engine: sa.Engine) -> None:
    """Wait until a worker is killed in the midst of its trial, and let its lease run out."""
    worker.wait()
    record.let_leases_run_out(engine)


def steps(trial: TrialHistory, attempt: int) -> list[int]:
    return [report.step for report in trial.reports if report.attempt == attempt]


def outcomes(trial: TrialHistory) -> list[Outcome | None]:
    return [attempt.outcome for attempt in trial.history]


def kept(engine: sa.Engine) -> list[int]:
    """Return the steps of the checkpoints that the service has."""
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT step FROM trimtab_checkpoints ORDER BY step")).scalars())


def assert_same(trial: TrialHistory, whole: Whole, engine: sa.Engine) -> None:
    """Whatever was reported at a step, in whichever attempt, is what the other trial reported; and so is the end."""
    expected = {report.step: report.metrics for report in whole.trial.reports}
    assert all(report.metrics == expected[report.step] for report in trial.reports)
    assert (trial.values, trial.metrics, trial.step) == (whole.trial.values, whole.trial.metrics, EPOCHS)
    assert curve(engine) == whole.curve
    assert [step for step, _ in whole.curve] == list(range(1, EPOCHS + 1))


def curve(engine: sa.Engine) -> list[tuple[int, float]]:
    """Return the trial's figures by step as Optuna's own table has them."""
    with engine.connect() as connection:
        return [(int(step), float(value)) for step, value in connection.execute(CURVE)]
