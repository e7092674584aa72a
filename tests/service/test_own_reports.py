"""What own code reports, and what its trials say of why they were stopped."""

from typing import Any

import numpy as np
import optuna
import pytest

import trimtab
from tests.service.runs import EAGER
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Invalid
from trimtab.states import TrialState


def test_a_step_may_be_a_number_of_numpys(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))

    for trial in trimtab.trials("study", client=client):
        with trial:
            for step in np.arange(1, 4):
                trial.report(step, error=1 / step)

    found = client.trial("study", 0)
    assert [report.step for report in found.reports] == [1, 2, 3]
    assert (found.state, found.step) == (TrialState.COMPLETE, 3)


@pytest.mark.parametrize("step", [1.5, "1"])
def test_a_step_that_is_no_integer_is_refused(client: Client, step: Any) -> None:
    client.create_study(spec(budget={"trials": 1}))
    (lease,) = client.ask("worker", study="study").leases

    with pytest.raises(Invalid, match="step must be an integer"):
        client.report(lease, step=step, metrics={"error": 0.5})


@pytest.mark.parametrize("pruned", [optuna.TrialPruned(), optuna.TrialPruned(" "), trimtab.Pruned()])
def test_a_trial_that_is_pruned_without_a_word_says_why_it_was_told_to_stop(client: Client, pruned: Exception) -> None:
    client.create_study(spec(space=None, pruner=EAGER, budget={"trials": 1}))
    client.add_trial("study", {}, metrics={"error": 0.1}, curve={1: {"error": 0.1}})

    def objective(trial: Any) -> float:
        trial.report(0.9, 0)
        if trial.should_prune():
            raise pruned
        return 0.9

    trimtab.optimize(objective, study="study", client=client)

    found = client.trial("study", 1)
    assert (found.state, found.reason) == (TrialState.PRUNED, found.reports[0].reason)
    assert found.reason
    assert found.history[0].message is None


def test_a_trial_that_is_pruned_with_words_says_them_alone(client: Client) -> None:
    client.create_study(spec(space=None, budget={"trials": 1}))

    def objective(trial: Any) -> float:
        raise optuna.TrialPruned("no use in going on")

    trimtab.optimize(objective, study="study", client=client)

    assert client.trial("study", 0).reason == "no use in going on"


def test_what_comes_back_says_which_study_it_is_and_what_was_done_is_said_by_trimtab(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trimtab")
    client.create_study(spec(space=None, budget={"trials": 1}))

    found = trimtab.optimize(lambda trial: 0.5, study="study", client=client)

    assert repr(found) == "FoundStudy('study')"
    assert {said.name for said in caplog.records if said.getMessage().startswith("trial 0 of study")} == {"trimtab"}
