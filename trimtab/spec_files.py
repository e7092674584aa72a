"""A study's spec as people write it into a file: JSON or YAML."""

import json
import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import yaml

from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem
from trimtab.spec import StudySpec
from trimtab.validation import from_json


def spec_of(text: bytes) -> StudySpec:
    """Return the spec that a text holds: JSON where it begins with a brace, else YAML.

    Raises:
        Invalid: It is neither, a key stands twice in it, or some field is not as it must be.
    """
    is_json = text.lstrip().startswith(b"{")
    found = _json(text) if is_json else _yaml(text)
    if found is None:
        raise Invalid("the file is empty: a study has at least a name and a task")
    if problems := list(_shortened(found)):
        raise Invalid("not valid", errors=problems)
    return from_json(StudySpec, json.dumps(found))


def _shortened(found: object) -> Iterator[FieldProblem]:
    """Yield what stands there by its name alone, as on the command line and in Python it may."""
    for field in ("task", "sampler", "pruner"):
        name = found.get(field) if isinstance(found, dict) else None
        if isinstance(name, str):
            yield FieldProblem(field=field, message=f"must be an object, not a text: write {{name: {name}}}")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the file is no JSON: {error}") from error


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Invalid(f"the file has the key {key!r} twice in one object")
        found[key] = value
    return found


def _yaml(text: bytes) -> Any:
    try:
        found = yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
        json.dumps(found)
    except yaml.MarkedYAMLError as error:
        raise Invalid(f"the file is no YAML{_place(error.problem_mark)}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Invalid(f"the file holds what no JSON can: {error}") from error
    return found


def _place(mark: yaml.Mark | None) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _Loader(yaml.SafeLoader):
    """Numbers and truth values as YAML 1.2 and JSON have them, so that 1e-4 is a number and `no` a word."""

    yaml_implicit_resolvers = {
        first: [(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})$"))]
        for kind, firsts, pattern in [
            ("null", ["", "~", "n"], "|~|null"),
            ("bool", "tf", "true|false"),
            ("merge", "<", "<<"),
        ]
        for first in firsts
    } | {
        first: [
            ("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$")),
            (
                "tag:yaml.org,2002:float",
                re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
            ),
        ]
        for first in "-+.0123456789"
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            name = getattr(key, "value", None)
            if isinstance(name, str) and name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name if isinstance(name, str) else id(key))
        return super().construct_mapping(node, deep)
