"""Asked one after another, through two replicas in turn, each sampler gives the points of Optuna's own."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service import sampling
from service.sampling import suggester
from service.storage.dimensions import dimensions
from tests.service.optunas_own import Known, Make, OwnStudy
from tests.service.served import Serve
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.spec import StudySpec
from trimtab.states import Outcome

TRIALS = 50
FEWER = {"gp": 40}
"""Where each takes a second: trials end in every way before the process learns from them, and once more after."""

SEED = 7
SPACE = {
    "learning_rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
    "momentum": {
        "type": "float",
        "low": 0.5,
        "high": 0.999,
        "scale": "reverse_log",
        "when": {"optimizer": ["momentum"]},
    },
    "decay": {"type": "float", "low": 0.9, "high": 0.9999, "scale": "reverse_log"},
    "units": {"type": "int", "low": 16, "high": 512, "scale": "log"},
    "layers": {"type": "int", "low": 1, "high": 9, "step": 2},
    "dropout": {"type": "float", "low": 0.0, "high": 0.6, "step": 0.1},
    "width": {"type": "float", "low": -1.0, "high": 1.0},
}
POINTS = sa.text("""
    SELECT (SELECT json_object_agg(param_name, param_value) FROM trial_params p WHERE p.trial_id = t.trial_id)
    FROM trials t ORDER BY number
""")
ONE = [{"metric": "error"}]
TWO = [{"metric": "error"}, {"metric": "speed", "direction": "maximize"}]


class OwnCmaEsSampler(optuna.samplers.CmaEsSampler):
    """Optuna's own, of the parameters that have no condition: what trials without one have, it takes for granted."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        space = super().infer_relative_search_space(study, trial)
        return {name: each for name, each in space.items() if name != "1-momentum"}


OWN: dict[str, tuple[dict[str, Any], list[dict[str, str]], Make]] = {
    "random": ({"name": "random"}, ONE, lambda seed: optuna.samplers.RandomSampler(seed=seed)),
    "tpe": ({"name": "tpe"}, ONE, lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "tpe, two objectives": ({"name": "tpe"}, TWO, lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "gp": (
        {"name": "gp", "startup_trials": 30},
        ONE,
        lambda seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=30, warn_independent_sampling=False),
    ),
    "cmaes": ({"name": "cmaes"}, ONE, lambda seed: OwnCmaEsSampler(seed=seed, warn_independent_sampling=False)),
    "nsga2": (
        {"name": "nsga2", "population_size": 8},
        TWO,
        lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=8),
    ),
    "nsga2, one objective": (
        {"name": "nsga2", "population_size": 8},
        ONE,
        lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=8),
    ),
    "nsga3": (
        {"name": "nsga3", "population_size": 8},
        TWO,
        lambda seed: optuna.samplers.NSGAIIISampler(seed=seed, population_size=8),
    ),
}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each sampler take its time, and whoever asks wait for points that are chosen ahead: none is random."""
    for name in ("LIMIT_SECONDS", "PLACE_SECONDS", "TURN_SECONDS"):
        monkeypatch.setattr(suggester, name, 120.0)


def end_of(number: int, lease: Lease) -> tuple[str, dict[str, float | None]]:
    """How a trial ends: most complete, some diverge, some are pruned, some fail."""
    width, rate, units = (float(lease.params[name]) for name in ("width", "learning_rate", "units"))  # type: ignore[arg-type]
    error = (width - 0.3) ** 2 + abs(math.log10(rate) + 2) + 1 / units
    if number % 11 == 5:
        return "diverged", {}
    if number % 13 == 7:
        return "error", {}
    if number % 9 == 4:
        return "pruned", {"error": error, "speed": width}
    return "complete", {"error": error, "speed": -units * (1 + width)}


def run_trial(client: Client, number: int, objectives: Sequence[Any], *, bound: float | None = None) -> Known:
    (lease,) = client.ask("worker", study="study").leases
    outcome, metrics = end_of(number, lease)
    curve = {}
    if metrics:
        curve = {1: float(metrics["error"] or 0.0)}
        client.report(lease, step=1, metrics=metrics)
    client.tell(lease, outcome, metrics=metrics)
    values = [float(metrics[each["metric"]] or 0.0) for each in objectives] if outcome == "complete" else None
    excesses = {} if bound is None or not metrics else {"speed": bound - float(metrics["speed"] or 0.0)}
    return Known(number, {}, Outcome(outcome), values, excesses, curve)


def recorded(engine: sa.Engine, trials: Sequence[Known]) -> list[Known]:
    """The trials with their points as they are on record, to the last bit."""
    with engine.connect() as connection:
        points = connection.execute(POINTS).scalars().all()
    return [replace(trial, point=point) for trial, point in zip(trials, points, strict=True)]


def study_of(sampler: dict[str, Any], objectives: Sequence[Any], **changes: Any) -> StudySpec:
    return spec(
        space=SPACE,
        sampler=sampler | {"seed": SEED},
        objectives=objectives,
        budget={"trials": TRIALS},
        failed_in_a_row=TRIALS,
        **changes,
    )


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("case", OWN)
def test_a_study_has_the_points_of_optunas_own_sampler(start_replica: Serve, engine: sa.Engine, case: str) -> None:
    sampler, objectives, make = OWN[case]
    study = study_of(sampler, objectives)
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(study)

    told = [run_trial(clients[number % 2], number, objectives) for number in range(FEWER.get(case, TRIALS))]
    trials = recorded(engine, told)

    own = OwnStudy(study)
    for number, trial in enumerate(trials):
        expected = own.point(make(sampling.seed_of(SEED, number)), trials[:number], number=number)
        # Optuna's pickles round an optimizer, but not for the very trial that stores it.
        wanted = pytest.approx(expected, rel=1e-12) if case == "cmaes" else expected
        assert trial.point == wanted, f"trial {number}"


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
def test_a_study_with_a_constraint_has_the_points_of_optunas_own_sampler(
    start_replica: Serve, engine: sa.Engine, name: str
) -> None:
    sampler, _, make = OWN[name if name == "tpe" else "nsga2, one objective"]
    study = study_of(sampler, ONE, constraints=[{"metric": "speed", "at_least": -100.0}])
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(study)

    told = [run_trial(clients[number % 2], number, ONE, bound=-100.0) for number in range(TRIALS)]

    own, trials = OwnStudy(study), recorded(engine, told)
    assert {excess > 0 for trial in trials for excess in trial.excesses.values()} == {True, False}
    for number, trial in enumerate(trials):
        expected = own.point(make(sampling.seed_of(SEED, number)), trials[:number], number=number)
        assert trial.point == expected, f"trial {number}"


class OwnQmcSampler(optuna.samplers.QMCSampler):
    """Optuna's own, that knows the space beforehand."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        space = dimensions(study_of({"name": "random"}, ONE).searched)
        return {d.stored_name: d.distribution for d in space if d.name != "momentum"}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_a_study_has_the_points_of_optunas_own_sequence(start_replica: Serve, engine: sa.Engine, sequence: str) -> None:
    study = study_of({"name": "qmc", "sequence": sequence}, ONE)
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(study)

    told = [run_trial(clients[number % 2], number, ONE) for number in range(TRIALS)]
    trials = recorded(engine, told)

    own = OwnStudy(study)
    for number, trial in enumerate(trials):
        sampler: BaseSampler = OwnQmcSampler(
            qmc_type=sequence,
            scramble=True,
            seed=SEED,
            warn_independent_sampling=False,
            independent_sampler=optuna.samplers.RandomSampler(seed=sampling.seed_of(SEED, number)),
        )
        expected = own.point(sampler, [], number=number)
        assert trial.point == expected, f"trial {number}"
