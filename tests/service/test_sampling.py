"""Our TPE gives the points of Optuna's own, trial for trial, on the same history."""

import itertools
import math

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from service import sampling
from service.history import Observations
from service.storage.dimensions import Dimension, Point, dimensions, params
from service.storage.finished import FinishedTrial
from trimtab import states
from trimtab.objectives import Objective
from trimtab.samplers import RandomSampler, TpeSampler
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.spec import StudySpec
from trimtab.states import Direction, Outcome

SPACE = Space(
    {
        "learning_rate": Float(low=1e-4, high=1.0, scale=Scale.LOG),
        "optimizer": Categorical(choices=("momentum", "adam")),
        "momentum": Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG, when={"optimizer": ("momentum",)}),
        "units": Int(low=16, high=512, scale=Scale.LOG),
        "layers": Int(low=1, high=9, step=2),
        "dropout": Float(low=0.0, high=0.6, step=0.1),
        "width": Float(low=-1.0, high=1.0),
        "always": Categorical(choices=(3,)),
    }
)
DIMENSIONS = dimensions(SPACE)


def spec_of(sampler: TpeSampler | RandomSampler, direction: Direction = Direction.MINIMIZE) -> StudySpec:
    return StudySpec(
        name="differential",
        task=None,
        space=SPACE,
        objectives=(Objective(metric="loss", direction=direction),),
        sampler=sampler,
    )


def random_points(rng: np.random.RandomState, count: int) -> list[Point]:
    view = sampling.View(DIMENSIONS, [Direction.MINIMIZE], Observations.empty(names()), ())
    seeds = rng.randint(2**31, size=count)
    return [
        sampling.suggest(spec_of(RandomSampler(name="random", seed=int(seed))), view, number=0).point for seed in seeds
    ]


def names() -> list[str]:
    return [dimension.stored_name for dimension in DIMENSIONS]


def random_history(rng: np.random.RandomState, count: int) -> list[FinishedTrial]:
    """Complete, pruned, diverged and failed trials, ended in another order than their numbers."""
    trials = []
    for order, (number, point) in enumerate(
        zip(rng.permutation(count), random_points(rng, count), strict=True), start=1
    ):
        kind = rng.choice(
            ["complete", "pruned", "mute", "nan", "diverged", "error"], p=[0.5, 0.25, 0.05, 0.05, 0.1, 0.05]
        )
        outcome = {"diverged": Outcome.DIVERGED, "error": Outcome.ERROR}.get(kind, Outcome.COMPLETE)
        state = states.TrialState.PRUNED if kind in {"pruned", "mute", "nan"} else states.TrialState.COMPLETE
        if kind in {"diverged", "error"}:
            state = states.TrialState.FAIL
        value = None if kind in {"mute", "nan", "diverged", "error"} else float(rng.choice([rng.normal(), 0.5]))
        step = None if kind == "mute" else int(rng.randint(1, 6))
        trials.append(FinishedTrial(order, int(number), state, outcome, () if value is None else (value,), step, point))
    return trials


def as_optuna(
    trials: list[FinishedTrial], open_points: list[sampling.OpenPoint], direction: Direction
) -> list[FrozenTrial]:
    """The same view of the history as Optuna's own trials, by number."""
    pick = max if direction is Direction.MINIMIZE else min
    complete = [t.values[0] for t in trials if t.state is states.TrialState.COMPLETE]
    frozen: dict[int, FrozenTrial] = {}
    for trial in trials:
        if trial.state is states.TrialState.FAIL and (trial.outcome is not Outcome.DIVERGED or not complete):
            continue
        is_pruned = trial.state is states.TrialState.PRUNED
        value = pick(complete) if trial.outcome is Outcome.DIVERGED else next(iter(trial.values), None)
        reported = {} if trial.step is None else {trial.step: math.nan if value is None else value}
        frozen[trial.number] = _frozen(
            trial.number,
            trial.point,
            state=TrialState.PRUNED if is_pruned else TrialState.COMPLETE,
            value=value,
            intermediate_values=reported,
        )
    for point in open_points:
        frozen[point.number] = _frozen(point.number, point.point, state=TrialState.RUNNING)
    return [frozen[number] for number in sorted(frozen)]


def _frozen(number: int, point: Point, **given: object) -> FrozenTrial:
    distributions: dict[str, BaseDistribution] = {
        d.stored_name: d.distribution for d in DIMENSIONS if d.stored_name in point
    }
    values = {name: distributions[name].to_external_repr(point[name]) for name in distributions}
    trial = create_trial(params=values, distributions=distributions, **given)  # type: ignore[arg-type]
    trial.number = trial._trial_id = number
    return trial


class _Storage(optuna.storages.InMemoryStorage):
    """Serves trials that keep their own numbers."""

    served: list[FrozenTrial]

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: object = None) -> list[FrozenTrial]:
        wanted = states if states is not None else list(TrialState)
        return [trial for trial in self.served if trial.state in wanted]  # type: ignore[operator]

    def set_trial_system_attr(self, trial_id: int, key: str, value: object) -> None:
        """What a sampler notes of the trial that it samples is nobody's business here."""


def optunas_point(
    trials: list[FrozenTrial], sampler: optuna.samplers.BaseSampler, *, number: int, direction: Direction
) -> dict[str, float]:
    """What Optuna's own sampler gives, parameter by parameter as optuna.Trial asks for them."""
    storage = _Storage()
    study = optuna.create_study(storage=storage, direction=direction.value)
    storage.served = trials
    current = _frozen(number, {}, state=TrialState.RUNNING)
    space = sampler.infer_relative_search_space(study, current)
    relative = sampler.sample_relative(study, current, space)
    point: dict[str, float] = {}
    for dimension in DIMENSIONS:
        if not SPACE.is_active(dimension.name, params(DIMENSIONS, point)):
            continue
        point[dimension.stored_name] = _optunas_value(study, sampler, current, dimension, relative)
    return point


def _optunas_value(
    study: optuna.Study,
    sampler: optuna.samplers.BaseSampler,
    trial: FrozenTrial,
    dimension: Dimension,
    relative: dict[str, object],
) -> float:
    name, distribution = dimension.stored_name, dimension.distribution
    if distribution.single():
        return 0.0
    value = relative[name] if name in relative else sampler.sample_independent(study, trial, name, distribution)
    return float(distribution.to_internal_repr(value))


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("count", [0, 3, 9, 10, 11, 40, 200])
def test_tpe_gives_the_points_of_optunas_own(count: int, direction: Direction) -> None:
    rng = np.random.RandomState(count)
    spec = spec_of(TpeSampler(seed=7), direction)
    for repeat, running in itertools.product(range(5), [0, 3]):
        trials = random_history(rng, count)
        points = random_points(rng, running)
        open_points = [sampling.OpenPoint(count + position, point) for position, point in enumerate(points)]
        number = count + running

        view = sampling.View(DIMENSIONS, [direction], Observations.empty(names()).extended(trials), open_points)
        ours = sampling.suggest(spec, view, number=number).point

        theirs = optunas_point(
            as_optuna(trials, open_points, direction),
            optuna.samplers.TPESampler(seed=sampling.seed_of(7, number)),
            number=number,
            direction=direction,
        )
        assert ours == theirs, f"history {repeat} with {running} running"


def test_random_gives_the_points_of_optunas_own() -> None:
    view = sampling.View(DIMENSIONS, [Direction.MINIMIZE], Observations.empty(names()), ())
    for number in range(50):
        ours = sampling.suggest(spec_of(RandomSampler(name="random", seed=3)), view, number=number).point

        sampler = optuna.samplers.RandomSampler(seed=sampling.seed_of(3, number))
        assert ours == optunas_point([], sampler, number=number, direction=Direction.MINIMIZE)


def test_observations_read_in_parts_are_those_read_at_once() -> None:
    trials = random_history(np.random.RandomState(1), 60)

    at_once = Observations.empty(names()).extended(trials)
    in_parts = Observations.empty(names()).extended(trials[:1]).extended(trials[1:20]).extended(trials[20:])

    for field, value in vars(at_once).items():
        np.testing.assert_array_equal(value, getattr(in_parts, field))


def test_every_point_lies_in_the_space() -> None:
    rng = np.random.RandomState(5)
    view = sampling.View(
        DIMENSIONS, [Direction.MINIMIZE], Observations.empty(names()).extended(random_history(rng, 50)), ()
    )

    points = [sampling.suggest(spec_of(TpeSampler(seed=seed)), view, number=50).point for seed in range(50)]

    assert all(SPACE.contains(params(DIMENSIONS, point)) for point in points)


@pytest.mark.parametrize("running", [0, 3])
def test_points_that_are_asked_for_together_differ_and_the_first_is_that_of_one_alone(running: int) -> None:
    rng = np.random.RandomState(9)
    points = random_points(rng, running)
    open_points = [sampling.OpenPoint(200 + position, point) for position, point in enumerate(points)]
    observations = Observations.empty(names()).extended(random_history(rng, 200))
    view = sampling.View(DIMENSIONS, [Direction.MINIMIZE], observations, open_points)
    spec = spec_of(TpeSampler(seed=3))

    together = [each.point for each in sampling.suggest_many(spec, view, number=203, count=30)]

    assert together[0] == sampling.suggest(spec, view, number=203).point
    assert len({tuple(point.items()) for point in together}) == 30
    assert all(SPACE.contains(params(DIMENSIONS, point)) for point in together)


def test_a_point_that_was_taken_is_not_crowded_by_the_next() -> None:
    space = Space({"x": Float(low=0, high=1)})
    trials = [
        FinishedTrial(n + 1, n, states.TrialState.COMPLETE, Outcome.COMPLETE, ((x - 0.5) ** 2,), 1, {"x": x})
        for n, x in enumerate(np.linspace(0, 1, 40).tolist())
    ]
    spec = StudySpec(name="crowd", task=None, space=space, sampler=TpeSampler(seed=1))
    view = sampling.View.of(spec, dimensions(space), Observations.empty(["x"]).extended(trials))

    together = [each.point["x"] for each in sampling.suggest_many(spec, view, number=40, count=8)]

    alone = [sampling.suggest(spec, view, number=number).point["x"] for number in range(40, 48)]
    assert np.mean(np.diff(np.sort(together))) > np.mean(np.diff(np.sort(alone)))
    assert len(set(together)) == 8


def test_a_trial_out_of_memory_counts_as_the_worst_and_violates_a_constraint() -> None:
    complete = [
        FinishedTrial(n + 1, n, states.TrialState.COMPLETE, Outcome.COMPLETE, (value,), 1, {"x": value})
        for n, value in enumerate([0.3, 0.9, 0.1])
    ]
    failed = FinishedTrial(4, 3, states.TrialState.FAIL, Outcome.OUT_OF_MEMORY, (), 2, {"x": 0.5})
    spec = StudySpec(name="memory", task=None, space=Space({"x": Float(low=0, high=1)}))

    view = sampling.View.of(spec, dimensions(spec.searched), Observations.empty(["x"]).extended([*complete, failed]))

    assert view.losses_NM[:, 0].tolist() == [0.3, 0.9, 0.1, 0.9]
    assert view.violations_N.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert view.best_first.tolist() == [2, 0, 1, 3]


def test_trials_outside_the_space_as_it_is_now_are_left_out() -> None:
    trials = [
        FinishedTrial(n + 1, n, states.TrialState.COMPLETE, Outcome.COMPLETE, (x,), 1, {"x": x, "steps": steps})
        for n, (x, steps) in enumerate([(0.2, 1.0), (0.7, 1.0), (0.4, 3.0), (0.5, 2.0)])
    ]
    space = Space({"x": Float(low=0, high=0.5), "steps": Int(low=1, high=5, step=2)})
    spec = StudySpec(name="narrowed", task=None, space=space)

    view = sampling.View.of(spec, dimensions(space), Observations.empty(["x", "steps"]).extended(trials))

    assert view.observations.numbers_N.tolist() == [0, 2]
