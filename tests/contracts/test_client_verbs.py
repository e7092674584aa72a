"""Every route has a method on the client, and what concerns a study has one on its handle."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit import samples
from trimtab.client import Client
from trimtab.errors import NotFound, TrimtabError
from trimtab.handle import StudyHandle
from trimtab.protocol import LeaseReport
from trimtab.space import Float

DESCRIPTION = json.loads((Path(__file__).parents[1] / "openapi.json").read_text())

FOR_MACHINES = {"GET /healthz", "GET /readyz", "GET /metrics"}
"""What watches a service asks these, and no person."""

SHA256 = "0" * 64

GIVEN: dict[str, object] = {
    "worker": "gpu0",
    "name": "digits",
    "number": 7,
    "trial": 7,
    "lease": samples.LEASE,
    "reports": [LeaseReport(lease="lease-7", fence=3, step=1, metrics={"error": 0.5})],
    "spec": samples.SPEC,
    "params": {"x": 0.5},
    "kind": "auto",
    "outcome": "error",
    "step": 1,
    "first": 0,
    "lines": ["begun"],
    "metrics": {"error": 0.5},
    "sha256": SHA256,
    "token_id": "7",
    "parameter": Float(low=0.0, high=1.0),
    "key": "note",
    "value": 1,
    "format": "csv",
}
"""What is given for an argument of that name."""

GIVEN_TO: dict[str, dict[str, object]] = {"make_token": {"kind": "reader"}, "ask": {"key": None}}
"""Where that name means something else."""


def verbs() -> Iterator[tuple[str, Callable[..., object]]]:
    """The methods of the client that ask the service."""
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_") and name != "close":
            yield name, method


def calls(name: str, method: Callable[..., object], path: Path) -> Iterator[dict[str, object]]:
    """The arguments of a call with all that a method needs, and of one with the trial that it may be about, too."""
    given = {**GIVEN, "path": path, **GIVEN_TO.get(name, {})}
    parameters = dict(list(inspect.signature(method).parameters.items())[1:])
    needed = {key: given[key] for key, each in parameters.items() if each.default is inspect.Parameter.empty}
    yield needed
    if "trial" in parameters.keys() - needed.keys():
        yield {**needed, "trial": 7}


def asked_by(name: str, arguments: dict[str, object]) -> str:
    """Return the first request that a call makes, as method and route."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        problem = NotFound("that is not what this is about").to_problem()
        return httpx2.Response(404, text=problem.model_dump_json())

    with Client("http://service", "token", transport=httpx2.MockTransport(answer)) as client:
        try:
            found: Any = getattr(client, name)(**arguments)
            next(iter(found))
        except TrimtabError:
            pass
    return f"{asked[0].method} {route(asked[0].url.path)}"


def route(path: str) -> str:
    """Return the route that a path belongs to, as the description writes it."""
    patterns = {known: re.sub(r"{\w+}", "[^/]+", known) for known in DESCRIPTION["paths"]}
    return next((known for known, pattern in patterns.items() if re.fullmatch(pattern, path)), path)


def test_every_route_has_a_method_and_every_method_a_route(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("x,y\n1,2\n")

    asked = {asked_by(name, arguments) for name, method in verbs() for arguments in calls(name, method, path)}

    routes = {f"{verb.upper()} {path}" for path, verbs in DESCRIPTION["paths"].items() for verb in verbs}
    assert asked == routes - FOR_MACHINES


RENAMED = {"study": "read", "change_study": "change", "delete_study": "delete"}

NOT_ON_A_HANDLE = {
    "exported": "frame and curves read it",
    "better_trial": "watch reads it",
    "put_dataset": "of a data set",
    "dataset": "of a data set",
    "fetch_dataset": "of a data set",
    "delete_dataset": "of a data set",
}


def on_studies() -> Iterator[str]:
    """The names of the client's methods that a handle has as well."""
    for name, method in verbs():
        if list(inspect.signature(method).parameters)[1:2] == ["name"] and name not in NOT_ON_A_HANDLE:
            yield name


@pytest.mark.parametrize("name", list(on_studies()))
def test_every_verb_on_a_study_is_on_its_handle_with_the_same_arguments(name: str) -> None:
    method = getattr(StudyHandle, RENAMED.get(name, name))

    _, _, *wanted = inspect.signature(getattr(Client, name)).parameters.values()
    _, *given = inspect.signature(method).parameters.values()
    # Its three states have a verb each.
    named = [each.name for each in wanted if (name, each.name) != ("change_study", "state")]
    assert [each.name for each in given] == named
