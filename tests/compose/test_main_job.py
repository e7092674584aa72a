"""The main job in containers: a study by REST, and workers that are killed or told to stop under it."""

import json

import pytest

from tests.compose.stack import TWO_WORKERS, Stack, docker, wait_for
from trimtab.client import Client
from trimtab.protocol import Study, Worker
from trimtab.spec import StudySpec
from trimtab.states import Outcome, StudyState, TrialState

pytestmark = [pytest.mark.compose, pytest.mark.usefixtures("ending_workers")]
TRIALS = 12
TRAINED_SECONDS = 240
CONTACT_SECONDS = 60


def test_a_study_ends_exactly_though_a_worker_is_killed(stack: Stack, client: Client) -> None:
    # Some seconds a trial, none of which the pruner stops before five are complete: the first are surely held.
    client.create_study(spec("digits", epochs=400, trials=TRIALS))

    killed = wait_for(lambda: holders(client, at_least=1), seconds=CONTACT_SECONDS)[0]
    docker("kill", "--signal", "KILL", str(killed.host))
    study = wait_for(lambda: ended(client, "digits"), seconds=TRAINED_SECONDS)

    numbers = [trial.number for trial in client.trials("digits")]
    complete = client.trials("digits", TrialState.COMPLETE)
    errors = [error for trial in complete for error in trial.values.values() if error is not None]
    first, *_, last = client.trial("digits", killed.trials[0].trial).history
    assert study.state is StudyState.COMPLETE
    assert study.counts.finished == TRIALS == study.counts.complete + study.counts.pruned
    assert numbers == list(range(TRIALS))
    assert (first.worker, first.outcome) == (killed.name, Outcome.LOST)
    assert last.worker != killed.name
    assert client.best_trial("digits").values == {"validation_error": min(errors)}
    assert min(errors) < 0.1


def test_whoever_is_told_to_stop_ends_well_and_trials_go_back_to_the_queue(stack: Stack, client: Client) -> None:
    client.create_study(spec("stopped", epochs=100_000, trials=2))
    wait_for(lambda: holders(client, at_least=2), seconds=CONTACT_SECONDS)

    stack.compose("stop", seconds=120)
    exit_codes = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container["State"]["ExitCode"]
        for container in stack.containers()
    }
    stack.up(*TWO_WORKERS)

    first_leases = [client.trial("stopped", number).history[0] for number in range(2)]
    client.delete_study("stopped")
    assert set(exit_codes) == {"secrets", "postgres", "roles", "migrate", "token", "service", "workers"}
    assert set(exit_codes.values()) == {0}
    assert [lease.outcome for lease in first_leases] == [Outcome.RELEASED] * 2


def spec(name: str, *, epochs: int, trials: int) -> StudySpec:
    """Return a study on digits of which no trial fails."""
    return StudySpec.model_validate_json(
        json.dumps(
            {
                "name": name,
                "task": {"name": "mlp", "data": {"dataset": "digits"}, "fixed": {"epochs": epochs}},
                "space": {"learning_rate": {"type": "float", "low": 1e-3, "high": 1e-2, "scale": "log"}},
                "pruner": {"name": "median", "startup_trials": 5, "warmup_steps": 3},
                "budget": {"trials": trials},
            }
        )
    )


def holders(client: Client, *, at_least: int) -> list[Worker] | None:
    """Return the workers that hold a trial, as soon as they are so many."""
    found = [worker for worker in client.workers() if worker.trials]
    return found if len(found) >= at_least else None


def ended(client: Client, name: str) -> Study | None:
    """Return a study when it has ended."""
    study = client.study(name)
    return study if study.state.is_ended else None
