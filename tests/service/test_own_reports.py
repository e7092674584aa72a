"""What own code reports, and what its trials say of why they were stopped."""

from typing import Any

import optuna
import pytest

import trimtab
from tests.service.runs import EAGER, complete
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.states import TrialState


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
