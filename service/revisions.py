"""What a change by hand makes of a study. Decisions on values only."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from service.lifecycle import BY_HAND, TRIED, remedy
from service.spending import reason_to_close
from service.storage.closings import Usage
from service.storage.locks import LockedStudy
from service.storage.studies import Revision
from trimtab import grids
from trimtab.budget import Budget, Limits
from trimtab.errors import Conflict, Invalid
from trimtab.protocol import FieldProblem, StudyChange
from trimtab.samplers import CoarseToFineSampler, GridSampler, Sampler
from trimtab.space import Bounds, Categorical, Parameter, Space
from trimtab.spec import NEEDS_ONE_OBJECTIVE, StudySpec
from trimtab.states import StudyState
from trimtab.validation import from_json

_MOVES = {
    StudyState.RUNNING: {StudyState.PAUSED, StudyState.STOPPED},
    StudyState.PAUSED: {StudyState.RUNNING, StudyState.STOPPED},
    StudyState.STOPPED: {StudyState.RUNNING},
    StudyState.COMPLETE: set[StudyState](),
}


def revise(study: LockedStudy, usage: Usage, spec: StudySpec, change: StudyChange, *, sampler: Sampler) -> Revision:
    """Return the study as it is to be. Whether its budget lets it go on is for the caller to see, if it is open.

    Args:
        study: As it is.
        usage: Of its budget.
        spec: With what may change as it is now.
        change: What is to be otherwise.
        sampler: Of the study: what `auto` came to when it was created, whatever it would be by now.

    Raises:
        Invalid: The budget is smaller than what is used of it, or the bounds do not go with the space.
        Conflict: The study cannot be brought from its state into the other.
    """
    budget = _budget(study, usage, spec, change)
    space = _space(spec, change, sampler)
    tried = _tried(study, spec, space)
    closing = study.closing if change.budget is None else _closing(study, usage, spec, budget)
    closing = tried or (None if closing == TRIED else closing)
    limits = _limits(spec, change)
    state = _state(study, change, budget, closing)
    is_resumed = study.state is StudyState.STOPPED and state is not StudyState.STOPPED
    return Revision(
        state=state,
        reason=_reason(study, state, closing),
        failed_in_a_row=0 if is_resumed else study.failed_in_a_row,
        budget=budget,
        # One that has to end though it is open is ended by the caller: its trials have to hear of it.
        closing=closing if change.budget is None or tried or state is StudyState.COMPLETE else None,
        trial_seconds=limits.trial_seconds,
        step_seconds=limits.step_seconds,
        space=space,
        tags=spec.tags if change.tags is None else change.tags,
        priority=spec.priority if change.priority is None else change.priority,
    )


def _budget(study: LockedStudy, usage: Usage, spec: StudySpec, change: StudyChange) -> Budget:
    if change.budget is None:
        return spec.budget
    given = {field: getattr(change.budget, field) for field in change.budget.model_fields_set}
    if problems := list(_overdrawn(study, usage, spec, given)):
        raise Invalid("the budget cannot be that", errors=problems)
    return spec.budget.model_copy(update=given)


def _overdrawn(
    study: LockedStudy, usage: Usage, spec: StudySpec, given: Mapping[str, float | None]
) -> Iterator[FieldProblem]:
    exist = {"trials": (study.created, "trials exist"), "epochs": (usage.epochs, "epochs were reported")}
    for field, limit in given.items():
        if limit is None:
            continue
        used, what = exist.get(field, (0, ""))
        if field in exist and limit < used:
            yield FieldProblem(field=f"budget.{field}", message=f"is too small: {used} {what} already")
        if field in {"target", "patience"} and len(spec.objectives) > 1:
            yield FieldProblem(field=f"budget.{field}", message=NEEDS_ONE_OBJECTIVE)


def _closing(study: LockedStudy, usage: Usage, spec: StudySpec, budget: Budget) -> str | None:
    """Return why the study is to come to its end by the new budget; None: it goes on."""
    limits = {field: limit for field, limit in budget if field != "trials"}
    return reason_to_close(replace(study, **limits), usage, spec)


def _tried(study: LockedStudy, spec: StudySpec, space: Space | None) -> str | None:
    """Return that all points were tried, whatever the budget; None: they were not, or the new space has others."""
    if study.closing != TRIED:
        return None
    is_larger = space is not None and any(not _is_within(space[name], spec.declared[name]) for name in space)
    return None if is_larger else TRIED


def _is_within(parameter: Parameter, before: Parameter) -> bool:
    """Return whether all values of a parameter were possible before; its step is the same."""
    size, possible = grids.size(parameter), range(grids.size(before))
    if not size or not possible:
        return False
    # What lies between two of its values is as far from them as before.
    ends = [grids.value_at(parameter, index) for index in (0, size - 1)]
    found = [grids.index_of(before, value) for value in ends]
    return all(index in possible for index in found) and [grids.value_at(before, index) for index in found] == ends


def _limits(spec: StudySpec, change: StudyChange) -> Limits:
    if change.limits is None:
        return spec.limits
    given = {field: getattr(change.limits, field) for field in change.limits.model_fields_set}
    return spec.model_copy(update={"limits": spec.limits.model_copy(update=given)}).resolved().limits


def _space(spec: StudySpec, change: StudyChange, sampler: Sampler) -> Space | None:
    """Return the space with its new bounds; None: it stays as it is."""
    if change.space is None:
        return None
    if problems := list(_unbounded(spec, change.space, sampler)):
        raise Invalid("the space cannot be changed so", errors=problems)
    fields = spec.model_dump(mode="json")
    for name, bounds in change.space.items():
        fields["space"][name] |= bounds.model_dump(exclude_none=True)
    # Checked as if the study were created with it.
    space = from_json(StudySpec, json.dumps(fields)).declared
    return None if space == spec.declared else space


def _unbounded(spec: StudySpec, changes: Mapping[str, Bounds], sampler: Sampler) -> Iterator[FieldProblem]:
    if isinstance(sampler, GridSampler | CoarseToFineSampler):
        text = f"cannot change under the sampler {sampler.name}: make a new study"
        yield FieldProblem(field="space", message=text)
    for name in changes:
        if name not in spec.declared:
            yield FieldProblem(field=f"space.{name}", message="is not searched by this study: make a new study")
        elif isinstance(spec.declared[name], Categorical):
            yield FieldProblem(field=f"space.{name}", message="has choices and no bounds: make a new study")


def _state(study: LockedStudy, change: StudyChange, budget: Budget, closing: str | None) -> StudyState:
    is_used_up = budget.trials is not None and study.ended >= budget.trials
    state = study.state
    if state is StudyState.COMPLETE and not is_used_up and closing is None:
        state = StudyState.RUNNING
    if change.state not in {None, state}:
        state = _moved(study, state, to=StudyState(change.state))
    if not state.is_ended and (is_used_up or (closing and study.open == 0)):
        return StudyState.COMPLETE
    return state


def _moved(study: LockedStudy, state: StudyState, *, to: StudyState) -> StudyState:
    if to in _MOVES[state]:
        return to
    if state is StudyState.COMPLETE:
        why = study.reason or f"all {study.budget} trials have ended"
        raise Conflict(f"the study is complete: {why}; {remedy(study.closing, 'a larger budget reopens it')}")
    raise Conflict(f"a {state} study cannot be {to}: let it run first")


def _reason(study: LockedStudy, state: StudyState, closing: str | None) -> str | None:
    if state is study.state:
        return study.reason
    if state is StudyState.COMPLETE:
        return closing
    return BY_HAND if state is StudyState.STOPPED else None
