"""What the README promises: one command brings everything up, and the five calls work as they stand."""

import json
import re
from typing import Any

import pytest

from tests.compose.stack import ROOT, Stack

pytestmark = pytest.mark.compose


def test_docker_compose_up_brings_up_everything(plain_stack: Stack) -> None:
    running = plain_stack.compose("ps", "--services", "--status", "running").split()

    assert sorted(running) == ["postgres", "service", "workers"]


def test_the_five_calls_of_the_readme_work_with_the_token_that_it_reads(plain_stack: Stack) -> None:
    readme = (ROOT / "README.md").read_text().replace("http://127.0.0.1:8000", f"http://127.0.0.1:{plain_stack.port}")
    (token,) = re.findall(r"^docker compose exec .*$", readme, flags=re.MULTILINE)
    (calls,) = re.findall(r"^```sh\nTOKEN=.*?\n(.*?curl.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)

    created, seen, best, trials, workers = documents(plain_stack.shell(f"TOKEN=$({token})\n{calls}", seconds=120))

    assert (created["name"], created["state"]) == ("digits", "running")
    assert seen["spec"] == created["spec"]
    assert (best["study"], best["state"]) == ("digits", "complete")
    assert 1 <= len(trials["items"]) <= 5
    assert [worker["is_alive"] for worker in workers["items"]] == [True]


def documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after the other."""
    found = []
    while text := text.lstrip():
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
