"""A lease in the hands of a worker whose child trains, while the service takes its time over a checkpoint."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from signal import SIGKILL
from typing import Any

import psutil
import pytest

from tests.e2e.running import wait_for
from tests.e2e.studies import LONG_EPOCH
from tests.training.runs import CPU
from tests.unit.samples import GO_ON, LEASE, TOLD
from tests.unit.stub import TOKEN, Answer, Asked, Stub, refused, said, serving
from trimtab.budget import Limits
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import BodyTooLarge
from trimtab.finals import ModelFile
from trimtab.message import Params
from trimtab.protocol import Checkpoint, Lease
from trimtab.spec import TaskSpec
from trimtab.states import Outcome, Purpose
from workers.checkpoints import Checkpoints
from workers.datasets import Datasets
from workers.drain import Drain
from workers.messages import Ended, WrittenModel
from workers.process import ChildProcess
from workers.session import MACHINE_PAUSE_SECONDS, Session
from workers.training.data import prepare

pytestmark = pytest.mark.usefixtures("no_hurry")

FOREIGN = "no checkpoint or data set of ours"
KEPT = Checkpoint(step=1, sha256=sha256(FOREIGN.encode()).hexdigest(), size=len(FOREIGN))


def lease_of(limits: Limits, fixed: Params) -> Lease:
    task = TaskSpec(name="mlp", fixed=fixed)
    return LEASE.model_copy(update={"expires_in": 0.3, "task": task, "limits": limits})


ENDLESS = lease_of(Limits(), {"epochs": 100_000})
FINAL = lease_of(Limits(), {"epochs": 1}).model_copy(update={"purpose": Purpose.FINAL})


class Service:
    """Has everybody go on, and leaves checkpoints and data sets on their way for as long as it is told to.

    Args:
        stub: Gives its answers.
        client: Of it.
    """

    def __init__(self, stub: Stub, client: Client) -> None:
        self.client = client
        self.told: list[Any] = []
        self.reported: list[int] = []
        self.kept: list[int] = []
        self.answer_to_model = said(ModelFile(sha256=KEPT.sha256, size=KEPT.size))
        self.on_its_way = threading.Event()
        self.may_arrive = threading.Event()
        self.heard_meanwhile = {verb: threading.Semaphore(0) for verb in ("heartbeat", "reports", "result")}
        stub.answering = self._answer

    def _answer(self, asked: Asked) -> Answer:
        verb = asked.path.rpartition("/")[2]
        if verb in {"checkpoint", "content", "model"}:
            return self._file(asked)
        if self.on_its_way.is_set() and verb in self.heard_meanwhile:
            self.heard_meanwhile[verb].release()
        if verb == "result":
            self.told.append(asked.body)
            return said(TOLD)
        if verb == "reports":
            self.reported.append(asked.body["step"])
        return said(GO_ON)

    def _file(self, asked: Asked) -> Answer:
        self.on_its_way.set()
        self.may_arrive.wait(120)
        if asked.method == "GET":
            return Answer(200, FOREIGN, {"Trimtab-Step": str(KEPT.step), "Trimtab-SHA256": KEPT.sha256})
        if asked.path.endswith("model"):
            return self.answer_to_model
        self.kept.append(int(asked.query["step"]))
        return said(KEPT)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as stub, Client(stub.url, TOKEN, timeout=120) as client:
        service = Service(stub, client)
        yield service
        service.may_arrive.set()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    with ChildProcess("cpu", slot=0, folder=tmp_path, environment=os.environ) as child:
        child.wait_ready()
        yield child


@contextmanager
def in_training(
    service: Service, child: ChildProcess, folder: Path, *, every: float, lease: Lease = ENDLESS
) -> Iterator[Drain]:
    """Have a trial trained; at the end of the block the worker is told to stop, and has let go of the trial."""
    drain = Drain()
    checkpoints = Checkpoints(service.client, lease, folder, every=every)
    datasets = Datasets(service.client, folder / "datasets")
    session = Session(service.client, lease, child, drain, checkpoints=checkpoints, datasets=datasets)
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        yield drain
    finally:
        drain.begin()
        thread.join(120)
    assert not thread.is_alive()


def test_training_goes_on_while_a_checkpoint_is_on_its_way(
    service: Service, child: ChildProcess, tmp_path: Path
) -> None:
    with in_training(service, child, tmp_path, every=1e-9):
        assert service.on_its_way.wait(60)

        assert all(service.heard_meanwhile["reports"].acquire(timeout=60) for _ in range(5))

        assert service.kept == []
        service.may_arrive.set()


def test_the_lease_is_kept_while_its_checkpoint_is_fetched_and_what_is_on_record_is_not_reported_again(
    service: Service, child: ChildProcess, tmp_path: Path
) -> None:
    resumed = ENDLESS.model_copy(update={"checkpoint": KEPT})

    with in_training(service, child, tmp_path, every=1000, lease=resumed):
        assert all(service.heard_meanwhile["heartbeat"].acquire(timeout=60) for _ in range(3))
        assert service.reported == []
        service.may_arrive.set()
        assert service.heard_meanwhile["reports"].acquire(timeout=60)

    assert service.reported[0] == KEPT.step + 1


def test_a_worker_told_to_stop_sends_the_state_after_its_last_report_and_gives_the_trial_back(
    service: Service, child: ChildProcess, tmp_path: Path
) -> None:
    service.may_arrive.set()

    with in_training(service, child, tmp_path, every=1000) as drain:
        wait_for(lambda: service.reported)
        drain.begin()

    assert service.kept == service.reported[-1:]
    assert [told["outcome"] for told in service.told] == ["released"]
    assert service.told[0]["split"] == prepare(DataSpec(), device=CPU).split_hash


def test_a_checkpoint_that_outlasts_the_drain_is_left_behind(
    service: Service, child: ChildProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_training(service, child, tmp_path, every=1000) as drain:
        wait_for(lambda: service.reported)
        drain.begin()
        assert service.on_its_way.wait(60)
        monkeypatch.setattr("workers.drain.DRAIN_SECONDS", 0.5)

    assert service.kept == []
    assert [told["outcome"] for told in service.told] == ["released"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(step_seconds=0.5), "a step took longer than 0.5 s (limits.step_seconds)"),
        (Limits(trial_seconds=0.5), "the attempt took longer than 0.5 s (limits.trial_seconds)"),
    ],
)
def test_a_child_that_is_in_an_epoch_past_a_limit_is_killed(
    service: Service, child: ChildProcess, tmp_path: Path, limits: Limits, message: str
) -> None:
    process = psutil.Process(child._process.pid)

    with in_training(service, child, tmp_path, every=1000, lease=lease_of(limits, LONG_EPOCH)):
        wait_for(lambda: service.told)

    assert [(told["outcome"], told["message"]) for told in service.told] == [("timeout", message)]
    assert service.reported == []
    assert process.wait(60) == -SIGKILL
    assert not child.is_idle


def test_a_child_that_is_past_the_limit_of_its_trial_between_epochs_is_kept(
    service: Service, child: ChildProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.session._LOOK_SECONDS", 60.0)  # Each epoch is over before anybody looks.
    lease = lease_of(Limits(trial_seconds=0.5), {"epochs": 100_000, "batch_size": 4})
    rarely_looked_at = lease.model_copy(update={"expires_in": 300.0})

    with in_training(service, child, tmp_path, every=1000, lease=rarely_looked_at):
        wait_for(lambda: service.told)

    assert [told["outcome"] for told in service.told] == ["timeout"]
    assert service.told[0]["message"] == "the attempt took longer than 0.5 s (limits.trial_seconds)"
    assert service.reported
    assert child.is_idle


def test_the_lease_is_kept_while_its_data_set_is_fetched_and_what_is_none_is_said_of_the_trial(
    service: Service, child: ChildProcess, tmp_path: Path
) -> None:
    task = TaskSpec(name="mlp", data=DataSpec(dataset="ours", contents={"ours": KEPT.sha256}))

    with in_training(service, child, tmp_path, every=1000, lease=ENDLESS.model_copy(update={"task": task})):
        assert all(service.heard_meanwhile["heartbeat"].acquire(timeout=60) for _ in range(3))
        service.may_arrive.set()
        assert service.heard_meanwhile["result"].acquire(timeout=60)

    assert service.told[0]["outcome"] == "error"
    assert service.told[0]["message"].startswith("DatasetUnusable: the data set cannot be read: File is not a zip file")


class Hasty(Drain):
    """Does not wait, and says how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


class Untouched:
    """A child that is told nothing."""

    is_idle = True

    def drop(self) -> None:
        pass


def test_a_trial_whose_data_this_machine_cannot_keep_is_another_workers_first(service: Service, tmp_path: Path) -> None:
    task = TaskSpec(name="mlp", data=DataSpec(dataset="ours", contents={"ours": KEPT.sha256}))
    lease = ENDLESS.model_copy(update={"task": task, "expires_in": 30.0})
    (tmp_path / "file").touch()
    datasets = Datasets(service.client, tmp_path / "file" / "datasets")
    checkpoints, drain = Checkpoints(service.client, lease, tmp_path, every=1000), Hasty()
    child: Any = Untouched()

    Session(service.client, lease, child, drain, checkpoints=checkpoints, datasets=datasets).run()

    assert service.told[0]["outcome"] == "released"
    assert "cannot be kept on this machine" in service.told[0]["message"]
    assert drain.waited == [MACHINE_PAUSE_SECONDS]


def test_a_final_model_is_sent_before_it_is_told_and_its_lease_is_kept_meanwhile(
    service: Service, child: ChildProcess, tmp_path: Path
) -> None:
    with in_training(service, child, tmp_path, every=1000, lease=FINAL):
        assert service.on_its_way.wait(60)
        assert all(service.heard_meanwhile["heartbeat"].acquire(timeout=60) for _ in range(3))
        assert service.told == []
        service.may_arrive.set()
        assert service.heard_meanwhile["result"].acquire(timeout=60)

    assert service.told[0]["outcome"] == "complete"
    assert "test_error" in service.told[0]["metrics"]
    assert service.told[0]["split"] == prepare(DataSpec(), device=CPU, purpose=Purpose.FINAL).split_hash
    assert not (tmp_path / "model").exists()


def test_a_final_model_that_the_service_does_not_take_is_an_error(service: Service, tmp_path: Path) -> None:
    service.answer_to_model = refused(BodyTooLarge("the model may have 10 bytes"))
    service.may_arrive.set()
    model = tmp_path / "model"
    model.write_text(FOREIGN)
    made = Ended(outcome=Outcome.COMPLETE, model=WrittenModel(path=str(model), sha256=KEPT.sha256))
    checkpoints, datasets = Checkpoints(service.client, FINAL, tmp_path, every=1000), Datasets(service.client, tmp_path)
    child: Any = None  # It has done its part.

    session = Session(service.client, FINAL, child, Drain(), checkpoints=checkpoints, datasets=datasets)
    ended = session._sent(made)

    assert ended == Ended(outcome=Outcome.ERROR, message="the model cannot be sent: the model may have 10 bytes")
    assert not model.exists()
