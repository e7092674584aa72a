"""Which trials of a study are confirmed, which one becomes its final model, and for how long. Decisions on values."""

from collections.abc import Iterable, Sequence

from service.sampling.suggestion import seed_of
from service.storage.trials import TrialRow
from trimtab.message import Metrics
from trimtab.states import Direction, Purpose

_SALTS = {Purpose.CONFIRMATION: 1, Purpose.FINAL: 2}


def best_first(ranked: Iterable[tuple[int, Sequence[float]]], direction: Direction) -> list[int]:
    """Return the ids of complete trials by their first value, the best first; of equals the earlier one."""
    # Sorting keeps the order of equals, which is that of their numbers.
    return [trial_id for trial_id, _ in sorted(ranked, key=lambda trial: direction.sign * trial[1][0])]


def distinct(trials: Iterable[TrialRow], count: int) -> list[TrialRow]:
    """Return the first trials of which none has the point of one before."""
    found: list[TrialRow] = []
    for trial in trials:
        if len(found) < count and trial.point not in [other.point for other in found]:
            found.append(trial)
    return found


def final_settings(metrics: Metrics) -> dict[str, int]:
    """Return the hyperparameters in which a final model differs from the trial whose figures these are.

    It is trained for as many epochs as the weights that were kept, which of repeats is a mean; there is nothing left
    to stop early by.
    """
    best_step = metrics.get("best_step")
    return {"patience": 0} | ({} if best_step is None else {"epochs": max(1, round(best_step))})


def fresh_seed(study_seed: int, purpose: Purpose, *, number: int) -> int:
    """Return the seed of a study that follows one of `study_seed`, in [0, 2^32), unrelated to any before it.

    Args:
        study_seed: Of the study that it follows.
        purpose: What the new one is for.
        number: That no other study was made with, nor will be: one that was deleted has had its seed too.
    """
    return seed_of(study_seed, number, salt=_SALTS[purpose])
