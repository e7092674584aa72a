"""What figures are drawn of: the finished trials of a study, from memory, and which of very many are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.database import autocommit
from service.history import Floats, Ints
from service.replica import Replica
from service.sampling import View
from service.storage import studies
from service.storage.dimensions import Dimension
from trimtab.errors import Invalid, StudyNotFound
from trimtab.objectives import Objective
from trimtab.protocol import FieldProblem

_BEST = 5
"""One in so many of those shown is there for being among the best: more would hide how the others lie."""


@dataclass(frozen=True)
class Subject:
    """A study as it is drawn.

    Args:
        name: Of the study.
        study_id: Likewise.
        revision: Of its space.
        known: Trials that have ended.
        objectives: What is optimised.
        is_ended: No more trials will end.
        view: Of the trials inside the space as it is now.
    """

    name: str
    study_id: int
    revision: int
    known: int
    is_ended: bool
    objectives: Sequence[Objective]
    view: View

    @property
    def tag(self) -> str:
        """What is another one when there is something else to draw (ETag)."""
        return f'"{self.study_id}-{self.revision}-{self.known}"'

    def objective(self, metric: str | None) -> int:
        """Return the place of an objective; of None the first.

        Raises:
            Invalid: The study has no such objective.
        """
        metrics = [objective.metric for objective in self.objectives]
        if metric is None:
            return 0
        if metric not in metrics:
            message = f"is not an objective of this study; it has {', '.join(metrics)}"
            raise Invalid("there is no such objective", errors=[FieldProblem(field="metric", message=message)])
        return metrics.index(metric)

    def best_first(self, objective: int) -> Ints:
        """Return the rows of the complete trials: the best first, those that violate constraints last."""
        view = self.view
        rows = np.flatnonzero(view.is_complete_N & ~view.lacks_value_N)
        keys = (view.observations.numbers_N, view.losses_NM[:, objective], view.violations_N)
        found: Ints = rows[np.lexsort([key[rows] for key in keys])]
        return found

    def column(self, dimension: Dimension) -> Floats:
        """Return the stored values of a parameter, one for each row; NaN where a trial does not have it."""
        seen = self.view.observations
        column_N: Floats = seen.points_NP[:, seen.names.index(dimension.stored_name)]
        return column_N


def look_at(replica: Replica, name: str) -> Subject:
    """Return what can be drawn of a study now.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, name)
        memory = replica.memory.study(connection, row.study_id, revision=row.revision)
        if memory is None:
            raise StudyNotFound(f"there is no study {name!r}")
        observations = memory.observe(connection)
    view = View.of(memory.spec, memory.dimensions, observations)
    return Subject(
        name=name,
        study_id=row.study_id,
        revision=memory.revision,
        known=observations.known,
        is_ended=row.state.is_ended,
        objectives=memory.spec.objectives,
        view=view,
    )


def thinned(best_first: Ints, most: int) -> Ints:
    """Return so many of the trials at most, in the order of their rows: the best, and an even choice of the others."""
    if len(best_first) <= most:
        return np.sort(best_first)
    best, others = np.split(best_first, [most // _BEST])
    every = np.linspace(0, len(others) - 1, most - len(best)).round().astype(np.int64)
    return np.sort(np.concatenate([best, np.sort(others)[every]]))
