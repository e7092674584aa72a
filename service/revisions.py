"""What a change by hand makes of a study. Decisions on values only."""

import json
from collections.abc import Iterator, Mapping

from service.lifecycle import BY_HAND
from service.storage.endings import LockedStudy
from service.storage.studies import Revision
from trimtab.budget import Limits
from trimtab.errors import Conflict, Invalid
from trimtab.protocol import FieldProblem, StudyChange
from trimtab.samplers import CoarseToFineSampler, GridSampler
from trimtab.space import Bounds, Categorical, Space
from trimtab.states import StudyState
from trimtab.study import StudySpec
from trimtab.validation import from_json

_MOVES = {
    StudyState.RUNNING: {StudyState.PAUSED, StudyState.STOPPED},
    StudyState.PAUSED: {StudyState.RUNNING, StudyState.STOPPED},
    StudyState.STOPPED: {StudyState.RUNNING},
    StudyState.COMPLETE: set[StudyState](),
}


def revise(study: LockedStudy, spec: StudySpec, change: StudyChange) -> Revision:
    """Return the study as it is to be.

    Args:
        study: As it is.
        spec: With the budget and the limits that it has now.
        change: What is to be otherwise.

    Raises:
        Invalid: The budget is smaller than the number of trials that exist, or the bounds do not go with the space.
        Conflict: The study cannot be brought from its state into the other.
    """
    budget = _budget(study, change)
    limits = _limits(spec, change)
    state = _state(study, change, budget)
    is_resumed = study.state is StudyState.STOPPED and state is not StudyState.STOPPED
    return Revision(
        state=state,
        reason=_reason(study, state),
        failed_in_a_row=0 if is_resumed else study.failed_in_a_row,
        budget=budget,
        trial_seconds=limits.trial_seconds,
        step_seconds=limits.step_seconds,
        space=_space(spec, change),
    )


def _budget(study: LockedStudy, change: StudyChange) -> int:
    if change.budget is None:
        return study.budget
    if change.budget.trials < study.created:
        problem = FieldProblem(field="budget.trials", message=f"is too small: {study.created} trials exist already")
        raise Invalid("the budget cannot be taken back", errors=[problem])
    return change.budget.trials


def _limits(spec: StudySpec, change: StudyChange) -> Limits:
    if change.limits is None:
        return spec.limits
    given = {field: getattr(change.limits, field) for field in change.limits.model_fields_set}
    return spec.model_copy(update={"limits": spec.limits.model_copy(update=given)}).resolved().limits


def _space(spec: StudySpec, change: StudyChange) -> Space | None:
    """Return the space with its new bounds; None: it stays as it is."""
    if change.space is None:
        return None
    if problems := list(_unbounded(spec, change.space)):
        raise Invalid("the space cannot be changed so", errors=problems)
    fields = spec.model_dump(mode="json")
    for name, bounds in change.space.items():
        fields["space"][name] |= bounds.model_dump(exclude_none=True)
    # Checked as if the study were created with it.
    space = from_json(StudySpec, json.dumps(fields)).declared
    return None if space == spec.declared else space


def _unbounded(spec: StudySpec, changes: Mapping[str, Bounds]) -> Iterator[FieldProblem]:
    if isinstance(spec.sampler, GridSampler | CoarseToFineSampler):
        text = f"cannot change under the sampler {spec.sampler.name}: make a new study"
        yield FieldProblem(field="space", message=text)
    for name in changes:
        if name not in spec.declared:
            yield FieldProblem(field=f"space.{name}", message="is not searched by this study: make a new study")
        elif isinstance(spec.declared[name], Categorical):
            yield FieldProblem(field=f"space.{name}", message="has choices and no bounds: make a new study")


def _state(study: LockedStudy, change: StudyChange, budget: int) -> StudyState:
    state = study.state
    if state is StudyState.COMPLETE and study.ended < budget:
        state = StudyState.RUNNING
    if change.state not in {None, state}:
        state = _moved(study, state, to=StudyState(change.state))
    if not state.is_ended and study.ended >= budget:
        return StudyState.COMPLETE
    return state


def _moved(study: LockedStudy, state: StudyState, *, to: StudyState) -> StudyState:
    if to in _MOVES[state]:
        return to
    if state is StudyState.COMPLETE:
        raise Conflict(f"the study is complete: all {study.budget} trials have ended; a larger budget reopens it")
    raise Conflict(f"a {state} study cannot be {to}: let it run first")


def _reason(study: LockedStudy, state: StudyState) -> str | None:
    if state is study.state:
        return study.reason
    return BY_HAND if state is StudyState.STOPPED else None
