"""What is wrong with a field, in words that go on from its name: "budget.trials must be at least 1, not 0"."""

import json
from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails

from trimtab.message import PATTERNS

_MUST = "must be "

# By pydantic's name of the error; braces are filled from its context.
_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "json_invalid": "is not JSON: {error}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "int_parsing_size": "must be an integer of fewer digits",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a string",
    "string_unicode": "must be a string of whole characters",
    "string_pattern_mismatch": "must {form}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "has too few items: at least {min_length}",
    "too_long": "has too many items: at most {max_length}",
    "union_tag_not_found": "lacks {discriminator}, which says what kind it is",
    "union_tag_invalid": "has an unknown {discriminator}, {tag}; there are {expected_tags}",
}

_LENGTHS = frozenset({"string_too_long", "string_too_short"})

_LONGEST_VALUE = 60


def message(details: Sequence[ErrorDetails]) -> str:
    """Return what is wrong with one field.

    Args:
        details: Pydantic's errors about it. Several: one for each branch of a union, of which one must fit.
    """
    # A branch for values of the type that was given says the most.
    telling = [detail for detail in details if not detail["type"].endswith("_type")] or details
    words = list(dict.fromkeys(_words(detail) for detail in telling))
    return _joined(words) + _not_what_was_given(telling[0], words[0])


def _words(detail: ErrorDetails) -> str:
    if template := _WORDS.get(detail["type"]):
        context = detail.get("ctx", {})
        return template.format_map(
            {**context, "tag": _shown(context.get("tag")), "form": _form(context.get("pattern"))}
        )
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _form(pattern: str | None) -> str:
    return PATTERNS.get(pattern or "", f"match {pattern}")


def _joined(words: Sequence[str]) -> str:
    *most, last = [word.removeprefix(_MUST) for word in words]
    return f"{_MUST}{', '.join(most)} or {last}" if most else words[0]


def _not_what_was_given(detail: ErrorDetails, words: str) -> str:
    if not words.startswith("must") or detail["type"] in _LENGTHS:
        return ""
    match detail["input"]:
        case dict() if detail["type"].endswith("_type"):
            return ", not an object"
        case list() | tuple():
            return ", not a list"
        case None | bool() | int() | float() | str() as given:
            return f", not {_shown(given)}"
        case _:
            return ""


def _shown(given: str | float | None) -> str:
    if isinstance(given, int) and abs(given) >= 10**_LONGEST_VALUE:
        return "so large a number"
    # As it was typed, where all of it can be seen: what turns text around, or ends a line, as an escape.
    shown = json.dumps(given, ensure_ascii=not isinstance(given, str) or not given.isprintable())
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}…"
