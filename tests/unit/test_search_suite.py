"""The suite of problems: its optima are what it says, and its harness goes on where it stopped."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import results
from benchmarks.search.__main__ import play_run, problems
from benchmarks.search.comparison import regrets, table, within_noise
from benchmarks.search.problems import Problem
from benchmarks.search.results import Result, Run
from service.history import Observations
from service.sampling import View, suggest
from service.storage.dimensions import dimensions, params
from trimtab.message import FlatParams
from trimtab.samplers import RandomSampler
from trimtab.spec import StudySpec
from trimtab.states import Direction

PROBLEMS = list(problems().values())
VALLEYS = [problem for problem in PROBLEMS if problem.is_narrow_valley]


def points(problem: Problem, count: int) -> Iterator[FlatParams]:
    space = dimensions(problem.space)
    spec = StudySpec(name="points", task=None, space=problem.space, sampler=RandomSampler(name="random"))
    nothing = Observations.empty([dimension.stored_name for dimension in space])
    view = View(space, [Direction.MINIMIZE], nothing, ())
    return (params(space, suggest(spec, view, number=number).point) for number in range(count))


def result(method: str, seed: int, regret: float) -> Result:
    return Result(Run(method, "sphere", seed, trials=60), regret, seconds=0.0)


def test_there_are_ten_problems_and_some_are_narrow_valleys() -> None:
    assert len(PROBLEMS) == 10
    assert {problem.name for problem in VALLEYS} == {"rosenbrock", "ellipsoid", "bowl"}


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_nothing_is_better_than_the_optimum(problem: Problem) -> None:
    losses = [problem.loss(point) for point in points(problem, 500)]

    assert problem.space.contains(problem.best)
    assert min(losses) >= problem.optimum
    assert np.median(losses) > problem.optimum


@pytest.mark.parametrize("problem", VALLEYS, ids=lambda problem: problem.name)
def test_a_narrow_valley_rises_a_hundred_times_as_fast_across_it_as_along_it(problem: Problem) -> None:
    curvatures = np.linalg.eigvalsh(hessian(problem))

    assert curvatures[-1] / curvatures[0] >= 99


def hessian(problem: Problem, distance: float = 1e-3) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Second differences at the best point, in the coordinates of each scale, by stored value."""
    space = dimensions(problem.space)
    best = np.array([to_scale(d.distribution, float(problem.best[d.name]), d.stored_name != d.name) for d in space])

    def loss(x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        stored = [np.exp(value) if is_log(d.distribution) else value for d, value in zip(space, x, strict=True)]
        return problem.loss({d.name: d.value(float(value)) for d, value in zip(space, stored, strict=True)})

    def second(
        one: np.ndarray[tuple[int], np.dtype[np.float64]], two: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> float:
        corners = loss(best + one + two) - loss(best + one - two) - loss(best - one + two) + loss(best - one - two)
        return corners / (4 * distance**2)

    steps = np.eye(len(space)) * distance
    return np.array([[second(one, two) for two in steps] for one in steps])


def to_scale(distribution: object, value: float, is_reversed: bool) -> float:
    stored = 1 - value if is_reversed else value
    return float(np.log(stored)) if is_log(distribution) else stored


def is_log(distribution: object) -> bool:
    return bool(getattr(distribution, "log", False))


def test_a_run_is_the_same_each_time() -> None:
    run = Run("tpe", "conditional", seed=3, trials=15)

    assert play_run(run).regret == play_run(run).regret


def test_a_second_start_goes_on_after_the_runs_that_finished(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "results.jsonl"
    wanted = [Run("random", "sphere", seed, trials=60) for seed in range(3)]

    results.append(file, result("random", 1, regret=0.5))
    with file.open("a") as cut_off:
        cut_off.write('\n{"run": {"method": "ran')
    results.append(file, result("random", 2, regret=0.25))

    assert results.read(file) == [result("random", 1, regret=0.5), result("random", 2, regret=0.25)]
    assert results.missing(wanted, results.read(file)) == [wanted[0]]


def test_a_method_is_as_good_as_the_best_where_a_test_cannot_tell_them_apart() -> None:
    rng = np.random.default_rng(0)
    by_method = {
        "best": list(rng.normal(1.0, 0.1, 20)),
        "alike": list(rng.normal(1.01, 0.1, 20)),
        "worse": list(rng.normal(2.0, 0.1, 20)),
    }

    assert within_noise(by_method) == ["best", "alike"]


def test_auto_is_held_against_the_best_single_sampler() -> None:
    by_method = {"auto": [1.0] * 20, "tpe": [2.0] * 20, "random": [3.0] * 20}

    assert within_noise(by_method) == ["auto", "tpe"]


def test_the_table_has_the_good_ones_in_bold_and_gaps_where_nothing_was_played() -> None:
    found = regrets([result(method, seed, regret) for method, regret in [("a", 1.0), ("b", 5.0)] for seed in range(9)])

    lines = table(found, problems=["sphere"], methods=["a", "b", "c"])

    assert lines[-2:] == ["| sphere | **1** | 5 |  |", "| within noise of the best | 1 | 0 | 0 |"]
