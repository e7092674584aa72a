"""What is wrong is said in words that go on from the field's name, and show what was given."""

import json

import pytest

from trimtab.errors import Invalid
from trimtab.spec import StudySpec
from trimtab.validation import MAX_DETAILS, from_json

NAME = "letters (a-z, A-Z), digits, '.', '_' and '-', the first a letter or digit, at most 128"
STUDY = {"name": "digits", "task": {"name": "mlp"}}

SAID: list[tuple[dict[str, object], str]] = [
    ({"colour": "red"}, "colour is unknown"),
    ({"task": {}}, "task.name is missing"),
    ({"name": 3}, "name must be a string, not 3"),
    ({"name": "my digits"}, f'name must be {NAME}, not "my digits"'),
    ({"name": "zïffern"}, f'name must be {NAME}, not "zïffern"'),
    ({"name": "a\u202eb"}, f'name must be {NAME}, not "a\\u202eb"'),
    ({"tags": [" x"]}, 'tags.0 must be 1 to 64 characters of one line, with no space before or after them, not " x"'),
    (
        {"task": {"name": "my task"}},
        (
            "task.name must be letters (a-z, A-Z), digits, '_', '.', ':' and '-', the first a letter or '_', "
            'at most 128, not "my task"'
        ),
    ),
    ({"task": "mlp"}, 'task must be an object, not "mlp"'),
    ({"budget": {"trials": 0}}, "budget.trials must be at least 1, not 0"),
    ({"budget": {"trials": 2_000_000}}, "budget.trials must be at most 1000000, not 2000000"),
    ({"budget": {"trials": True}}, "budget.trials must be an integer, not true"),
    ({"max_attempts": None}, "max_attempts must be an integer, not null"),
    ({"budget": {"trials": []}}, "budget.trials must be an integer, not a list"),
    ({"sampler": {"name": "tpe", "seed": 2**32}}, "sampler.seed must be below 4294967296, not 4294967296"),
    (
        {"space": {"x": {"type": "text"}}},
        "space.x has an unknown 'type', \"text\"; there are 'float', 'int', 'categorical'",
    ),
    ({"sampler": {}}, "sampler lacks 'name', which says what kind it is"),
    ({"objectives": []}, "objectives has too few items: at least 1"),
    ({"objectives": {}}, "objectives must be a list, not an object"),
    (
        {"objectives": [{"metric": "validation_error", "direction": "up"}]},
        "objectives.0.direction must be 'minimize' or 'maximize', not \"up\"",
    ),
    (
        {"task": {"name": "mlp", "fixed": {"l2": None}}},
        "task.fixed.l2 must be true or false, an integer, a number, a string or a list, not null",
    ),
    ({"task": {"name": "mlp", "fixed": {"l2": float("nan")}}}, "task.fixed.l2 must be a finite number, not NaN"),
    ({"name": "x" * 1_000}, f'name must be {NAME}, not "{"x" * 59}…'),
]


@pytest.mark.parametrize(("changes", "said"), SAID, ids=[said for _, said in SAID])
def test_it_is_said_in_words(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps(STUDY | changes))

    assert str(refused.value) == f"not valid: {said}"


def test_a_number_of_thousands_of_digits_is_not_repeated() -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps(STUDY | {"max_attempts": 10**4_000}))

    assert str(refused.value) == "not valid: max_attempts must be at most 100, not so large a number"


def test_of_very_many_errors_the_first_are_named() -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, json.dumps(STUDY | {f"x{n}": 1 for n in range(10_000)}))

    assert len(refused.value.errors) == MAX_DETAILS
