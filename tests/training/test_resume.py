"""A training that goes on from a checkpoint is the training that wrote it, bit for bit."""

from pathlib import Path

import pytest
import torch

from tests.training.runs import run
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params
from trimtab.space import Categorical
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from trimtab.tasks import MLP
from workers.tasks import begin
from workers.training import checkpoints
from workers.training.errors import CheckpointForeign
from workers.training.steps import Steps

CPU = torch.device("cpu")
EPOCHS = 6
PARAMS: Params = {"epochs": EPOCHS, "hidden_layers": 2, "hidden_units": 16, "dropout": 0.4, "batch_size": 32}

Curve = list[tuple[int, dict[str, float]]]


def choices(name: str) -> list[str]:
    allowed = MLP.hyperparameters[name].allowed
    assert isinstance(allowed, Categorical)
    return [str(choice) for choice in allowed.choices]


def training(
    params: Params, *, seed: int = 7, dataset: str = "wine", split: int = 0, device: torch.device = CPU
) -> Steps:
    data = DataSpec(dataset=dataset, split=SplitSpec(seed=split))
    task = TaskSpec(name="mlp", data=data)
    return begin(task, params, seed=seed, purpose=Purpose.SEARCH, files={}, device=device)


def curve(running: Steps) -> Curve:
    return [(epoch.step, epoch.metrics) for epoch in running.epochs()]


def interrupted(params: Params, step: int, path: Path, *, device: torch.device = CPU) -> Curve:
    """Train, leave off after a step, and go on in another training from the file that the first one wrote."""
    first = training(params, device=device)
    before = [(epoch.step, epoch.metrics) for _, epoch in zip(range(step), first.epochs(), strict=False)]
    written = checkpoints.write(first.state(), path, belongs_to="this")

    torch.manual_seed(step)  # Nothing hangs on what the whole process draws from.
    second = training(params, device=device)
    second.restore(checkpoints.read(path, sha256=written.sha256, belongs_to="this"))
    return before + curve(second)


@pytest.mark.parametrize("decay", ["none", "cosine"])
@pytest.mark.parametrize("optimizer", choices("optimizer"))
def test_every_optimizer_goes_on_as_if_it_had_never_stopped(optimizer: str, decay: str, tmp_path: Path) -> None:
    params = {**PARAMS, "optimizer": optimizer, "decay": decay, "weight_decay": 0.01, "l2": 0.001}

    resumed = interrupted(params, 3, tmp_path / "checkpoint")

    assert resumed == curve(training(params))


@pytest.mark.parametrize("decay", choices("decay"))
def test_every_decay_goes_on_where_it_was(decay: str, tmp_path: Path) -> None:
    params = {**PARAMS, "decay": decay, "decay_rate": 0.3, "optimizer": "momentum"}

    resumed = interrupted(params, 2, tmp_path / "checkpoint")

    assert resumed == curve(training(params))


@pytest.mark.parametrize(
    "changes",
    [
        {"l1": 0.001},
        {"feature_noise": 0.2, "input_dropout": 0.2},
        {"normalization": "batch", "patience": 2},
    ],
    ids=" ".join,
)
def test_whatever_a_plan_has_goes_on_where_it_was(changes: Params, tmp_path: Path) -> None:
    params = {**PARAMS, **changes}

    resumed = interrupted(params, 2, tmp_path / "checkpoint")

    assert resumed == curve(training(params))


def test_augmented_images_go_on_where_they_were(tmp_path: Path) -> None:
    params = {**PARAMS, "epochs": 2, "flip": 0.5, "crop": 0.2, "rotation": 10, "zoom": 0.1, "distortion": 0.2}
    first, whole = (run(params) for _ in range(2))
    next(first.epochs())
    written = checkpoints.write(first.state(), tmp_path / "checkpoint", belongs_to="this")

    second = run(params)
    second.restore(checkpoints.read(tmp_path / "checkpoint", sha256=written.sha256, belongs_to="this"))

    assert curve(second) == curve(whole)[1:]


@pytest.mark.parametrize("step", range(1, EPOCHS))
def test_a_training_goes_on_from_every_step(step: int, tmp_path: Path) -> None:
    resumed = interrupted(PARAMS, step, tmp_path / "checkpoint")

    assert resumed == curve(training(PARAMS))


def test_a_training_that_was_interrupted_at_each_step_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    figures: Curve = []
    running = training(PARAMS)

    while not running.is_over:
        epoch = next(running.epochs())
        figures.append((epoch.step, epoch.metrics))
        written = checkpoints.write(running.state(), path, belongs_to="this")
        if epoch.step < EPOCHS:
            running = training(PARAMS)
            running.restore(checkpoints.read(path, sha256=written.sha256, belongs_to="this"))

    assert figures == curve(training(PARAMS))


def test_a_training_that_writes_a_checkpoint_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    running = training(PARAMS)
    figures: Curve = []

    for epoch in running.epochs():
        figures.append((epoch.step, epoch.metrics))
        checkpoints.write(running.state(), tmp_path / "checkpoint", belongs_to="this")

    assert figures == curve(training(PARAMS))


@pytest.mark.parametrize("left_out", ["network", "optimizer", "randomness", "step", "metrics", "beginning", "best"])
def test_no_part_of_the_state_can_be_left_out(left_out: str) -> None:
    params = {**PARAMS, "patience": 5}
    running = training(params)
    next(running.epochs())
    state = running.state()
    del state[left_out]

    with pytest.raises(CheckpointForeign, match="of another kind of training"):
        training(params).restore(state)


@pytest.mark.parametrize("other", [{"hidden_units": 17}, {"hidden_layers": 3}, {"dataset": "iris"}, {"split": 1}])
def test_the_state_of_another_training_is_refused(other: dict[str, int | str]) -> None:
    of_data = {name: other[name] for name in ("dataset", "split") if name in other}
    running = training({**PARAMS, **{name: value for name, value in other.items() if name not in of_data}}, **of_data)  # type: ignore[arg-type]
    next(running.epochs())

    with pytest.raises(CheckpointForeign, match="the checkpoint is of"):
        training(PARAMS).restore(running.state())


def test_a_state_with_nothing_left_to_train_is_refused() -> None:
    running = training(PARAMS)
    curve(running)

    with pytest.raises(CheckpointForeign, match="of step 6 of 6"):
        training(PARAMS).restore(running.state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_training_on_a_cuda_device_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    device = torch.device("cuda:0")

    resumed = interrupted(PARAMS, 3, tmp_path / "checkpoint", device=device)

    assert resumed == curve(training(PARAMS, device=device))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_a_cuda_device_has_begun_goes_on_on_a_cpu(tmp_path: Path) -> None:
    first = training(PARAMS, device=torch.device("cuda:0"))
    next(first.epochs())
    written = checkpoints.write(first.state(), tmp_path / "checkpoint", belongs_to="this")

    second = training(PARAMS)
    second.restore(checkpoints.read(tmp_path / "checkpoint", sha256=written.sha256, belongs_to="this"))

    assert [step for step, _ in curve(second)] == list(range(2, EPOCHS + 1))
