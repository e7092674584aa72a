"""What other pruners would have done to a study: the answer of its replay."""

from trimtab.message import Message, ParamName, StudyName
from trimtab.pruners import Pruner


class StoppedTrial(Message):
    """A trial that a pruner would have stopped, and at which step."""

    trial: int
    step: int


class PrunerReplay(Message):
    """A study as it would have gone with a pruner.

    Args:
        pruner: Which one, with its settings.
        is_own: It is the study's own.
        stopped: The trials that it would have stopped.
        epochs_saved: Of those that the study spent.
        seconds_saved: Likewise, of all devices together.
        loses_best: Whether the best trial is among those stopped.
        best_trial: The best complete trial that is left; None: there is none.
        best_value: Its value.
    """

    pruner: Pruner
    is_own: bool
    stopped: list[StoppedTrial]
    epochs_saved: int
    seconds_saved: float
    loses_best: bool
    best_trial: int | None
    best_value: float | None


class Replay(Message):
    """What a study spent, and what each pruner would have saved of it.

    Args:
        study: Its name.
        metric: The objective by which trials are stopped and compared.
        trials: How many trials are looked at: where there are very many reports the first ones, those that were
            trained here before those that were given.
        epochs: That they spent; those of trials that were given with their curves are not counted.
        seconds: Likewise, of all devices together.
        best_trial: The best complete trial; None: there is none.
        best_value: Its value.
        pruners: The study's own first.
    """

    study: StudyName
    metric: ParamName
    trials: int
    epochs: int
    seconds: float
    best_trial: int | None
    best_value: float | None
    pruners: list[PrunerReplay]
