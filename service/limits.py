"""How long an attempt may take in a study that follows another one."""

from dataclasses import dataclass

from trimtab.budget import MAX_SECONDS, Limits
from trimtab.spec import StudySpec


@dataclass(frozen=True)
class Length:
    """How long the longest trial of a study trains.

    Args:
        trainings: Each of them is a step; 0: there is one, whose steps are its epochs.
        epochs: Of each training.
    """

    trainings: int
    epochs: int

    @property
    def trial_epochs(self) -> int:
        """The epochs of a trial."""
        return max(1, self.trainings) * self.epochs

    @property
    def step_epochs(self) -> int:
        """The epochs of a step."""
        return self.epochs if self.trainings else 1


def length(spec: StudySpec) -> Length:
    """Return how long trials of a spec with a task train."""
    assert spec.task is not None, "how long others train is not known"
    return Length(spec.task.trainings, spec.most_epochs)


def lengthened(limits: Limits, before: Length, after: Length) -> Limits:
    """Return limits for trials of another length: as many times as much for longer ones, for shorter ones no less."""
    return Limits(
        trial_seconds=_longer(limits.trial_seconds, after.trial_epochs / before.trial_epochs),
        step_seconds=_longer(limits.step_seconds, after.step_epochs / before.step_epochs),
    )


def _longer(seconds: float | None, times: float) -> float | None:
    return None if seconds is None else min(MAX_SECONDS, seconds * max(1.0, times))
