"""What leaves the service as a file: the trials of a study, or all that they reported."""

from enum import StrEnum

from trimtab.protocol import RecordedReport


class ExportFormat(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class ExportTable(StrEnum):
    """What a row is: a trial, or a report."""

    TRIALS = "trials"
    REPORTS = "reports"


class ExportedReport(RecordedReport):
    """A report of a study, with the number of its trial."""

    number: int
