"""What the end of a lease makes of its trial, and the end of a trial of its study. Decisions on values only."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from service.storage.endings import Ending, StudyAfter
from service.storage.lease_ends import ClosedLease, Loss
from service.storage.locks import LockedStudy
from service.storage.trials import TrialRow
from trimtab.message import Metrics
from trimtab.protocol import Tell
from trimtab.spec import StudySpec
from trimtab.states import Outcome, StudyState, TrialState

BY_HAND = "stopped by hand"
"""Why a trial or a study was stopped that somebody stopped."""

TRIED = "every point of the space was tried"
"""Why a study comes to its end that has found no limit. No budget is large enough to make another point."""

_NAMED = 5
"""Lost attempts that a cause names; the history has all of them."""

_FAILURES = {Outcome.DIVERGED, Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT, Outcome.ERROR}


def outcome_of(tell: Tell, spec: StudySpec) -> Outcome:
    """Return what a tell comes to: a trial that ends with an objective that is not finite has diverged."""
    if tell.outcome is Outcome.COMPLETE and not_finite(tell.metrics, spec):
        return Outcome.DIVERGED
    return tell.outcome


def not_finite(metrics: Metrics, spec: StudySpec) -> list[str]:
    """Return the objectives whose figure is not finite."""
    return [o.metric for o in spec.objectives if o.metric in metrics and metrics[o.metric] is None]


def state_of(outcome: Outcome, *, is_stopped: bool) -> TrialState:
    """Return the state that a told outcome leaves a trial in; `is_stopped`: it had been told to stop."""
    if outcome is Outcome.COMPLETE:
        return TrialState.COMPLETE
    if outcome in _FAILURES:
        return TrialState.FAIL
    return TrialState.PRUNED if is_stopped or outcome is Outcome.PRUNED else TrialState.WAITING


def ending_by_tell(tell: Tell, lease: ClosedLease, spec: StudySpec) -> Ending | None:
    """Return the end of a trial whose worker told it; None: it goes back to the queue."""
    outcome = outcome_of(tell, spec)
    state = state_of(outcome, is_stopped=lease.stop_reason is not None)
    if state is TrialState.WAITING:
        return None
    metrics = tell.metrics if state is TrialState.COMPLETE else lease.last_metrics | tell.metrics
    return Ending(
        outcome=outcome,
        state=state,
        values=_values(state, metrics, spec),
        excesses=excesses(metrics, spec),
        step=tell.step or lease.last_step,
        metrics=metrics,
        reason=_reason(tell, outcome, lease, spec),
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
    return Ending(
        outcome=lease.outcome,
        state=state,
        values=_values(state, lease.last_metrics, spec),
        excesses=excesses(lease.last_metrics, spec),
        step=lease.last_step,
        metrics=lease.last_metrics,
        reason=reason,
    )


def ending_unheld(trial: TrialRow, spec: StudySpec, *, reason: str) -> Ending:
    """Return the end of a trial that waits for its next attempt and is not to have one."""
    return Ending(
        outcome=Outcome.PRUNED,
        state=TrialState.PRUNED,
        values=_values(TrialState.PRUNED, trial.metrics, spec),
        excesses=excesses(trial.metrics, spec),
        step=trial.step,
        metrics=trial.metrics,
        reason=reason,
    )


def study_after(study: LockedStudy, ending: Ending, spec: StudySpec) -> StudyAfter:
    """Return what one more ended trial makes of a study."""
    failed = study.failed_in_a_row + 1 if ending.state is TrialState.FAIL else 0
    leads = is_best(ending, study.best_value, spec)
    if study.state.is_ended:
        return StudyAfter(study.state, study.reason, failed, leads)
    if study.ended + 1 >= study.budget or (study.closing and study.open == 1):
        return StudyAfter(StudyState.COMPLETE, study.closing, failed, leads)
    if study.state is StudyState.RUNNING and failed >= spec.failed_in_a_row:
        reason = f"{failed} trials failed in a row; the last one: {ending.reason}"
        return StudyAfter(StudyState.STOPPED, reason, failed, leads)
    return StudyAfter(study.state, study.reason, failed, leads)


def remedy(closing: str | None, otherwise: str) -> str:
    """Return what helps a study that comes to its end, or has; `otherwise`: where a larger budget does."""
    return "no budget makes another point: widen the bounds, or create a new study" if closing == TRIED else otherwise


def refusal_to_enqueue(study: LockedStudy) -> str | None:
    """Return why a study takes no more trials that are to be trained, and what would help; None: it does."""
    if study.state is StudyState.STOPPED:
        return "the study is stopped: nothing of it is handed out; let it run first"
    if study.state is StudyState.COMPLETE:
        helps = remedy(study.closing, "a larger budget reopens it")
        return f"the study is complete: nothing of it is handed out; {helps}"
    if study.closing:
        helps = remedy(study.closing, "a larger budget lets it go on")
        return f"the study comes to its end: {study.closing}; {helps}"
    if study.created >= study.budget:
        return f"all {study.budget} trials of the budget exist; a larger budget makes room"
    if study.epochs is not None and study.epochs_used >= study.epochs:
        return f"all {study.epochs} epochs of the budget are reported; a larger budget makes room"
    return None


def excesses(metrics: Metrics, spec: StudySpec) -> Mapping[str, float]:
    """Return how far each metric that is bound is beyond its bound, as far as it is measured."""
    bound = (constraint for constraint in spec.constraints if constraint.metric in metrics)
    return {constraint.metric: constraint.excess(metrics[constraint.metric]) for constraint in bound}


def _values(state: TrialState, metrics: Metrics, spec: StudySpec) -> tuple[float, ...]:
    """Return the value of each objective; of a pruned trial the last one, where there is one objective only.

    Optuna has no value of a pruned trial where there are several.
    """
    if state is TrialState.FAIL or (state is TrialState.PRUNED and len(spec.objectives) > 1):
        return ()
    values = [metrics.get(objective.metric) for objective in spec.objectives]
    return tuple(value for value in values if value is not None)


def is_best(ending: Ending, best: float | None, spec: StudySpec) -> bool:
    """Return whether a trial is the best one now; `best`: the best value before, None: there is none."""
    if len(spec.objectives) > 1 or ending.state is not TrialState.COMPLETE or not ending.is_feasible:
        return False
    return best is None or spec.objectives[0].direction.is_better(ending.values[0], best)


def _cause(losses: Sequence[Loss], max_attempts: int) -> str:
    """Return why a trial fails that has lost all its attempts: who had it last, where, and until when."""
    named = "; ".join(_named(loss) for loss in losses[-_NAMED:])
    more = "..., " if len(losses) > _NAMED else ""
    return f"lost its worker {len(losses)} times of {max_attempts}: {more}{named}"


def _named(loss: Loss) -> str:
    where = f" on {loss.host}" if loss.host else ""
    return f"{loss.worker}{where}, last seen {loss.last_seen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _reason(tell: Tell, outcome: Outcome, lease: ClosedLease, spec: StudySpec) -> str | None:
    if outcome is Outcome.COMPLETE:
        return None
    if outcome is not tell.outcome:
        return f"{', '.join(not_finite(tell.metrics, spec))} is not finite"
    return (tell.message or "").strip() or lease.stop_reason
