"""A trial that loses its worker goes on with another one where it was, and comes out as if nothing had happened."""

import hashlib
from pathlib import Path
from signal import SIGKILL, SIGTERM

import psutil
import pytest
import sqlalchemy as sa
import torch
from sqlalchemy.pool import NullPool

from tests.e2e.running import TOKEN, Worker, Workers, serving, wait_for
from tests.e2e.studies import create, reached
from tests.training.runs import run
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
"""Some seconds: long enough to be interrupted twice, however busy the machine is."""

CURVE = sa.text(
    "SELECT step, intermediate_value FROM trial_intermediate_values JOIN trials USING (trial_id) "
    "JOIN studies USING (study_id) WHERE study_name = :study ORDER BY step"
)


@pytest.fixture
def checkpoint_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workers make a checkpoint of nearly every epoch."""
    monkeypatch.setenv("TRIMTAB_CHECKPOINT_SECONDS", "0.01")


@pytest.fixture
def lease_seconds() -> float:
    return 2.0


@pytest.mark.usefixtures("checkpoint_seconds")
def test_a_trial_whose_workers_are_killed_goes_on_with_the_next_bit_for_bit(
    database_url: str, server: str, client: Client, workers: Workers
) -> None:
    create(client, fixed=SLOW)
    for _ in range(2):
        kill_after_checkpoints(workers.start(server))
        reached(client, TrialState.WAITING)

    workers.start(server)

    trial, whole = completed(client)
    starts, ends = zip(
        *[(first, last) for first, *_, last in (steps(trial, attempt) for attempt in (1, 2, 3))], strict=True
    )
    assert outcomes(trial) == [Outcome.LOST, Outcome.LOST, Outcome.COMPLETE]
    assert starts[0] == 1
    assert all(1 < start <= end + 1 for start, end in zip(starts[1:], ends, strict=False))
    assert starts[1] < starts[2]
    assert_same(trial, whole, database_url)


def test_a_stopped_workers_trial_goes_on_after_its_last_epoch_bit_for_bit(
    database_url: str, server: str, client: Client, workers: Workers
) -> None:
    create(client, fixed=SLOW)
    stopped = workers.start(server)
    reached(client, TrialState.RUNNING, reports=5)

    stopped.signal(SIGTERM)
    code = stopped.wait()
    workers.start(server)

    trial, whole = completed(client)

    assert code == 0, stopped.said()
    assert (outcomes(trial), trial.history[-1].attempt) == ([Outcome.RELEASED, Outcome.COMPLETE], 1)
    assert [report.step for report in trial.reports] == list(range(1, EPOCHS + 1))
    assert_same(trial, whole, database_url)


def test_what_is_on_record_is_not_reported_again_where_its_checkpoint_cannot_be_loaded(
    database_url: str, server: str, client: Client, workers: Workers, tmp_path: Path
) -> None:
    create(client, "whole", fixed=SLOW)
    before = workers.start(server)
    whole = reached(client, TrialState.COMPLETE, name="whole")
    before.signal(SIGTERM)
    assert before.wait() == 0, before.said()
    create(client, fixed=SLOW)
    (lease,) = client.ask("another", study="study").leases
    for report in whole.reports[:20]:
        client.report(lease, step=report.step, metrics=report.metrics)
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"what no code of ours has written")
    client.put_checkpoint(lease, foreign, step=20, sha256=hashlib.sha256(foreign.read_bytes()).hexdigest())
    client.tell(lease, Outcome.RELEASED)

    worker = workers.start(server)
    trial = reached(client, TrialState.COMPLETE)

    assert "training from the first epoch on: the file is no checkpoint" in worker.said()
    assert [report.step for report in trial.reports] == list(range(1, EPOCHS + 1))
    assert_same(trial, whole, database_url)


@pytest.mark.parametrize("kept", [2, 3])
def test_a_trial_that_was_left_between_its_last_report_and_its_tell_completes_with_its_metrics(
    client: Client, workers: Workers, server: str, tmp_path: Path, kept: int
) -> None:
    create(client, fixed={"epochs": 3})
    list(run({"epochs": 1}).epochs())  # The first training of a process takes longer than a lease on a busy machine.
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
    database_url: str, workers: Workers, tmp_path: Path
) -> None:
    artifacts = tmp_path / "artifacts"
    service = serving(database_url, lease_seconds=2.0, artifacts=f"file://{artifacts}")
    with service as server, Client(server, TOKEN) as client:
        create(client, fixed=SLOW)
        kill_after_checkpoints(workers.start(server))
        reached(client, TrialState.WAITING)
        older, newest = kept(database_url)

        (torn,) = (artifacts / "checkpoints").glob(f"*-{newest}")
        torn.write_bytes(torn.read_bytes()[:-1])
        workers.start(server)

        trial, whole = completed(client)
        assert steps(trial, attempt=2) == list(range(older + 1, EPOCHS + 1))
        assert_same(trial, whole, database_url)


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
    psutil.wait_procs([child], timeout=5)

    assert len(in_training) <= 2
    assert list(temporary.glob("trimtab-*")) == []


def kill_after_checkpoints(worker: Worker) -> None:
    wait_for(lambda: worker.said().count("checkpoint of step") >= 3)
    worker.signal(SIGKILL)


def completed(client: Client) -> tuple[TrialHistory, TrialHistory]:
    """Return the trial when it is complete, and the same one of another study, which nobody interrupts."""
    trial = reached(client, TrialState.COMPLETE)
    create(client, "whole", fixed=SLOW)
    return trial, reached(client, TrialState.COMPLETE, name="whole")


def steps(trial: TrialHistory, attempt: int) -> list[int]:
    return [report.step for report in trial.reports if report.attempt == attempt]


def outcomes(trial: TrialHistory) -> list[Outcome | None]:
    return [attempt.outcome for attempt in trial.history]


def kept(database_url: str) -> list[int]:
    """Return the steps of the checkpoints that the service has."""
    engine = sa.create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT step FROM trimtab_checkpoints ORDER BY step")).scalars())


def assert_same(trial: TrialHistory, whole: TrialHistory, database_url: str) -> None:
    """Whatever was reported at a step, in whichever attempt, is what the other trial reported; and so is the end."""
    expected = {report.step: report.metrics for report in whole.reports}
    assert all(report.metrics == expected[report.step] for report in trial.reports)
    assert (trial.values, trial.metrics, trial.step) == (whole.values, whole.metrics, EPOCHS)
    assert curve(database_url, "study") == curve(database_url, "whole")
    assert [step for step, _ in curve(database_url, "study")] == list(range(1, EPOCHS + 1))


def curve(database_url: str, study: str) -> list[tuple[int, float]]:
    """Return the trial's figures by step as Optuna's own table has them."""
    engine = sa.create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        return [(int(step), float(value)) for step, value in connection.execute(CURVE, {"study": study})]
