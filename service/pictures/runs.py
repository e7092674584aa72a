"""The run of one trial, as much of it as is seen: of ten thousand reports a few hundred say all."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.database import autocommit
from service.replica import Replica
from service.storage import pictures, studies, trials
from trimtab.protocol import RecordedReport

MOST_POINTS = 390
"""More than that cannot be told apart on a screen."""


@dataclass(frozen=True)
class Run:
    """The reports that lead to a trial's last one: where an attempt goes on from, the curve is cut.

    Args:
        reports: By step: the first, the best, the last, and of very many others some, evenly.
        total: How many there are.
        best_step: Of the best value of the objective by which trials are stopped; None: none is finite.
    """

    reports: Sequence[RecordedReport] = ()
    total: int = 0
    best_step: int | None = None


def run(replica: Replica, study: str, number: int) -> Run:
    """Return the run of a trial.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        trial = trials.require(connection, row, number)
        sign = row.spec.stopping.direction.sign
        found = pictures.run(connection, trial.trial_id, most=MOST_POINTS, sign=sign)
    totals = [report.pop("points") for report in found]
    bests = [report["step"] for report in found if report.pop("is_best")]
    return Run(
        reports=[RecordedReport.model_validate(report, strict=False) for report in found],
        total=max(totals, default=0),
        best_step=bests[0] if bests else None,
    )
