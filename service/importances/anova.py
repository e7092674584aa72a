"""How much each parameter mattered: Optuna's PED-ANOVA and fANOVA on the complete trials of a study.

Source: Watanabe et al. 2023, arXiv:2304.10255; Hutter et al. 2014, An efficient approach for assessing hyperparameter
importance; optuna.importance of Optuna 5.
"""

import warnings
from collections.abc import Container, Mapping
from typing import Any, cast

from optuna.distributions import json_to_distribution
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from service.importances.table import Table
from service.sampling.study_view import frozen

FOREST_SEED = 0
"""Of fANOVA's random forest: the same trials give the same figures."""


def ped_anova(table: Table) -> dict[str, float]:
    """Return for each parameter the share of what sets the best tenth of the trials apart from all; they add to 1."""
    return _importances(table, PedAnovaImportanceEvaluator())


def fanova(table: Table) -> dict[str, float]:
    """Return for each parameter that all trials have the share of the variance that it explains; they add to 1.

    Needs scikit-learn: only service.importances.child runs it.
    """
    return _importances(table, FanovaImportanceEvaluator(seed=FOREST_SEED))


def _importances(table: Table, evaluator: BaseImportanceEvaluator) -> dict[str, float]:
    with warnings.catch_warnings():
        # Of conditions that hold in one trial: the answer says how many trials there are.
        warnings.simplefilter("ignore")
        return get_param_importances(cast("Study", _Finished(table)), evaluator=evaluator)


class _Finished:
    """As much of optuna.Study as the evaluators ask for."""

    directions = (StudyDirection.MINIMIZE,)
    direction = StudyDirection.MINIMIZE

    def __init__(self, table: Table) -> None:
        known = {name: json_to_distribution(text) for name, text in table.distributions.items()}
        self._trials = [
            _trial(number, point, loss, known)
            for number, (point, loss) in enumerate(zip(table.points, table.losses, strict=True))
        ]

    def _is_multi_objective(self) -> bool:
        return False

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        return self._trials


def _trial(number: int, point: Mapping[str, float], loss: float, known: Mapping[str, Any]) -> FrozenTrial:
    return frozen(
        number,
        {name: known[name].to_external_repr(stored) for name, stored in point.items()},
        {name: known[name] for name in point},
        state=TrialState.COMPLETE,
        values=[loss],
    )
