"""Exports: a study as a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from trimtab import answers
from trimtab.client.calls import Calls
from trimtab.errors import Misconfigured
from trimtab.exports import ExportFormat, ExportTable
from trimtab.message import Lax, Message
from trimtab.requests import Request, new_key, study_path
from trimtab.validation import built


class _Wanted(Message):
    format: Annotated[ExportFormat, Lax]
    table: Annotated[ExportTable, Lax]


class ExportCalls(Calls):
    """What there is to do with a study as a table."""

    def exported(
        self,
        name: str,
        format: ExportFormat | str,  # noqa: A002  # as the API calls it
        *,
        table: ExportTable | str = ExportTable.TRIALS,
    ) -> Iterator[bytes]:
        """Return the trials of a study as a file, in parts as they come.

        Args:
            name: The study.
            format: `csv`, `json` or `parquet`.
            table: `trials`, or `reports`: all that they reported.

        Raises:
            StudyNotFound: There is no such study.
            Unreachable: While it is read: it was cut off, as where the study was deleted meanwhile.
        """
        answer = self._connection.open(_request(name, format, table))
        answers.check(answer)
        return self._connection.content(answer)

    def export(
        self,
        name: str,
        path: Path | str,
        format: ExportFormat | str | None = None,  # noqa: A002  # as the API calls it
        *,
        table: ExportTable | str = ExportTable.TRIALS,
    ) -> None:
        """Write the trials of a study to a file, which is there when it is whole.

        Args:
            name: The study.
            path: Where to.
            format: `csv`, `json` or `parquet`; None: what the name of the file ends in.
            table: `trials`, or `reports`: all that they reported.

        Raises:
            Misconfigured: The name of the file does not say the format, and nothing else does.
            StudyNotFound: There is no such study.
            OSError: The file cannot be written.
        """
        path = Path(path)
        request = _request(name, format or _format(path), table)
        part = path.with_name(f"{path.name}.{new_key()}")
        try:
            answers.check(self._connection.download(request, part))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _request(name: str, form: ExportFormat | str, table: ExportTable | str) -> Request:
    wanted = built(_Wanted, {"format": form, "table": table})
    return Request("GET", f"{study_path(name)}/export", query={"format": wanted.format, "table": wanted.table})


def _format(path: Path) -> ExportFormat:
    given = path.suffix.lower().removeprefix(".")
    if given in set(ExportFormat):
        return ExportFormat(given)
    raise Misconfigured(f"{path.name}: name a file .{', .'.join(ExportFormat)}, or say the format")
