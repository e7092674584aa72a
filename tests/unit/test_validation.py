"""Errors name the field as the sender wrote it."""

import pytest

from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem, LeaseReports, Report
from trimtab.spec import StudySpec
from trimtab.validation import built, from_json


@pytest.mark.parametrize("text", ["", "{", '{"name": "\\ud800"}', "{'name': 1}", "[" * 10_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="JSON"):
        from_json(StudySpec, text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"digits"'])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, text)

    assert [problem.field for problem in refused.value.errors] == ["body"]


def test_a_branch_of_a_union_is_no_part_of_a_fields_name() -> None:
    spec = '{"name": "x", "task": null, "space": {"float": {"type": "int", "low": 1}}}'

    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, spec)

    assert refused.value.errors == (FieldProblem(field="space.float.high", message="is missing"),)


def test_a_value_of_no_branch_is_one_problem() -> None:
    with pytest.raises(Invalid) as refused:
        from_json(StudySpec, '{"name": "x", "task": {"name": "mlp", "fixed": {"epochs": null}}}')

    (problem,) = refused.value.errors
    assert problem.field == "task.fixed.epochs"
    assert "true or false, an integer, a number, a string or a list, not null" in problem.message


def test_items_at_fault_do_not_make_a_list_too_short() -> None:
    with pytest.raises(Invalid) as refused:
        from_json(LeaseReports, '{"reports": [{"step": 0, "metrics": {"loss": 1}, "lease": "a", "fence": 1}]}')

    assert [problem.field for problem in refused.value.errors] == ["reports.0.step"]


def test_arguments_are_checked_like_bodies() -> None:
    with pytest.raises(Invalid, match="step must be at least 1, not 0"):
        built(Report, {"step": 0, "metrics": {"loss": 1.0}})
