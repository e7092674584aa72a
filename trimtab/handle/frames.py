"""A study as frames and as files: its trials, and their curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from pydantic import TypeAdapter

from trimtab.exports import ExportedReport, ExportFormat, ExportTable
from trimtab.frames import columns, making
from trimtab.frames.making import Library
from trimtab.handle.named import Named
from trimtab.message import Message
from trimtab.protocol import Trial

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Row = TypeVar("Row", bound=Message)


class FrameVerbs(Named):
    """Have a study as a frame."""

    @overload
    def frame(self, library: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def frame(self, library: Literal["polars"]) -> pl.DataFrame: ...
    def frame(self, library: Library = "pandas") -> pd.DataFrame | pl.DataFrame:
        """Return a row for each trial.

        Columns: `number`, `value`, times, `params_X`, `user_attrs_X`, `metrics_X`, `state`, and how it came to that.
        What Optuna's frames have too is called as there; with several objectives there are `values_METRIC`. A list of
        params is a list in its cell. What is missing is missing.

        Args:
            library: `pandas` or `polars`.

        Raises:
            Misconfigured: It is not installed.
        """
        objectives = [objective.metric for objective in self.client.study(self.name).spec.objectives]
        trials = self._rows(Trial, ExportTable.TRIALS)
        return making.frame(columns.of_trials(trials, objectives), library)

    @overload
    def curves(self, library: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def curves(self, library: Literal["polars"]) -> pl.DataFrame: ...
    def curves(self, library: Library = "pandas") -> pd.DataFrame | pl.DataFrame:
        """Return a row for each figure that was reported: `number`, `step`, `metric`, `value`.

        A curve is one run: where a trial had to start again at a step, what was reported from there on is left out.

        Args:
            library: `pandas` or `polars`.

        Raises:
            Misconfigured: It is not installed.
        """
        return making.frame(columns.of_curves(self._rows(ExportedReport, ExportTable.REPORTS)), library)

    def export(
        self,
        path: Path | str,
        format: ExportFormat | str | None = None,  # noqa: A002  # as the API calls it
        *,
        table: ExportTable | str = ExportTable.TRIALS,
    ) -> None:
        """Write its trials to a file, which is there when it is whole.

        Args:
            path: Where to.
            format: `csv`, `json` or `parquet`; None: what the name of the file ends in.
            table: `trials`, or `reports`: all that they reported.

        Raises:
            Misconfigured: The name of the file does not say the format, and nothing else does.
            OSError: The file cannot be written.
        """
        self.client.export(self.name, path, format, table=table)

    def _rows(self, row: type[Row], table: ExportTable) -> list[Row]:
        content = b"".join(self.client.exported(self.name, ExportFormat.JSON, table=table))
        # Fields that only a newer service knows are left out.
        return TypeAdapter(list[row]).validate_json(content, extra="ignore")  # type: ignore[valid-type]  # a class at run time
