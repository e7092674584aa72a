"""What it means for a trial that an exception leaves its training."""

from trimtab.states import Outcome

LONGEST_MESSAGE = 2000
"""Characters that are kept of what an exception says: a screenful."""


class Pruned(Exception):
    """The training ends here: its trial was told to stop, or its own code sees no use in going on."""


def outcome_of(error: BaseException) -> Outcome:
    """Return the outcome of a trial whose training was left by an exception.

    Optuna's and torch's are known by their names: neither is imported here, nor need it be installed.
    """
    names = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    if isinstance(error, Pruned) or ("optuna", "TrialPruned") in names:
        return Outcome.PRUNED
    if isinstance(error, MemoryError) or ("torch", "OutOfMemoryError") in names:
        return Outcome.OUT_OF_MEMORY
    return Outcome.ERROR if isinstance(error, Exception) else Outcome.RELEASED


def message_of(error: BaseException) -> str | None:
    """Return what an exception says, as the record can hold it; None: it says nothing.

    The name of one that prunes says nothing: why the trial was told to stop is on record.
    """
    is_pruned = outcome_of(error) is Outcome.PRUNED
    said = str(error).strip() if is_pruned else f"{type(error).__name__}: {error}"
    return kept(said) or None


def kept(said: str) -> str:
    """Return words as the record can hold them."""
    return said.replace("\x00", "\\0").encode(errors="replace").decode()[:LONGEST_MESSAGE]
