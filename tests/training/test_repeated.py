"""Folds and repeats: against trainings that are begun one by one, and against NumPy."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.runs import run
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params
from trimtab.tasks.checks import known
from workers.tasks import BUILDS
from workers.training import checkpoints
from workers.training.data import prepare
from workers.training.errors import CheckpointForeign, Diverged
from workers.training.loop import Training
from workers.training.losses import loss_of
from workers.training.means import means
from workers.training.plan import Plan
from workers.training.randomness import Randomness
from workers.training.repeated import Part, Repeated, parts
from workers.training.steps import Epoch, Heed, State, Steps, heed_nothing

CPU = torch.device("cpu")
FOLDED = DataSpec(dataset="iris", split=SplitSpec(folds=3))
SPLIT = 64 * "0"
PARAMS: Params = {"epochs": 2, "hidden_units": 8, "dropout": 0.2}


def alone(part: Part, data: DataSpec) -> dict[str, float]:
    """Return what the training of a part comes to, begun by itself."""
    settled = {**{name: knob.default for name, knob in known("mlp").hyperparameters.items()}, **PARAMS}
    randomness = Randomness.from_seed(part.seed, device=CPU)
    prepared = prepare(data, fold=part.fold, device=CPU)
    network = BUILDS["mlp"](settled, prepared, randomness)
    loss = loss_of("auto", prepared.problem)
    training = Training(network, prepared, Plan.of(settled), loss=loss, randomness=randomness)
    list(training.epochs())
    return training.result.metrics


class Failing:
    """A training that diverges in its second epoch."""

    is_over = False
    result = Epoch(0, {})
    split = SPLIT

    def epochs(self, _heed: Heed = heed_nothing) -> Iterator[Epoch]:
        yield Epoch(1, {"validation_error": 0.5})
        raise Diverged("the loss is not finite in epoch 2", step=2, metrics={"validation_error": 0.75})

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Never asked to."""


def test_the_figures_are_the_means_over_the_folds_with_their_standard_error() -> None:
    steps = list(run(PARAMS, FOLDED, seed=3).epochs())

    figures = [alone(Part(seed=3, fold=fold), FOLDED) for fold in range(3)]
    for count, epoch in enumerate(steps, start=1):
        errors = np.array([each["validation_error"] for each in figures[:count]])
        assert epoch.step == count
        assert epoch.metrics["validation_error"] == pytest.approx(errors.mean(), abs=1e-12)
        if count > 1:
            spread = errors.std(ddof=1) / np.sqrt(count)
            assert epoch.metrics["validation_error_standard_error"] == pytest.approx(spread, abs=1e-12)
    assert steps[0].metrics == figures[0]
    assert len(steps) == 3


def test_a_figure_that_one_fold_lacks_is_left_out_of_the_means_in_any_order() -> None:
    whole, lacking = {"validation_error": 0.25, "test_shift_auc": 0.5}, {"validation_error": 0.75}

    found = [means(done, [0, 1]) for done in ([whole, lacking], [lacking, whole])]

    assert found == [{"validation_error": 0.5}] * 2


def test_numbers_of_layers_have_no_mean_and_are_those_of_the_first_training() -> None:
    layers = [f"{end}_{what}_layer" for end in ("smallest", "largest") for what in ("gradient", "activation")]

    found = means([dict.fromkeys(layers, 2.0), dict.fromkeys(layers, 5.0)], [None, None])

    assert found == dict.fromkeys(layers, 2.0)


def test_an_error_of_repeats_may_be_off_by_its_examples_and_by_its_seeds() -> None:
    iris = DataSpec(dataset="iris")

    *_, last = run(PARAMS, iris, seed=5, repeats=3).epochs()

    alike = [alone(part, iris) for part in parts(folds=None, repeats=3, seed=5)]
    for name in ("training_error", "validation_error"):
        seeds = np.std([each[name] for each in alike], ddof=1) / np.sqrt(3)
        examples = np.mean([each[f"{name}_standard_error"] for each in alike])
        assert last.metrics[f"{name}_scatter"] == pytest.approx(seeds, abs=1e-12)
        assert last.metrics[f"{name}_standard_error"] == pytest.approx(np.hypot(seeds, examples), abs=1e-12)


@pytest.mark.parametrize("folds", [None, 3])
def test_repeats_that_come_to_the_same_know_no_more_than_one_of_them(folds: int | None) -> None:
    errors = [0.1, 0.2, 0.6][: folds or 1]
    once = [{"validation_error": error, "validation_error_standard_error": 0.05} for error in errors]
    turns = [part.fold for part in parts(folds=folds, repeats=1, seed=0)]

    one, four = means(once, turns), means(4 * once, 4 * turns)

    assert four["validation_error"] == pytest.approx(one["validation_error"])
    assert four["validation_error_standard_error"] == pytest.approx(one["validation_error_standard_error"])
    assert four["validation_error_scatter"] == pytest.approx(np.std(4 * errors, ddof=1) / np.sqrt(len(4 * errors)))


def test_the_split_of_folds_is_that_of_all_of_them_and_the_same_before_the_first() -> None:
    hashes = [prepare(FOLDED, fold=fold, device=CPU).split_hash for fold in range(3)]

    split = run(PARAMS, FOLDED).split

    assert split == hashlib.sha256("".join(hashes).encode()).hexdigest()
    assert run(PARAMS, DataSpec(dataset="iris", split=SplitSpec(folds=3, seed=1))).split != split
    iris = DataSpec(dataset="iris")
    assert run(PARAMS, iris, repeats=2).split == run(PARAMS, iris).split == prepare(iris, device=CPU).split_hash


def test_repeats_differ_by_their_seeds_alone_and_the_first_is_the_trial_without_repeats() -> None:
    iris = DataSpec(dataset="iris")

    first, second = run(PARAMS, iris, seed=5, repeats=2).epochs()

    whole = [alone(part, iris) for part in parts(folds=None, repeats=2, seed=5)]
    single = run(PARAMS, iris, seed=5)
    list(single.epochs())
    assert first.metrics == single.result.metrics == whole[0]
    mean = np.mean([each["training_loss"] for each in whole])
    assert second.metrics["training_loss"] == pytest.approx(mean, abs=1e-12)
    assert whole[0]["training_loss"] != whole[1]["training_loss"]


def test_all_folds_of_a_repeat_have_its_seed_and_come_before_the_next() -> None:
    dealt = parts(folds=2, repeats=3, seed=11)

    assert [(part.repeat, part.fold) for part in dealt] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert [dealt[0].seed, dealt[1].seed] == [11, 11]
    assert len({part.seed for part in dealt}) == 3
    assert dealt == parts(folds=2, repeats=3, seed=11)


def test_another_goes_on_with_the_next_fold_from_a_checkpoint(tmp_path: Path) -> None:
    first = run(PARAMS, FOLDED)
    next(first.epochs())
    written = checkpoints.write(first.state(), tmp_path / "checkpoint", belongs_to="this")

    second = run(PARAMS, FOLDED)
    second.restore(checkpoints.read(tmp_path / "checkpoint", sha256=written.sha256, belongs_to="this"))

    assert list(second.epochs()) == list(run(PARAMS, FOLDED).epochs())[1:]


@pytest.mark.parametrize("done", [None, [], [{}, {}, {}], "two"])
def test_a_state_that_is_not_in_the_midst_of_the_folds_is_refused(done: object) -> None:
    with pytest.raises(CheckpointForeign, match="of another kind of training"):
        run(PARAMS, FOLDED).restore({"done": done})


def test_a_training_that_diverges_takes_the_trial_along_and_is_named() -> None:
    def begun(part: Part) -> Steps:
        return Failing() if part.fold == 1 else run({"epochs": 1}, DataSpec(dataset="iris"))

    with pytest.raises(Diverged, match=r"epoch 2 of fold 2$") as caught:
        list(Repeated(parts(folds=2, repeats=1, seed=0), begun, split=SPLIT).epochs())

    assert (caught.value.step, caught.value.metrics) == (2, {"validation_error": 0.75})


def test_each_training_is_begun_when_it_is_due() -> None:
    begun: list[int | None] = []

    def begin(part: Part) -> Steps:
        begun.append(part.fold)
        return run({"epochs": 1}, DataSpec(dataset="iris"))

    next(Repeated(parts(folds=3, repeats=1, seed=0), begin, split=SPLIT).epochs())

    assert begun == [0]
