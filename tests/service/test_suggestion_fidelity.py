"""What running trials are suggested, through two replicas in turn, is what Optuna's own sampler would suggest."""

from collections.abc import Iterator
from dataclasses import replace
from zlib import crc32

import optuna
import pytest
import sqlalchemy as sa

from service import sampling
from service.storage.dimensions import Dimension, dimension
from tests.service.optunas_own import Known, Make, OwnStudy
from tests.service.served import Serve
from tests.service.specs import number, spec
from tests.service.test_fidelity import ONE, SEED, TWO, recorded
from trimtab.client import Client
from trimtab.message import Scalar
from trimtab.protocol import Lease
from trimtab.space import Categorical, Float, Int, Parameter, Scale
from trimtab.states import Outcome

TRIALS = 20
STARTUP = 9
"""Every way for a trial to end is there before the estimator takes over, and once more after."""

MAKE: dict[str, tuple[list[dict[str, str]], Make]] = {
    "tpe": (ONE, lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False, n_startup_trials=STARTUP)),
    "tpe, two objectives": (
        TWO,
        lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False, n_startup_trials=STARTUP),
    ),
    "random": (ONE, lambda seed: optuna.samplers.RandomSampler(seed=seed)),
}
RATE = Float(low=1e-4, high=1.0, scale=Scale.LOG)
OPTIMIZER = Categorical(choices=("momentum", "adam"))
MOMENTUM = Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG)
UNITS = Int(low=16, high=512, scale=Scale.LOG)
WIDTH = Float(low=-1.0, high=1.0)
KERNEL = Int(low=1, high=9, step=2)

Asked = list[tuple[Dimension, Scalar]]


class Objective:
    """What one trial asks for: with conditions, a list, and ranges that differ from trial to trial."""

    def __init__(self, client: Client, lease: Lease) -> None:
        self._client = client
        self._lease = lease
        self.asked: Asked = []

    def train(self) -> float:
        """Return its error."""
        at = self._lease.trial
        error = abs(number(self._suggest("rate", RATE)) - 0.01)
        if self._suggest("optimizer", OPTIMIZER) == "momentum":
            error += 1 - number(self._suggest("momentum", MOMENTUM))
        for layer in range(int(number(self._suggest("layers", Int(low=1, high=2 + at % 2))))):
            error += 1 / number(self._suggest(f"units_{layer}", UNITS))
        error += number(self._suggest("dropout", Float(low=0.0, high=0.5 + 0.1 * (at % 2), step=0.1)))
        error += abs(number(self._suggest("width", WIDTH)) - 0.3) + number(self._suggest("kernel", KERNEL)) / 100
        low = 50.0 * (at % 3)
        return error + number(self._suggest("far", Float(low=low, high=low + 1.0))) / 100

    def _suggest(self, name: str, parameter: Parameter) -> Scalar:
        value = self._client.suggest(self._lease, name, parameter)
        self.asked.append((dimension(name, parameter), value))
        return value


def run_trial(client: Client, objectives: int) -> tuple[Known, Asked]:
    """Most trials complete, some diverge, some are pruned, some fail."""
    (lease,) = client.ask("worker", study="study").leases
    objective = Objective(client, lease)
    error = objective.train()
    outcome = {3: "diverged", 5: "error", 7: "pruned"}.get(lease.trial % 9, "complete")
    metrics = {"error": error, "speed": -error} if outcome in {"complete", "pruned"} else {}
    if metrics:
        client.report(lease, step=1, metrics=metrics)
    client.tell(lease, outcome, metrics=metrics)
    values = [error, -error][:objectives] if outcome == "complete" else None
    return Known(lease.trial, {}, Outcome(outcome), values, curve={1: error} if metrics else {}), objective.asked


def differences(own: OwnStudy, make: Make, trials: list[Known], asked: list[Asked]) -> Iterator[str]:
    for trial, dimensions in zip(trials, asked, strict=True):
        for each, value in dimensions:
            seed = sampling.seed_of(SEED, trial.number, salt=crc32(each.stored_name.encode()))
            expected = each.value(own.value(make(seed), trials[: trial.number], each, number=trial.number))
            if value != expected:
                yield f"trial {trial.number}, {each.name}: {value}, not {expected}"


@pytest.mark.parametrize("case", MAKE)
def test_a_trial_is_suggested_the_values_of_optunas_own_sampler(
    start_replica: Serve, engine: sa.Engine, case: str
) -> None:
    objectives, make = MAKE[case]
    name = case.partition(",")[0]
    sampler = {"name": name, "seed": SEED} | ({"startup_trials": STARTUP} if name == "tpe" else {})
    study = spec(space=None, sampler=sampler, objectives=objectives, budget={"trials": TRIALS}, failed_in_a_row=TRIALS)
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(study)

    ran = [run_trial(clients[at % 2], len(objectives)) for at in range(TRIALS)]

    searched = study.model_copy(update={"space": clients[0].study("study").spec.declared})
    trials = recorded(engine, [trial for trial, _ in ran])
    assert list(differences(OwnStudy(searched), make, trials, [asked for _, asked in ran])) == []


def test_a_running_trial_counts_as_a_bad_one(start_replica: Serve, engine: sa.Engine) -> None:
    client = start_replica().client
    study = spec(space=None, sampler={"name": "tpe", "seed": SEED, "startup_trials": 4})
    client.create_study(study)
    ended = [run_trial(client, 1)[0] for _ in range(6)]
    (other,) = client.ask("other", study="study").leases
    client.suggest(other, "rate", RATE)
    (lease,) = client.ask("worker", study="study").leases

    value = client.suggest(lease, "rate", RATE)

    trials = recorded(engine, [*ended, Known(6, {}, Outcome.RELEASED), Known(7, {}, Outcome.RELEASED)])
    searched = study.model_copy(update={"space": client.study("study").spec.declared})
    seed = sampling.seed_of(SEED, lease.trial, salt=crc32(b"rate"))
    own = OwnStudy(searched)
    liar = optuna.samplers.TPESampler(seed=seed, n_startup_trials=4, multivariate=False, constant_liar=True)
    running = replace(trials[6], outcome=Outcome.LOST)
    assert value == own.value(liar, [*trials[:6], running], dimension("rate", RATE), number=7)
