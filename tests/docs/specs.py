"""The documents that pages show, and what each of them is."""

import json
from typing import Any

from tests.docs.pages import Block
from trimtab.spec import StudySpec
from trimtab.spec_files import spec_of

_TRAINED = {"name": "shown", "task": {"name": "mlp"}}
_TOLD = {"name": "shown", "task": None, "space": {"x": {"type": "float", "low": 0, "high": 1}}}


def accept(block: Block) -> StudySpec:
    """Return the study that a YAML block says; or that a JSON block says, or is a part of: the task, the space, fields.

    Raises:
        ValueError, Invalid: It is no such thing.
    """
    if block.language == "yaml":
        return spec_of(block.text.encode()).resolved()
    found = _parts(_read(block))
    try:
        return StudySpec.model_validate(_TRAINED | found).resolved()
    except ValueError:
        if "task" in found:
            raise
    return StudySpec.model_validate(_TOLD | found).resolved()


def _read(block: Block) -> Any:
    # One field of a study may stand alone, without the braces around it.
    text = block.text.strip()
    return json.loads(text if text.startswith("{") else f"{{{text}}}")


def _parts(found: dict[str, Any]) -> dict[str, Any]:
    if set(found) <= set(StudySpec.model_fields) and not {"data", "fixed"} & set(found):
        return found
    if "name" in found:
        return {"task": found}
    return {"space": found}
