"""A study as code for Optuna reads it."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from trimtab.client import Client
from trimtab.protocol import Study, Trial


class OptunaState(IntEnum):
    """Optuna's states with Optuna's numbers: each is equal to the member of Optuna's own class."""

    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3
    WAITING = 4


@dataclass(frozen=True)
class FoundTrial:
    """A trial as it is, in Optuna's words. `values` is None where there are none; of a pruned trial the last ones."""

    number: int
    state: OptunaState
    values: list[float] | None
    params: dict[str, Any]
    user_attrs: dict[str, Any]
    datetime_start: datetime | None
    datetime_complete: datetime | None

    @property
    def value(self) -> float | None:
        """The figure of the only objective.

        Raises:
            RuntimeError: There are several.
        """
        if self.values and len(self.values) > 1:
            raise RuntimeError(f"trial {self.number} has a figure for each objective: read its `values`")
        return self.values[0] if self.values else None


class FoundStudy:
    """A study in Optuna's words, read from the service each time: what `optimize` returns.

    All that is beyond them has `trimtab.study(name)`.

    Args:
        client: To the service.
        study: As it was.
    """

    def __init__(self, client: Client, study: Study) -> None:
        self.study_name = study.name
        self._client = client
        self._metrics = [objective.metric for objective in study.spec.objectives]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.study_name!r})"

    @property
    def trials(self) -> list[FoundTrial]:
        """All trials by number, whoever trained them."""
        return [self._found(trial) for trial in self._client.trials(self.study_name)]

    def get_trials(self, deepcopy: bool = True, states: Container[int] | None = None) -> list[FoundTrial]:
        """Return the trials in these states; None: all. They are the caller's own, with `deepcopy` or without."""
        del deepcopy
        return [trial for trial in self.trials if states is None or trial.state in states]

    @property
    def best_trial(self) -> FoundTrial:
        """The best complete trial.

        Raises:
            NoCompleteTrial: None is complete.
            SeveralObjectives: None of several says alone which is best.
        """
        number = self._client.best_trial(self.study_name).number
        return self._found(self._client.trial(self.study_name, number))

    @property
    def best_trials(self) -> list[FoundTrial]:
        """The complete trials that no other beats in every objective."""
        numbers = {trial.number for trial in self._client.best_trials(self.study_name)}
        return [trial for trial in self.trials if trial.number in numbers]

    @property
    def best_value(self) -> float | None:
        """The figure of the best trial; raises as that does."""
        return self.best_trial.value

    @property
    def best_params(self) -> dict[str, Any]:
        """The params of the best trial; raises as that does."""
        return self.best_trial.params

    def _found(self, trial: Trial) -> FoundTrial:
        figures = [trial.values.get(metric) for metric in self._metrics]
        values = [figure for figure in figures if figure is not None]
        return FoundTrial(
            number=trial.number,
            state=OptunaState[trial.state.name],
            values=values or None,
            params=dict(trial.params),
            user_attrs=dict(trial.user_attributes),
            datetime_start=trial.started_at,
            datetime_complete=trial.completed_at,
        )
