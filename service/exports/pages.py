"""Reads what is exported, page by page. Between two pages nothing is held: no connection, no transaction."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from service import answers
from service.database import autocommit
from service.replica import Replica
from service.storage import exports, trials
from service.storage.studies import StudyRow
from trimtab.errors import StudyDeleted
from trimtab.exports import ExportedReport
from trimtab.protocol import Trial

TRIALS = 250
REPORTS = 2_000
"""On a page: more make an export no faster."""


def of_trials(replica: Replica, study: StudyRow) -> Iterator[Sequence[Trial]]:
    """Yield the trials that a study had when it was read, by number, each as it is when its page is read.

    Raises:
        StudyDeleted: The study was deleted meanwhile.
        Unavailable: The database is away or busy.
    """
    first, last = 0, study.created + study.added
    while first < last:
        with autocommit(replica.engine) as connection:
            rows = trials.page(
                connection,
                study.study_id,
                state=None,
                after=first - 1,
                limit=min(TRIALS, last - first),
                is_descending=False,
            )
            _require(connection, study)
        yield [answers.trial(study, row) for row in rows]
        first += TRIALS


def of_reports(replica: Replica, study: StudyRow) -> Iterator[Sequence[ExportedReport]]:
    """Yield the reports of the trials that a study had when it was read: by trial, attempt and step.

    Raises:
        StudyDeleted, Unavailable: As for the trials.
    """
    after, last = exports.FIRST, study.created + study.added - 1
    while True:
        with autocommit(replica.engine) as connection:
            rows = exports.reports(connection, study.study_id, after=after, last=last, limit=REPORTS)
            _require(connection, study)
        yield [_report(row) for row in rows]
        if len(rows) < REPORTS:
            return
        after = rows[-1].number, rows[-1].fence, rows[-1].step


def _report(row: exports.ReportRow) -> ExportedReport:
    fields = {field: getattr(row, field) for field in ExportedReport.model_fields}
    return ExportedReport.model_validate(fields, strict=False)


def _require(connection: sa.Connection, study: StudyRow) -> None:
    """Return if a study is still there after a page of it was read: then that page is whole."""
    if not exports.is_there(connection, study.study_id):
        raise StudyDeleted(f"study {study.spec.name!r} was deleted while it was exported")
