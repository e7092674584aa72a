"""How much each parameter of a study mattered, on the trials that are complete."""

from collections.abc import Sequence

import numpy as np

from service.database import autocommit
from service.importances import fanova
from service.importances.table import Table
from service.memory import StudyMemory
from service.replica import Replica
from service.sampling import View
from service.storage import studies
from service.storage.dimensions import Dimension
from trimtab.errors import Invalid, StudyNotFound
from trimtab.learned import ImportanceMethod, Importances
from trimtab.objectives import Objective
from trimtab.protocol import FieldProblem

FEWEST_TRIALS = 10
"""Complete ones: the best tenth of fewer is no trial at all."""


def read(replica: Replica, study: str, *, method: ImportanceMethod, metric: str | None) -> Importances:
    """Return what share each parameter has in how good trials are; none, with the reason, of too few or all alike.

    Args:
        replica: That serves.
        study: By name.
        method: How it is measured.
        metric: The objective; None: the first.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: It has no such objective, or the method needs what the service does not have.
        Unavailable: The database is away or busy, or fANOVA is, or fails.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        memory = replica.memory.study(connection, row.study_id, revision=row.revision)
        if memory is None:
            raise StudyNotFound(f"there is no study {study!r}")
        view = View.of(memory.spec, memory.dimensions, memory.observe(connection))
    position = _position(memory.spec.objectives, metric)
    table = _table(memory, view, position)
    looked_at = fanova.spread(table) if method is ImportanceMethod.FANOVA else table
    reason = _reason(looked_at)
    found = {} if reason else _measured(looked_at, method)
    names = {dimension.stored_name: dimension.name for dimension in memory.dimensions}
    return Importances(
        method=method,
        metric=memory.spec.objectives[position].metric,
        trials=len(table.losses),
        reason=reason or (None if found else "no parameter is in every trial"),
        importances={names[stored_name]: share for stored_name, share in found.items()},
    )


def _reason(table: Table) -> str | None:
    """Return why nothing can be measured; None: it can."""
    if len(table.losses) < FEWEST_TRIALS:
        return f"needs {FEWEST_TRIALS} complete trials, and there are {len(table.losses)}"
    if len(set(table.losses)) == 1:
        return "the values of all trials that it looked at are equal"
    return None


def _measured(table: Table, method: ImportanceMethod) -> dict[str, float]:
    match method:
        case ImportanceMethod.PED_ANOVA:
            # Optuna's come with scikit-learn and pandas, where these are there: half a second, for who asks for it.
            from service.importances.anova import ped_anova  # noqa: PLC0415

            return ped_anova(table)
        case ImportanceMethod.FANOVA:
            return fanova.measured(table)


def _position(objectives: Sequence[Objective], metric: str | None) -> int:
    metrics = [objective.metric for objective in objectives]
    if metric is None:
        return 0
    if metric not in metrics:
        message = f"is not an objective of this study; it has {', '.join(metrics)}"
        raise Invalid("there is no such objective", errors=[FieldProblem(field="metric", message=message)])
    return metrics.index(metric)


def _table(study: StudyMemory, view: View, objective: int) -> Table:
    """Return the complete trials inside the space as it is now."""
    rows = np.flatnonzero(view.is_complete_N & ~view.lacks_value_N)
    return Table(
        distributions={dimension.stored_name: dimension.distribution_json for dimension in study.dimensions},
        points=[_point(study.dimensions, view, row) for row in rows.tolist()],
        losses=view.losses_NM[rows, objective].tolist(),
    )


def _point(dimensions: Sequence[Dimension], view: View, row: int) -> dict[str, float]:
    known = {dimension.stored_name for dimension in dimensions}
    point = zip(view.observations.names, view.observations.points_NP[row].tolist(), strict=True)
    return {name: value for name, value in point if name in known and not np.isnan(value)}
