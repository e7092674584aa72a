"""A spec with edits made to it."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from trimtab.diagnosis import Edit
from trimtab.study import StudySpec


def amended(spec: StudySpec, edits: Iterable[Edit]) -> StudySpec:
    """Return the spec with the edits, checked as if somebody had asked for it.

    Raises:
        ValidationError: It is none that a study can have.
    """
    document = spec.model_dump(mode="json")
    for edit in edits:
        _put(document, edit)
    return StudySpec.model_validate_json(json.dumps(document))


def is_possible(spec: StudySpec, edits: Iterable[Edit]) -> bool:
    """Return whether a study can have the spec with the edits."""
    try:
        amended(spec, edits)
    except ValidationError:
        return False
    return True


def _put(document: dict[str, Any], edit: Edit) -> None:
    *parents, last = edit.path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    if edit.to is None:
        place.pop(last, None)
    else:
        place[last] = edit.to
