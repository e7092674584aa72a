"""The child process of a slot: trains, is stopped, fails, is killed, and ends with its worker."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest
import torch

from tests.training.runs import run
from trimtab.data import DataSpec
from trimtab.errors import Misconfigured
from trimtab.spec import TaskSpec
from trimtab.states import Outcome
from trimtab.tasks import TASKS
from workers.child import ended_by, is_spent_by
from workers.messages import Begun, CheckpointFile, Ended, FromTraining, Measured, Order, Saved, Unsaved
from workers.process import ChildDied, ChildProcess, how_it_ended
from workers.soundness import Soundness

pytestmark = pytest.mark.usefixtures("no_hurry")

REPOSITORY = Path(__file__).parents[2]
NOWHERE = Path("/nowhere/trimtab")
"""The folder of a child that writes no checkpoints."""

LONG_EPOCH: dict[str, int] = {"hidden_units": 2048, "hidden_layers": 20, "batch_size": 1}  # a quarter of a minute


def order(seed: int = 0, dataset: str = "iris", **params: float | str) -> Order:
    return Order(task=TaskSpec(name="mlp", data=DataSpec(dataset=dataset)), params=params, seed=seed)


def start(
    device: str = "cpu",
    *,
    folder: Path = NOWHERE,
    environment: Mapping[str, str] = os.environ,
    allowed: Sequence[str] = (),
) -> ChildProcess:
    return ChildProcess(device, slot=0, folder=folder, environment=environment, allowed=allowed)


@pytest.fixture(scope="module")
def warm() -> Iterator[ChildProcess]:
    """A child for the tests that leave it idle."""
    with start() as child:
        child.wait_ready()
        yield child


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    """A child for a test that wears it out."""
    with start() as child:
        child.wait_ready()
        yield child


def process(child: ChildProcess) -> psutil.Process:
    return psutil.Process(child._process.pid)


def heard(child: ChildProcess) -> FromTraining:
    """Return what a child says beside that it has begun."""
    said = child.receive()
    return child.receive() if isinstance(said, Begun) else said


def outcome_of(said: FromTraining) -> Outcome | None:
    return said.outcome if isinstance(said, Ended) else None


def trained(child: ChildProcess, ordered: Order) -> tuple[list[Measured], FromTraining]:
    child.order(ordered)
    curve: list[Measured] = []
    while isinstance(said := heard(child), Measured):
        curve.append(said)
        child.answer_go_on()
    return curve, said


def saved(child: ChildProcess, ordered: Order, path: Path) -> Saved:
    """Have a child write a checkpoint as soon as it can, after its second epoch at the latest; drop the trial then."""
    child.order(ordered)
    while isinstance(said := heard(child), Measured):
        child.answer_go_on(save_to=path)
    child.receive()
    child.drop()
    assert isinstance(said, Saved)
    return said


def going_on(ordered: Order, said: Saved) -> Order:
    return ordered.model_copy(update={"checkpoint": CheckpointFile(path=said.path, sha256=said.sha256)})


def read_to_the_end(child: ChildProcess) -> None:
    while True:
        child.answer_go_on()
        child.receive()


def test_a_child_can_train_what_is_built_in_and_what_it_was_allowed_and_no_more() -> None:
    own = "tests.training.own_tasks:Dropping"

    with start(allowed=[own]) as child:
        ready = child.wait_ready()

    assert ready.tasks == (*TASKS, own)


def test_a_child_measures_what_the_training_yields(warm: ChildProcess) -> None:
    ordered = order(seed=3, epochs=4, dropout=0.5)

    curve, ended = trained(warm, ordered)

    expected = run(ordered.params, ordered.task.data, seed=3).epochs()
    assert [(said.step, said.metrics) for said in curve] == [(epoch.step, epoch.metrics) for epoch in expected]
    assert outcome_of(ended) is Outcome.COMPLETE


def test_a_child_measures_the_same_beside_another_child(warm: ChildProcess, child: ChildProcess) -> None:
    ordered = order(seed=3, dataset="digits", epochs=10, hidden_layers=2, hidden_units=256, dropout=0.5)
    alone, ended = trained(warm, ordered)

    beside = []
    for each in (warm, child):
        each.order(ordered)
    for _ in alone:
        beside.append((heard(warm), heard(child)))
        warm.answer_go_on()
        child.answer_go_on()

    assert [heard(warm), heard(child)] == [ended, ended]
    assert beside == [(measured, measured) for measured in alone]


def test_a_child_that_is_told_to_drop_its_trial_takes_the_next(warm: ChildProcess) -> None:
    warm.order(order(epochs=1000))
    first = heard(warm)
    warm.drop()

    curve, _ = trained(warm, order(seed=1, epochs=2))

    assert isinstance(first, Measured)
    assert [said.step for said in curve] == [1, 2]
    assert warm.is_idle


def test_a_child_whose_trial_diverges_while_it_is_dropped_takes_the_next(warm: ChildProcess) -> None:
    warm.order(order(optimizer="sgd", learning_rate=1e6))
    first = heard(warm)
    warm.drop()

    curve, _ = trained(warm, order(seed=1, epochs=2))

    assert isinstance(first, Measured)
    assert [said.step for said in curve] == [1, 2]


def test_a_child_that_does_not_drop_its_trial_in_time_is_done_with(
    child: ChildProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.process._DROP_SECONDS", 0.1)
    child.order(order(epochs=1000))
    heard(child)
    process(child).suspend()

    child.drop()

    assert not child.is_idle


def test_another_child_goes_on_from_a_checkpoint_as_the_first_would_have(
    warm: ChildProcess, child: ChildProcess, tmp_path: Path
) -> None:
    ordered = order(seed=3, epochs=6, dropout=0.5, decay="cosine")
    said = saved(warm, ordered, tmp_path / "checkpoint")

    resumed, ended = trained(child, going_on(ordered, said))

    whole, _ = trained(warm, ordered)
    assert said.size == Path(said.path).stat().st_size
    assert 1 <= said.step <= 2
    assert resumed == whole[said.step :]
    assert outcome_of(ended) is Outcome.COMPLETE


@pytest.mark.parametrize(
    "other", [order(seed=4, epochs=4), order(seed=3, epochs=4, l2=0.5), order(3, "wine", epochs=4)]
)
def test_a_child_trains_from_the_first_epoch_what_the_checkpoint_is_not_of(
    other: Order, warm: ChildProcess, tmp_path: Path
) -> None:
    said = saved(warm, order(seed=3, epochs=4), tmp_path / "checkpoint")

    resumed, _ = trained(warm, going_on(other, said))

    whole, _ = trained(warm, other)
    assert resumed == whole


def test_a_child_trains_from_the_first_epoch_where_the_checkpoint_is_torn(warm: ChildProcess, tmp_path: Path) -> None:
    said = saved(warm, order(epochs=3), tmp_path / "checkpoint")
    Path(said.path).write_bytes(Path(said.path).read_bytes()[:-1])

    resumed, ended = trained(warm, going_on(order(epochs=3), said))

    assert [measured.step for measured in resumed] == [1, 2, 3]
    assert outcome_of(ended) is Outcome.COMPLETE


def test_a_checkpoint_that_cannot_be_written_leaves_the_training_as_it_is(warm: ChildProcess, tmp_path: Path) -> None:
    warm.order(order(epochs=1000))

    while isinstance(said := heard(warm), Measured):
        warm.answer_go_on(save_to=tmp_path / "nowhere" / "checkpoint")

    then = warm.receive()
    warm.drop()
    assert isinstance(said, Unsaved)
    assert "No such file" in said.message
    assert isinstance(then, Measured)


def test_after_the_last_epoch_no_checkpoint_is_written(warm: ChildProcess, tmp_path: Path) -> None:
    warm.order(order(epochs=1))
    heard(warm)

    warm.answer_go_on(save_to=tmp_path / "checkpoint")

    assert outcome_of(warm.receive()) is Outcome.COMPLETE
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_dies_before_it_hears_an_order_has_not_begun(child: ChildProcess) -> None:
    process(child).suspend()
    child.order(order())

    process(child).kill()

    with pytest.raises(ChildDied, match="was killed by SIGKILL"):
        child.receive()
    assert not child.has_begun


def test_a_child_that_dies_of_an_order_has_begun(child: ChildProcess) -> None:
    child.order(order(epochs=1000))
    heard(child)

    process(child).kill()

    with pytest.raises(ChildDied):
        read_to_the_end(child)
    assert child.has_begun


def test_a_child_survives_a_trial_that_diverges(warm: ChildProcess) -> None:
    _, ended = trained(warm, order(optimizer="sgd", learning_rate=1e6))

    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.message) == (Outcome.DIVERGED, "the loss is not finite in epoch 2")
    assert warm.is_idle


def test_a_child_says_of_a_trial_that_diverges_what_is_finite(warm: ChildProcess) -> None:
    _, ended = trained(warm, order(optimizer="sgd", learning_rate=1e6))

    assert isinstance(ended, Ended)
    assert ended.step == 2
    assert "validation_error" in ended.metrics
    assert None not in ended.metrics.values()


def test_a_child_says_at_the_end_what_the_training_came_to(warm: ChildProcess) -> None:
    ordered = order(seed=3, epochs=2)

    _, ended = trained(warm, ordered)

    training = run(ordered.params, ordered.task.data, seed=3)
    list(training.epochs())
    assert isinstance(ended, Ended)
    assert (ended.step, ended.metrics) == (training.result.step, training.result.metrics)


def test_a_child_is_left_alone_by_the_signals_that_end_its_worker(warm: ChildProcess) -> None:
    process(warm).send_signal(signal.SIGTERM)

    _, ended = trained(warm, order(epochs=1))

    assert outcome_of(ended) is Outcome.COMPLETE
    assert os.getpgid(process(warm).pid) != os.getpgid(0)  # where Ctrl-C would reach it


def test_a_trial_that_raises_ends_with_what_it_said_and_its_child_takes_the_next(warm: ChildProcess) -> None:
    expected = trained(warm, order(seed=3, epochs=2))

    _, ended = trained(warm, order(dataset="nothing"))

    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.ERROR
    assert ended.message
    assert ended.message.startswith("ValueError: no data set is called 'nothing'")
    assert warm.is_idle
    assert trained(warm, order(seed=3, epochs=2)) == expected


def own_order(task: str, seed: int = 0) -> Order:
    spec = TaskSpec(name=f"tests.training.own_tasks:{task}", data=DataSpec(dataset="iris"))
    return Order(task=spec, params={"epochs": 3, "width": 8}, seed=seed)


def test_after_errors_of_a_users_code_the_same_child_trains_as_if_there_had_been_none_bit_for_bit() -> None:
    allowed = [f"tests.training.own_tasks:{name}" for name in ("Dropping", "broken", "Torn", "leaving_doubles")]
    with start(allowed=allowed) as child:
        child.wait_ready()
        expected = trained(child, own_order("Dropping", seed=3))

        failed = [trained(child, own_order(task)) for task in ("broken", "Torn", "broken")]
        is_kept = child.is_idle
        found = trained(child, own_order("Dropping", seed=3))
        _, left = trained(child, own_order("leaving_doubles"))

        assert [outcome_of(ended) for _, ended in failed] == [Outcome.ERROR] * 3
        assert is_kept
        assert found == expected
        assert (outcome_of(left), child.is_idle) == (Outcome.ERROR, False)


def test_a_child_in_which_code_without_an_error_left_another_setting_of_torch_is_done_with() -> None:
    with start(allowed=["tests.training.own_tasks:keeping_doubles"]) as child:
        child.wait_ready()

        _, ended = trained(child, own_order("keeping_doubles"))

        assert (outcome_of(ended), child.is_idle) == (Outcome.COMPLETE, False)


def test_after_an_error_of_code_that_was_changed_since_the_next_process_imports_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "changing.py"
    file.write_text("def build(params, data):\n    raise KeyError('a layer')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ordered = own_order("").model_copy(update={"task": TaskSpec(name="changing:build", data=DataSpec(dataset="iris"))})
    with start(allowed=["changing:build"]) as child:
        child.wait_ready()
        _, first = trained(child, ordered)
        is_kept = child.is_idle

        file.write_text("from tests.training.own_tasks import Dropping as build\n")
        _, second = trained(child, ordered)

        assert isinstance(first, Ended)
        assert isinstance(second, Ended)
        assert (is_kept, child.is_idle) == (True, False)
        assert first.message
        assert "was changed" not in first.message
        assert second.message
        assert "KeyError: 'a layer'" in second.message
        assert second.message.endswith("the next trial imports it anew")


def test_a_child_whose_device_has_a_fault_is_done_with(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Soundness.of(torch.device("cuda"))
    monkeypatch.setattr("workers.soundness._works", lambda device: device.type == "cpu")

    spent = {outcome: is_spent_by(outcome, before) for outcome in Outcome}

    assert [outcome for outcome, is_spent in spent.items() if is_spent] == [Outcome.OUT_OF_MEMORY, Outcome.ERROR]
    assert not is_spent_by(Outcome.ERROR, Soundness.of(torch.device("cpu")))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_fault_of_a_cuda_device_is_noticed_and_not_an_error_beside_it() -> None:
    code = (
        "import torch\n"
        "from workers.soundness import Soundness\n"
        "before = Soundness.of(torch.device('cuda'))\n"
        "print(before.is_kept)\n"
        "torch.zeros(3, device='cuda')[torch.tensor([7], device='cuda')]\n"
        "print(before.is_kept)\n"
    )

    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert ran.stdout.split() == ["True", "False"]


def test_a_trial_that_is_too_big_runs_out_of_memory_and_its_child_is_done_with(child: ChildProcess) -> None:
    room = process(child).memory_info().vms + 2**30
    resource.prlimit(process(child).pid, resource.RLIMIT_AS, (room, room))

    _, ended = trained(child, order(hidden_units=32_768, hidden_layers=2))

    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.OUT_OF_MEMORY
    assert not child.is_idle


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), Outcome.OUT_OF_MEMORY),
        (RuntimeError("cuDNN error: out of memory"), Outcome.OUT_OF_MEMORY),
        (RuntimeError("CUDA error: device-side assert triggered"), Outcome.ERROR),
        (ValueError("out of memory of earlier days"), Outcome.ERROR),
        (RuntimeError("a NUL \x00 and " + "x" * 10_000), Outcome.ERROR),
    ],
)
def test_errors_of_the_device_are_told_from_errors_of_the_trial(error: Exception, outcome: Outcome) -> None:
    assert ended_by(error, task="mlp").outcome is outcome


def test_a_killed_child_is_reported_with_its_signal(child: ChildProcess) -> None:
    child.order(order(epochs=1000))
    heard(child)

    process(child).kill()

    with pytest.raises(ChildDied, match="was killed by SIGKILL"):
        read_to_the_end(child)
    assert not child.is_idle


@pytest.mark.parametrize(
    ("code", "words"), [(3, "ended with exit code 3"), (-11, "was killed by SIGSEGV"), (-99, "was killed by signal 99")]
)
def test_an_exit_code_is_put_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == f"the training process {words}"


def test_a_child_is_given_no_setting_of_its_worker() -> None:
    secret = {"TRIMTAB_TOKEN": "a", "TRIMTAB_TOKEN_FILE": "b", "TRIMTAB_DATABASE_URL": "c", "KEPT": "d"}

    with start(environment=os.environ | secret) as child:
        child.wait_ready()
        given = process(child).environ()

    assert given["KEPT"] == "d"
    assert not [name for name in given if name.startswith("TRIMTAB_")]


def test_a_device_that_is_not_there_is_refused_with_what_is() -> None:
    with start("cuda:99") as child, pytest.raises(Misconfigured, match="--device cuda:99 is not here: "):
        child.wait_ready()


def test_a_child_ends_with_its_worker_in_the_middle_of_an_epoch_and_takes_its_files_along(tmp_path: Path) -> None:
    folder = tmp_path / "slot"
    (folder / "trial").mkdir(parents=True)
    (folder / "trial" / "checkpoint").touch()
    code = (
        "import psutil, signal, sys\n"
        "signal.alarm(300)\n"
        "from pathlib import Path\n"
        "from tests.training.test_process import LONG_EPOCH, order, process, start\n"
        "child = start(folder=Path(sys.argv[1]))\n"
        "child.wait_ready()\n"
        "before = process(child).cpu_times().user\n"
        "child.order(order(**LONG_EPOCH))\n"
        "while process(child).cpu_times().user < before + 0.5: pass\n"
        "print(process(child).pid, flush=True)\n"
        "signal.pause()\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        child = psutil.Process(int(worker.stdout.readline()))

        worker.kill()

        assert child in psutil.wait_procs([child], timeout=60)[0]
    assert list(tmp_path.iterdir()) == []
