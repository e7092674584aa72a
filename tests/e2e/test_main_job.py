"""A study, trained by a real worker on real digits; and the same study read by Optuna alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, Workers, serving
from tests.service.specs import number
from trimtab.client import Client
from trimtab.message import Params
from trimtab.protocol import TrialHistory
from trimtab.spec import StudySpec
from trimtab.states import Decision, StudyState, TrialState
from trimtab.tasks import MLP
from trimtab.tasks.checks import default_space

TRIALS = 16
EPOCHS = 12

# Two slots that ask at once get points that no seed decides: of the default space some would diverge.
SPACE = default_space(MLP).model_dump(mode="json")
SPACE["learning_rate"]["high"] = 0.01

DIGITS = StudySpec.model_validate_json(
    json.dumps(
        {
            "name": "digits",
            "task": {"name": "mlp", "data": {"dataset": "digits"}, "fixed": {"epochs": EPOCHS}},
            "space": SPACE,
            "pruner": {"name": "median", "startup_trials": 5, "warmup_steps": 3},
            "budget": {"trials": TRIALS},
        }
    )
)

READ_BY_OPTUNA = """
import json, sys
import optuna

study = optuna.load_study(study_name="digits", storage=sys.argv[1])
trials = [
    {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "params": trial.params,
        "values": trial.values,
        "curve": [[step, value] for step, value in sorted(trial.intermediate_values.items())],
    }
    for trial in study.trials
]
print(json.dumps({"trials": trials, "best": study.best_trial.number, "direction": study.direction.name.lower()}))
"""


@dataclass(frozen=True)
class Trained:
    """A study that a worker has found and trained before it went because there was nothing more to do."""

    database_url: str
    client: Client

    def trials(self) -> list[TrialHistory]:
        return [self.client.trial("digits", trial.number) for trial in self.client.trials("digits")]


@pytest.fixture(scope="module")
def trained(postgres: sa.Engine, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    with ExitStack() as ending:
        database_url = ending.enter_context(fresh_database(postgres, template))
        server = ending.enter_context(serving(database_url))
        client = ending.enter_context(Client(server, TOKEN))
        client.create_study(DIGITS)
        workers = Workers(tmp_path_factory.mktemp("workers"), ending)
        worker = workers.start(server, "--slots", "2", "--exit-when-idle", "10")
        assert worker.wait() == 0, worker.said()
        yield Trained(database_url, client)


def test_trials_complete_or_are_pruned_until_the_budget_is_used_exactly(trained: Trained) -> None:
    study = trained.client.study("digits")

    trials = trained.trials()

    assert study.state is StudyState.COMPLETE
    assert (study.counts.waiting, study.counts.running, study.counts.fail) == (0, 0, 0)
    assert study.counts.complete + study.counts.pruned == TRIALS
    assert study.counts.complete >= 5
    assert study.counts.pruned >= 1
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert [trial.attempts for trial in trials] == [1] * TRIALS


def test_a_trial_reports_each_epoch_until_its_last_or_until_it_is_stopped(trained: Trained) -> None:
    trials = trained.trials()

    for trial in trials:
        steps = [report.step for report in trial.reports]
        stops = [report.step for report in trial.reports if report.verdict is Decision.STOP]
        assert steps == list(range(1, len(steps) + 1))
        assert trial.step == steps[-1]
        assert trial.values["validation_error"] == trial.reports[-1].metrics["validation_error"]
        if trial.state is TrialState.COMPLETE:
            assert (steps[-1], stops) == (EPOCHS, [])
            assert trial.metrics.items() >= trial.reports[-1].metrics.items()
        else:
            assert stops == [steps[-1]]
            assert steps[-1] > 3  # the pruner's warm-up


def test_the_best_trial_is_the_complete_one_with_the_smallest_error(trained: Trained) -> None:
    best = trained.client.best_trial("digits")

    errors = [errors_of(trial) for trial in trained.trials() if trial.state is TrialState.COMPLETE]
    assert best.values["validation_error"] == min(errors) < 0.1
    assert (best.study_state, best.finished_trials, best.step) == (StudyState.COMPLETE, TRIALS, EPOCHS)
    assert best.params == trained.client.trial("digits", best.number).params


def test_optuna_alone_reads_every_parameter_intermediate_value_and_state(trained: Trained) -> None:
    command = [sys.executable, "-c", READ_BY_OPTUNA, trained.database_url]
    trials = trained.trials()
    assert {name for trial in trials for name in trial.params} == set(default_space(MLP))

    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "trials": [as_in_optuna(trial) for trial in trials],
        "best": trained.client.best_trial("digits").number,
        "direction": "minimize",
    }


def errors_of(trial: TrialHistory) -> float:
    error = trial.values["validation_error"]
    assert error is not None
    return error


def as_in_optuna(trial: TrialHistory) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.value,
        "params": stored(trial.params),
        "values": [errors_of(trial)],
        "curve": [[report.step, report.metrics["validation_error"]] for report in trial.reports],
    }


def stored(params: Params) -> dict[str, Any]:
    """Return params as they are on record: what counts by its distance from one is that distance there."""
    distant = params.get("momentum")
    others = {name: value for name, value in params.items() if name != "momentum"}
    return others if distant is None else {**others, "1-momentum": pytest.approx(1 - number(distant), rel=1e-12)}
