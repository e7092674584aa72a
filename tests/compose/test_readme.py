"""What the README promises: one command brings everything up, and the five calls work as they stand."""

import pytest

from tests import readme
from tests.compose.stack import Stack

pytestmark = pytest.mark.compose


def test_docker_compose_up_brings_up_everything(plain_stack: Stack) -> None:
    running = plain_stack.compose("ps", "--services", "--status", "running").split()

    assert sorted(running) == ["postgres", "service", "workers"]


def test_the_five_calls_of_the_readme_work_with_the_token_that_it_reads(plain_stack: Stack) -> None:
    calls = readme.five_calls(plain_stack.port).replace(f"cat {readme.TOKEN_FILE}", readme.container_token())

    created, seen, best, trials, workers = readme.documents(plain_stack.shell(calls, seconds=120))

    assert (created["name"], created["state"]) == ("digits", "running")
    assert seen["spec"] == created["spec"]
    assert (best["study"], best["state"]) == ("digits", "complete")
    assert 1 <= len(trials["items"]) <= 5
    assert [worker["is_alive"] for worker in workers["items"]] == [True]
