"""The description of the API (OpenAPI): FastAPI's, with our problems, exact objects, and what leads where."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from trimtab.protocol import Problem

_BODY = "$response.body#"
_STUDY = {"name": f"{_BODY}/name"}
_FIRST_STUDY = {"name": f"{_BODY}/items/0/name"}
_FIRST_LEASE = {"lease_id": f"{_BODY}/leases/0/id", "Trimtab-Fence": f"{_BODY}/leases/0/fence"}
_FIRST_TRIAL = {"name": f"{_BODY}/items/0/study", "number": f"{_BODY}/items/0/number"}
_LEASED_TRIAL = {"name": f"{_BODY}/leases/0/study", "number": f"{_BODY}/leases/0/trial"}
_OF_A_STUDY = ("read_study", "read_best_trial", "list_trials")
_CHANGES = ("change_study", "delete_study")
_ON_A_LEASE = ("report", "heartbeat", "put_checkpoint", "get_checkpoint", "tell")
_OF_A_TRIAL = ("read_trial", "stop_trial")

# By the operation and the status of its answer: which operations take what of it, and as which parameters.
_LINKS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    **{("create_study", status): dict.fromkeys((*_OF_A_STUDY, *_CHANGES), _STUDY) for status in ("200", "201")},
    ("list_studies", "200"): dict.fromkeys(_OF_A_STUDY, _FIRST_STUDY),
    ("list_trials", "200"): dict.fromkeys(_OF_A_TRIAL, _FIRST_TRIAL),
    ("ask", "200"): {
        **dict.fromkeys(_ON_A_LEASE, _FIRST_LEASE),
        **dict.fromkeys(_OF_A_TRIAL, _LEASED_TRIAL),
    },
    ("make_token", "201"): {"revoke_token": {"token_id": f"{_BODY}/id"}},
    ("tell", "200"): {"read_trial": {"name": f"{_BODY}/study", "number": f"{_BODY}/trial"}},
}
# Asks for trials of a study that an answer names.
_ASKS = {
    ("create_study", "200"): f"{_BODY}/name",
    ("create_study", "201"): f"{_BODY}/name",
    ("list_studies", "200"): f"{_BODY}/items/0/name",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of the API of `app`."""
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for schema in _objects(schemas):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
    for operation in (operation for verbs in found["paths"].values() for operation in verbs.values()):
        _link(operation)
    return found


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in `value`, itself included."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def _link(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        answer = operation["operationId"], status
        links: dict[str, Any] = {
            target: {"operationId": target, "parameters": parameters}
            for target, parameters in _LINKS.get(answer, {}).items()
        }
        if study := _ASKS.get(answer):
            links["ask"] = {"operationId": "ask", "requestBody": {"worker": "linked", "study": study}}
        if links:
            response["links"] = links
