"""Errors cross the wire whole."""

import inspect

import pytest

from trimtab import errors
from trimtab.errors import Conflict, Invalid, LeaseLost, NotFound, Refused, StudyExists, TrimtabError, from_problem
from trimtab.protocol import FieldProblem, Problem

REFUSALS = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Refused)]


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [refusal.code for refusal in REFUSALS]

    assert len(codes) > 15
    assert len(set(codes)) == len(codes)


def test_a_narrower_refusal_has_the_status_of_the_wider_one() -> None:
    narrower = [refusal for refusal in REFUSALS if refusal.__base__ not in {Refused, TrimtabError}]

    assert narrower
    assert all(refusal.status == refusal.__base__.status for refusal in narrower)  # type: ignore[union-attr]


def test_the_picture_shows_every_error() -> None:
    defined = [name for name, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, TrimtabError)]

    assert errors.__doc__ is not None
    assert [name for name in defined if name not in errors.__doc__] == []


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_comes_back_as_it_went(refusal: type[Refused]) -> None:
    sent = refusal("no such luck", errors=[FieldProblem(field="budget.trials", message="is too small")])

    received = from_problem(Problem.model_validate_json(sent.to_problem().model_dump_json()), retry_after=3)

    assert type(received) is refusal
    assert (received.detail, received.errors, received.retry_after) == (sent.detail, sent.errors, 3)
    assert received.to_problem() == sent.to_problem()


@pytest.mark.parametrize(
    ("status", "code", "nearest"),
    [
        (409, "no_such_conflict", Conflict),
        (404, "no_such_model", NotFound),
        (422, "several", Invalid),
        (418, "no_such_status", Refused),
        (500, "lease_lost", LeaseLost),
    ],
)
def test_a_code_of_a_newer_service_becomes_the_nearest_error(status: int, code: str, nearest: type[Refused]) -> None:
    problem = Problem(type="about:blank", title="new", status=status, detail="new", code=code)

    assert type(from_problem(problem)) is nearest


def test_a_refusal_says_what_and_where() -> None:
    refused = StudyExists("study 'a' exists", errors=[FieldProblem(field="budget", message="differs")])

    assert str(refused) == "study 'a' exists: budget differs"
    assert isinstance(refused, Conflict)
