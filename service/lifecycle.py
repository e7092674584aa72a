"""What the end of a lease makes of its trial, and the end of a trial of its study. Decisions on values only."""

from collections.abc import Sequence
from datetime import UTC

from service.storage.endings import ClosedLease, Ending, LockedStudy, Loss, StudyAfter
from service.storage.trials import TrialRow
from trimtab.protocol import Tell
from trimtab.states import Direction, Outcome, StudyState, TrialState
from trimtab.study import Objective, StudySpec

BY_HAND = "stopped by hand"
"""Why a trial or a study was stopped that somebody stopped."""

_NAMED = 5
"""Lost attempts that a cause names; the history has all of them."""

_FAILURES = {Outcome.DIVERGED, Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT, Outcome.ERROR}


def outcome_of(tell: Tell, objective: Objective) -> Outcome:
    """Return what a tell comes to: a trial that ends with an objective that is not finite has diverged."""
    if tell.outcome is Outcome.COMPLETE and tell.metrics[objective.metric] is None:
        return Outcome.DIVERGED
    return tell.outcome


def state_of(outcome: Outcome, *, is_stopped: bool) -> TrialState:
    """Return the state that a told outcome leaves a trial in; `is_stopped`: it had been told to stop."""
    if outcome is Outcome.COMPLETE:
        return TrialState.COMPLETE
    if outcome in _FAILURES:
        return TrialState.FAIL
    return TrialState.PRUNED if is_stopped or outcome is Outcome.PRUNED else TrialState.WAITING


def ending_by_tell(tell: Tell, lease: ClosedLease, objective: Objective) -> Ending | None:
    """Return the end of a trial whose worker told it; None: it goes back to the queue."""
    outcome = outcome_of(tell, objective)
    state = state_of(outcome, is_stopped=lease.stop_reason is not None)
    if state is TrialState.WAITING:
        return None
    metrics = tell.metrics if state is TrialState.COMPLETE else lease.last_metrics | tell.metrics
    has_value = state in {TrialState.COMPLETE, TrialState.PRUNED}
    return Ending(
        outcome=outcome,
        state=state,
        value=metrics.get(objective.metric) if has_value else None,
        step=tell.step or lease.last_step,
        metrics=metrics,
        reason=_reason(tell, outcome, lease, objective),
    )


def ending_by_silence(lease: ClosedLease, spec: StudySpec, losses: Sequence[Loss]) -> Ending | None:
    """Return the end of a trial whose lease ran out or was past a limit; None: it goes back to the queue.

    Args:
        lease: Just closed by the service.
        spec: Of the study.
        losses: The leases of the trial that ran out, this one among them if it did.
    """
    reason = lease.stop_reason
    if reason is not None:
        state = TrialState.PRUNED
    elif lease.outcome is Outcome.TIMEOUT:
        state, reason = TrialState.FAIL, lease.message
    elif lease.lost + 1 >= spec.max_attempts:
        state, reason = TrialState.FAIL, _cause(losses, spec.max_attempts)
    else:
        return None
    metric = spec.objectives[0].metric
    value = lease.last_metrics.get(metric) if state is TrialState.PRUNED else None
    return Ending(lease.outcome, state, value, lease.last_step, lease.last_metrics, reason)


def ending_by_hand(trial: TrialRow, spec: StudySpec) -> Ending:
    """Return the end of a trial that waits for its next attempt and is not to have one."""
    value = trial.metrics.get(spec.objectives[0].metric)
    return Ending(Outcome.PRUNED, TrialState.PRUNED, value, trial.step, trial.metrics, BY_HAND)


def study_after(study: LockedStudy, ending: Ending, spec: StudySpec) -> StudyAfter:
    """Return what one more ended trial makes of a study."""
    failed = study.failed_in_a_row + 1 if ending.state is TrialState.FAIL else 0
    is_best = ending.state is TrialState.COMPLETE and _is_better(
        ending.value, study.best_value, spec.objectives[0].direction
    )
    if study.state.is_ended:
        return StudyAfter(study.state, study.reason, failed, is_best)
    if study.finished + 1 >= study.budget:
        return StudyAfter(StudyState.COMPLETE, None, failed, is_best)
    if study.state is StudyState.RUNNING and failed >= spec.failed_in_a_row:
        reason = f"{failed} trials failed in a row; the last one: {ending.reason}"
        return StudyAfter(StudyState.STOPPED, reason, failed, is_best)
    return StudyAfter(study.state, study.reason, failed, is_best)


def _cause(losses: Sequence[Loss], max_attempts: int) -> str:
    """Return why a trial fails that has lost all its attempts: who had it last, where, and until when."""
    named = "; ".join(_named(loss) for loss in losses[-_NAMED:])
    more = "..., " if len(losses) > _NAMED else ""
    return f"lost its worker {len(losses)} times of {max_attempts}: {more}{named}"


def _named(loss: Loss) -> str:
    where = f" on {loss.host}" if loss.host else ""
    return f"{loss.worker}{where}, last seen {loss.last_seen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _is_better(value: float | None, best: float | None, direction: Direction) -> bool:
    if value is None or best is None:
        return best is None and value is not None
    return value < best if direction is Direction.MINIMIZE else value > best


def _reason(tell: Tell, outcome: Outcome, lease: ClosedLease, objective: Objective) -> str | None:
    if outcome is Outcome.COMPLETE:
        return None
    if outcome is not tell.outcome:
        return f"{objective.metric} is not finite"
    return tell.message or lease.stop_reason
