"""What clients, workers and the service say to each other."""

import json
from typing import Any

import pytest

from trimtab.errors import Invalid
from trimtab.message import Message
from trimtab.protocol import Ask, Counts, LeaseReports, Report, Tell
from trimtab.states import Outcome, StudyState
from trimtab.validation import from_json

REPORT = {"step": 1, "metrics": {"validation_error": 0.5}}

BAD_BODIES: dict[str, tuple[type[Message], dict[str, Any], str]] = {
    "a report before the first step": (Report, {**REPORT, "step": 0}, "step"),
    "a report beyond the last step": (Report, {**REPORT, "step": 2**31}, "step"),
    "a report of half a step": (Report, {**REPORT, "step": 1.5}, "step"),
    "a report of nothing": (Report, {**REPORT, "metrics": {}}, "metrics"),
    "a report of a word": (Report, {**REPORT, "metrics": {"loss": "low"}}, "metrics.loss"),
    "a report of a truth value": (Report, {**REPORT, "metrics": {"loss": True}}, "metrics.loss"),
    "a report of too much": (Report, {**REPORT, "metrics": {f"m{n}": 0 for n in range(65)}}, "metrics"),
    "a report under no name": (Report, {**REPORT, "metrics": {"": 0.5}}, "metrics."),
    "a report with an unknown field": (Report, {**REPORT, "epoch": 1}, "epoch"),
    "reports without a fence": (LeaseReports, {"reports": [{**REPORT, "lease": "a"}]}, "reports.0.fence"),
    "no reports": (LeaseReports, {"reports": []}, "reports"),
    "an ask by nobody": (Ask, {"worker": ""}, "worker"),
    "an ask for nothing": (Ask, {"worker": "gpu0", "count": 0}, "count"),
    "an ask for too much": (Ask, {"worker": "gpu0", "count": 257}, "count"),
    "an ask for ever": (Ask, {"worker": "gpu0", "wait": 61}, "wait"),
    "an ask for a task without a name": (Ask, {"worker": "gpu0", "tasks": ["mlp", ""]}, "tasks.1"),
    "an ask for one task in place of a list": (Ask, {"worker": "gpu0", "tasks": "mlp"}, "tasks"),
    "a tell of an unknown end": (Tell, {"outcome": "finished"}, "outcome"),
    "a tell of a loss that only the service sees": (Tell, {"outcome": "lost"}, "outcome"),
    "a tell that cannot be stored": (Tell, {"outcome": "error", "message": "\0"}, "message"),
    "a tell of too many words": (Tell, {"outcome": "error", "message": "x" * 10_001}, "message"),
}


@pytest.mark.parametrize(("message", "body", "field"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_is_refused(message: type[Message], body: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(message, json.dumps(body))

    assert [problem.field for problem in refused.value.errors] == [field]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_finite_never_crosses_the_wire(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(Report, f'{{"step": 1, "metrics": {{"loss": {number}}}}}')

    assert [problem.field for problem in refused.value.errors] == ["metrics.loss"]


def test_null_stands_for_what_is_not_finite() -> None:
    assert from_json(Report, '{"step": 1, "metrics": {"loss": null}}').metrics == {"loss": None}


def test_a_worker_may_tell_every_end_but_a_lost_lease() -> None:
    told = [from_json(Tell, json.dumps({"outcome": outcome})) for outcome in Outcome if outcome is not Outcome.LOST]

    assert len(told) == len(Outcome) - 1


def test_complete_pruned_and_failed_trials_are_finished() -> None:
    assert Counts(waiting=1, running=2, complete=4, pruned=8, fail=16).finished == 4 + 8 + 16


def test_a_complete_or_stopped_study_has_ended() -> None:
    assert {state for state in StudyState if state.is_ended} == {StudyState.COMPLETE, StudyState.STOPPED}
