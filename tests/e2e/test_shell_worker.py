"""Trials trained by a program in any language: curl and a POSIX shell say to the service what it prints."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
import sqlalchemy as sa

from tests.e2e.running import REPOSITORY, TOKEN, wait_for
from tests.service import record
from tests.service.runs import EAGER
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import TrialHistory
from trimtab.states import Outcome, TrialState

SHELL = REPOSITORY / "examples/shell"
START = Callable[..., subprocess.Popen[str]]

RENEWED_AT = "SELECT max(renewed_at) FROM trimtab_leases"

WAITING = """
    echo '{"error": 0.5}'
    while [ ! -e go ]; do sleep 0.02; done
    echo '{"error": 0.25}'
"""
"""A program that trains in silence until it may go on."""


@pytest.fixture
def start(server: str, tmp_path: Path) -> Iterator[START]:
    """Start the worker on the study, with a program."""
    environment = os.environ | {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": TOKEN, "TMPDIR": str(tmp_path)}
    with ExitStack() as ending:

        def start(*program: str) -> subprocess.Popen[str]:
            command = ["/bin/sh", str(SHELL / "worker.sh"), "study", *program]
            worker = subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            ending.enter_context(worker)
            ending.callback(worker.send_signal, SIGKILL)
            return worker

        yield start


def ended(worker: subprocess.Popen[str]) -> tuple[str, int]:
    """Return what the worker said, and its exit code."""
    said, _ = worker.communicate(timeout=300)
    return said, worker.returncode


def begun(client: Client) -> TrialHistory:
    """Return the first trial as soon as it has reported."""

    def look() -> TrialHistory | None:
        found = client.trial("study", 0) if list(client.trials("study")) else None
        return found if found and found.reports else None

    return wait_for(look)


def test_a_study_is_trained_to_its_end_by_the_example(client: Client, start: START, tmp_path: Path) -> None:
    space = {
        "learning_rate": {"type": "float", "low": 0.01, "high": 0.3, "scale": "log"},
        "momentum": {"type": "float", "low": 0.1, "high": 0.8},
    }
    client.create_study(spec(space=space, objectives=[{"metric": "validation_error"}], budget={"trials": 2}))

    said, code = ended(start(str(SHELL / "training.sh")))

    trials = [client.trial("study", number) for number in range(2)]
    assert (code, len(said.splitlines())) == (0, 2), said
    assert [(trial.state, trial.step, len(trial.reports)) for trial in trials] == [(TrialState.COMPLETE, 20, 20)] * 2
    assert all(trial.values["validation_error"] == trial.reports[-1].metrics["validation_error"] for trial in trials)
    assert len({trial.values["validation_error"] for trial in trials}) == 2
    assert list(tmp_path.glob("trimtab-*")) == []


def test_the_program_of_a_trial_that_is_to_stop_is_killed(client: Client, start: START) -> None:
    client.create_study(spec(pruner=EAGER, budget={"trials": 1}))
    client.add_trial("study", {"x": 0.5}, metrics={"error": 0.1}, curve={1: {"error": 0.1}})

    said, code = ended(start("sh", "-c", "echo '{\"error\": 0.9}'; exec sleep 1000"))

    assert (code, said) == (0, 'trial 1: pruned after 1 steps: {"error": 0.9}\n')
    assert client.trial("study", 1).state is TrialState.PRUNED


def test_a_program_that_fails_is_its_trials_error_with_its_exit_code(client: Client, start: START) -> None:
    client.create_study(spec(budget={"trials": 1}))

    _, code = ended(start("sh", "-c", "echo '{\"error\": 0.9}'; exit 7"))

    (attempt,) = client.trial("study", 0).history
    assert (code, attempt.outcome, attempt.message) == (0, Outcome.ERROR, "step 1, exit code 7")


@pytest.mark.parametrize(("program", "code"), [("./plain", 126), ("./nowhere", 127)])
def test_a_program_that_cannot_be_started_burns_no_trial(
    client: Client, start: START, tmp_path: Path, program: str, code: int
) -> None:
    client.create_study(spec(budget={"trials": 1}))
    (tmp_path / "plain").write_text("echo '{}'")

    said, ended_with = ended(start(program))

    assert ended_with == code
    assert f"{program} cannot be started: is it there, and may it be executed (chmod +x)?" in said
    assert [trial.state for trial in client.trials("study")] == [TrialState.WAITING]
    assert list(tmp_path.glob("trimtab-*")) == []


@pytest.mark.parametrize("printed", ["", "epoch 1 of 20", '{"loss": 0.5}'])
def test_a_program_that_does_not_say_what_the_study_needs_fails_with_the_reason(
    client: Client, start: START, printed: str
) -> None:
    client.create_study(spec(budget={"trials": 1}))

    said, code = ended(start("echo", printed))

    assert code == 0
    assert '"code":"invalid"' in said
    assert client.trial("study", 0).outcome is Outcome.ERROR


def test_a_last_line_without_newline_counts(client: Client, start: START) -> None:
    client.create_study(spec(budget={"trials": 1}))

    said, code = ended(start("printf", '{"error": 0.9}\n{"error": 0.5}'))

    assert (code, said) == (0, 'trial 0: complete after 2 steps: {"error": 0.5}\n')


def test_a_program_is_not_given_the_token(client: Client, start: START, tmp_path: Path) -> None:
    client.create_study(spec(budget={"trials": 1}))

    ended(start("sh", "-c", "env >seen; echo '{\"error\": 0.5}'"))

    seen = (tmp_path / "seen").read_text()
    assert "PARAMS=" in seen
    assert TOKEN not in seen
    assert "TRIMTAB_TOKEN" not in seen


# A heartbeat is due each three seconds, and may be late by more.
@pytest.mark.parametrize("lease_seconds", [12.0])
def test_a_silent_program_keeps_its_trial(client: Client, start: START, engine: sa.Engine, tmp_path: Path) -> None:
    client.create_study(spec(budget={"trials": 1}))

    worker = start("sh", "-c", WAITING)
    begun(client)
    at_first = record.value(engine, RENEWED_AT)
    wait_for(lambda: record.value(engine, RENEWED_AT) != at_first)
    (tmp_path / "go").touch()

    assert ended(worker)[1] == 0
    assert [attempt.outcome for attempt in client.trial("study", 0).history] == [Outcome.COMPLETE]


def test_a_lost_trial_is_dropped_and_the_worker_goes_on(
    client: Client, start: START, engine: sa.Engine, tmp_path: Path
) -> None:
    client.create_study(spec(budget={"trials": 1}))

    worker = start("sh", "-c", WAITING)
    begun(client)
    record.let_leases_run_out(engine)
    (tmp_path / "go").touch()
    said, code = ended(worker)

    found = client.trial("study", 0)
    assert code == 0
    assert said.splitlines() == [
        "trial 0: another worker has it, or nobody wants it",
        'trial 0: complete after 2 steps: {"error": 0.25}',
    ]
    assert [attempt.outcome for attempt in found.history] == [Outcome.LOST, Outcome.COMPLETE]


def test_a_worker_that_is_told_to_end_gives_its_trial_back(client: Client, start: START, tmp_path: Path) -> None:
    client.create_study(spec(budget={"trials": 1}))

    worker = start("sh", "-c", WAITING)
    begun(client)
    worker.send_signal(SIGTERM)

    assert ended(worker)[1] == 143
    assert [attempt.outcome for attempt in client.trial("study", 0).history] == [Outcome.RELEASED]
    assert list(tmp_path.glob("trimtab-*")) == []


def test_a_study_that_is_not_there_is_said_at_once(start: START) -> None:
    said, code = ended(start("true"))

    assert code == 1
    assert "study_not_found" in said
