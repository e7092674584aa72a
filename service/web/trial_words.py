"""What became of a trial, in words."""

from typing import assert_never

from trimtab.protocol import Trial
from trimtab.states import Origin, Outcome, TrialState

ORIGINS = {
    Origin.SAMPLED: "the sampler",
    Origin.CONTROL: "chance, for comparison with the sampler",
    Origin.ENQUEUED: "somebody who gave them",
    Origin.ADDED: "somebody who trained it elsewhere",
}
"""Who chose its params."""

_FAILURES = {
    Outcome.DIVERGED: "Its training diverged",
    Outcome.OUT_OF_MEMORY: "Its device had no memory left",
    Outcome.TIMEOUT: "It took longer than a limit allows",
    Outcome.ERROR: "Its training raised an error",
    Outcome.LOST: "Its workers were lost, one after the other",
}


def fate(trial: Trial) -> str:
    """Return what became of a trial, and why: a sentence."""
    match trial.state:
        case TrialState.WAITING if trial.attempts:
            return "It waits for its next attempt: the worker that had it was lost, or let it go."
        case TrialState.WAITING:
            return "It waits for a worker."
        case TrialState.RUNNING:
            return "It is being trained."
        case TrialState.COMPLETE:
            return "It was trained to its end."
        case TrialState.PRUNED:
            return f"It was stopped early. {_sentence(trial.reason)}".rstrip()
        case TrialState.FAIL:
            return _because(_FAILURES.get(trial.outcome or Outcome.ERROR, "It failed"), trial.reason)
        case _:
            assert_never(trial.state)


def _sentence(reason: str | None) -> str:
    return f"{reason[0].upper()}{reason[1:]}." if reason else ""


def _because(what: str, reason: str | None) -> str:
    return f"{what}: {reason}" if reason else f"{what}."
