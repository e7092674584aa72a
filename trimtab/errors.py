r"""What can go wrong, one class a cause; the same class is raised by the service and by the client.

TrimtabError
|- Unreachable            no answer from the service
|- Damaged                a file that came is not the one that was sent, each time
|- Misconfigured          a setting is wrong; says what to do
\- Refused                the service said no: status, code, problem+json
   |- ProtocolMismatch    400
   |- Unauthorized        401
   |- Forbidden           403
   |- NotFound            404
   |  |- StudyNotFound, TrialNotFound, LeaseNotFound, NoCompleteTrial, NoFeasibleTrial, CheckpointNotFound,
   |  |  TokenNotFound, DatasetNotFound, FinalNotFound, ModelNotFound
   |- MethodNotAllowed    405
   |- Conflict            409
   |  |- StudyExists, LeaseLost, LeaseEnded, StepConflict, TrialEnded, SeveralObjectives, InProgress,
   |  |  TokenAlreadyShown, NothingToPrescribe, DatasetInUse, DatasetBuiltIn, TestSetRead, ConfirmationRunning
   |- StudyDeleted        410
   |- BodyTooLarge        413
   |- Invalid             422
   |  |- IdempotencyMismatch
   |- TooManyRequests     429
   |- InternalError       500
   \- Unavailable         503
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from trimtab.protocol import FieldProblem, Problem


class TrimtabError(Exception):
    """Whatever Trimtab raises."""


class Unreachable(TrimtabError):
    """The service gave no answer: it is not there, or the network is not."""


class Damaged(TrimtabError):
    """A file that came is not the one that was sent, each time: the network changes it, or the service's disk has."""


class Misconfigured(TrimtabError):
    """A setting is wrong. The message says what to do."""


class Refused(TrimtabError):
    """The service refused a request.

    Args:
        detail: What is wrong with the values, for people.
        errors: The fields at fault.
        retry_after: Seconds after which the same request may succeed; None: it will not by itself.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, errors: Sequence[FieldProblem] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.is_answer = False
        """Whether the service itself said so; else it was never asked."""

    def __str__(self) -> str:
        fields = "; ".join(f"{error.field} {error.message}" for error in self.errors)
        return f"{self.detail}: {fields}" if fields else self.detail

    def to_problem(self) -> Problem:
        """Return this error as it stands on the wire."""
        return Problem(
            type=f"urn:trimtab:problem:{self.code}",
            title=self.code.replace("_", " "),
            status=self.status,
            detail=self.detail,
            code=self.code,
            errors=self.errors,
        )


class ProtocolMismatch(Refused):
    """Who calls speaks another version of the protocol than the service."""

    status = 400
    code = "protocol_mismatch"


class Unauthorized(Refused):
    """The token is missing or wrong."""

    status = 401
    code = "unauthorized"


class Forbidden(Refused):
    """The token is valid and has no right to this."""

    status = 403
    code = "forbidden"


class NotFound(Refused):
    """There is no such thing."""

    status = 404
    code = "not_found"


class StudyNotFound(NotFound):
    """There is no study of that name."""

    code = "study_not_found"


class TrialNotFound(NotFound):
    """The study has no trial of that number."""

    code = "trial_not_found"


class LeaseNotFound(NotFound):
    """There never was such a lease."""

    code = "lease_not_found"


class NoCompleteTrial(NotFound):
    """No trial of the study is complete yet, so none is best."""

    code = "no_complete_trial"


class NoFeasibleTrial(NotFound):
    """Trials are complete, but none of them keeps the constraints, so none is best."""

    code = "no_feasible_trial"


class CheckpointNotFound(NotFound):
    """The trial has no checkpoint that can be read."""

    code = "checkpoint_not_found"


class TokenNotFound(NotFound):
    """There is no token of that id."""

    code = "token_not_found"


class DatasetNotFound(NotFound):
    """There is no data set of that name, or none with that content."""

    code = "dataset_not_found"


class FinalNotFound(NotFound):
    """No final model of the study was asked for."""

    code = "final_not_found"


class ModelNotFound(NotFound):
    """The study has no final model that can be read."""

    code = "model_not_found"


class MethodNotAllowed(Refused):
    """The path exists, the method on it does not."""

    status = 405
    code = "method_not_allowed"


class Conflict(Refused):
    """The request does not go with what is there."""

    status = 409
    code = "conflict"


class StudyExists(Conflict):
    """The name is taken by a study of another spec."""

    code = "study_exists"


class LeaseLost(Conflict):
    """The lease ran out, or the trial was given to another worker. Nothing was written."""

    code = "lease_lost"


class LeaseEnded(Conflict):
    """The lease was ended by another tell. Nothing was written."""

    code = "lease_ended"


class StepConflict(Conflict):
    """The step was reported with other metrics, or is behind one that was. Nothing was written."""

    code = "step_conflict"


class TrialEnded(Conflict):
    """The trial has ended, and cannot be stopped any more."""

    code = "trial_ended"


class SeveralObjectives(Conflict):
    """The study has several objectives, of which none says alone which trial is best."""

    code = "several_objectives"


class InProgress(Conflict):
    """The first request with this Idempotency-Key is still under way."""

    code = "in_progress"


class TokenAlreadyShown(Conflict):
    """The token was made with this Idempotency-Key and shown then. It is not kept."""

    code = "token_already_shown"


class NothingToPrescribe(Conflict):
    """The doctor proposes no edits to the study."""

    code = "nothing_to_prescribe"


class DatasetInUse(Conflict):
    """A study needs the data set."""

    code = "dataset_in_use"


class DatasetBuiltIn(Conflict):
    """The data set is built in: it is neither put nor deleted, and has no file."""

    code = "dataset_built_in"


class TestSetRead(Conflict):
    """The study's test set was read before. It was not read again."""

    __test__ = False  # pytest takes a class of this name for one of its own.

    code = "test_set_read"


class ConfirmationRunning(Conflict):
    """The study's best trials are being confirmed: which one is chosen is not known yet."""

    code = "confirmation_running"


class StudyDeleted(Refused):
    """The study of this lease was deleted."""

    status = 410
    code = "study_deleted"


class BodyTooLarge(Refused):
    """The body is over its limit."""

    status = 413
    code = "body_too_large"


class Invalid(Refused):
    """Fields are missing, unknown, of the wrong type or out of range."""

    status = 422
    code = "invalid"


class IdempotencyMismatch(Invalid):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_mismatch"


class TooManyRequests(Refused):
    """The token has used up its requests for now."""

    status = 429
    code = "too_many_requests"


class InternalError(Refused):
    """The service has a defect."""

    status = 500
    code = "internal_error"


class Unavailable(Refused):
    """The service cannot serve now, for one because its database is away."""

    status = 503
    code = "unavailable"


def from_problem(problem: Problem, *, retry_after: int | None = None) -> Refused:
    """Return the error that `problem` stands for; an unknown code becomes the nearest known class."""
    narrowest_first = list(_refusals(Refused))[::-1]
    exact = {error.code: error for error in narrowest_first}
    near = {error.status: error for error in narrowest_first}
    error = exact.get(problem.code) or near.get(problem.status, Refused)
    refused = error(problem.detail, errors=problem.errors, retry_after=retry_after)
    refused.is_answer = True
    return refused


def _refusals(error: type[Refused]) -> Iterator[type[Refused]]:
    yield error
    for narrower in error.__subclasses__():
        yield from _refusals(narrower)
