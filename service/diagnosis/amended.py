"""A spec with edits made to it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from trimtab import fitting
from trimtab.data import DatasetFacts
from trimtab.diagnosis import Edit
from trimtab.spec import StudySpec


def amended(spec: StudySpec, edits: Iterable[Edit]) -> StudySpec:
    """Return the spec with the edits, checked as if somebody had asked for it.

    Raises:
        ValidationError: It is none that a study can have.
    """
    document = spec.model_dump(mode="json")
    for edit in edits:
        _put(document, edit)
    return StudySpec.model_validate_json(json.dumps(document))


def is_possible(spec: StudySpec, edits: Iterable[Edit], datasets: Mapping[str, DatasetFacts]) -> bool:
    """Return whether a study can have the spec with the edits, and it goes with its data as far as that is known."""
    try:
        edited = amended(spec, edits)
    except ValidationError:
        return False
    return edited.task is None or not fitting.problems(edited.task, edited.declared, datasets)


def _put(document: dict[str, Any], edit: Edit) -> None:
    *parents, last = edit.path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    if edit.to is None:
        place.pop(last, None)
    else:
        place[last] = edit.to
