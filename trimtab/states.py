"""The states of things and the moves between them, drawn once; the database repeats them as constraints."""

from enum import StrEnum


class StudyState(StrEnum):
    r"""Where a study is in its life.

    running <--budget used, or made larger--> complete
       | \<--too many failures, or by hand--> stopped
       \<--by hand--> paused --by hand--> stopped
    """

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    STOPPED = "stopped"

    @property
    def is_ended(self) -> bool:
        """Whether no trial of the study will be handed out any more."""
        return self in {StudyState.COMPLETE, StudyState.STOPPED}


class TrialState(StrEnum):
    r"""Where a trial is in its life. The states are Optuna's.

    waiting --ask--> running --tell--> complete
       ^                | |\--tell, or lease over after a stop--> pruned
       |                | \---tell of a failure, or attempts used up--> fail
       \--lease lost, --/
          released
    """

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAIL = "fail"

    @property
    def is_ended(self) -> bool:
        """Whether it stays as it is."""
        return self not in {TrialState.WAITING, TrialState.RUNNING}


class Origin(StrEnum):
    """Where a trial's params come from.

    sampled   the study's sampler
    control   chance, for comparison with the sampler
    enqueued  somebody gave them, to be trained
    added     somebody trained them elsewhere
    """

    SAMPLED = "sampled"
    CONTROL = "control"
    ENQUEUED = "enqueued"
    ADDED = "added"


class Purpose(StrEnum):
    """What a study is for; all but the first two follow another study, and are made by the service alone.

    search         to find params
    prescription   likewise, with the doctor's edits to another study
    check          to check the gradients of another study's task, before it trains
    confirmation   to train another study's best again, with fresh seeds
    final          to train another study's best once more, and read the test set
    """

    SEARCH = "search"
    PRESCRIPTION = "prescription"
    CHECK = "check"
    CONFIRMATION = "confirmation"
    FINAL = "final"

    @property
    def is_settled(self) -> bool:
        """Whether a study of this purpose has the trials that it was made with, and no others."""
        return self in {Purpose.CHECK, Purpose.CONFIRMATION, Purpose.FINAL}


ALIKE = (Purpose.SEARCH, Purpose.PRESCRIPTION, Purpose.CONFIRMATION)
"""What a worker serves that knows nothing of purposes: it trains every trial alike."""


class Outcome(StrEnum):
    """How a lease ended. A worker tells each of them but the last, which the service finds out itself."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    ERROR = "error"
    RELEASED = "released"
    LOST = "lost"


class Decision(StrEnum):
    """The answer to a report."""

    CONTINUE = "continue"
    STOP = "stop"


class Direction(StrEnum):
    """Which values of an objective are better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    @property
    def sign(self) -> float:
        """What a value is multiplied by to become a loss, of which less is better."""
        return 1.0 if self is Direction.MINIMIZE else -1.0

    def is_better(self, value: float, than: float) -> bool:
        """Return whether a value is better than another; of equals none is."""
        return self.sign * value < self.sign * than


class NoLease(StrEnum):
    """Why an ask came back empty."""

    NOTHING_NOW = "nothing_now"
    PAUSED = "paused"
    STUDY_ENDED = "study_ended"


class TokenKind(StrEnum):
    """What the holder of a token may do.

    admin    everything
    user     studies and trials
    worker   ask; report, tell and checkpoint on its own leases
    reader   read
    """

    ADMIN = "admin"
    USER = "user"
    WORKER = "worker"
    READER = "reader"
