"""What people see of the doctor's words in a terminal or in a pipe."""

import json
from collections.abc import Iterator

from pydantic import JsonValue
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.diagnosis import Diagnosis, Edit, Figures, Finding
from trimtab.rendering import printable

_LONGEST_VALUE = 60


def diagnosis_view(diagnosis: Diagnosis) -> RenderableType:
    """Return conditions with their figures, findings, and edits as a table."""
    return Group(*_parts(diagnosis))


def _parts(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield Text(_headline(diagnosis))
    if diagnosis.figures:
        yield _errors_table(diagnosis.figures)
    for number, finding in enumerate(diagnosis.findings, start=1):
        yield ""
        yield _finding_text(number, finding)
    if diagnosis.edits:
        yield ""
        yield _edits_table(diagnosis.edits)
        yield ""
        yield Text(f"make them:  trimtab study prescribe {diagnosis.study}")


def _headline(diagnosis: Diagnosis) -> str:
    of = diagnosis.study if diagnosis.trial is None else f"{diagnosis.study}, trial {diagnosis.trial}"
    if diagnosis.conditions:
        return f"{of}: {' and '.join(condition.replace('_', ' ') for condition in diagnosis.conditions)}"
    if diagnosis.figures is None:
        return f"{of}: {printable(diagnosis.reason or 'nothing to go by')}"
    return f"{of}: {'neither bias nor variance is high' if diagnosis.findings else 'healthy: nothing found'}"


def _errors_table(figures: Figures) -> Table:
    table = _table("", "ERROR", "ABOVE", "BY", "NOISE", "TOLERANCE")
    held_out = "validation" if figures.train_dev_error is None else "train-dev"
    errors = {"training": figures.training_error, "train-dev": figures.train_dev_error}
    errors["validation"] = figures.validation_error
    rows = [("training", "target", figures.bias, "bias"), (held_out, "training", figures.variance, "variance")]
    if figures.mismatch is not None:
        rows.append(("validation", "train-dev", figures.mismatch, "mismatch"))
    table.add_row("target", f"{figures.target_error:.4g}")
    for name, other, amount, kind in rows:
        noise, tolerance = f"{figures.noise.get(kind, 0.0):.4g}", f"{figures.tolerance:.4g}"
        table.add_row(name, f"{errors[name]:.4g}", other, f"{amount:.4g} ({kind})", noise, tolerance)
    return table


def _finding_text(number: int, finding: Finding) -> Text:
    text = Text(f"{number}. ")
    text.append(finding.code.replace("_", " "), style="bold")
    return text.append(f": {printable(finding.text)}")


def _edits_table(edits: list[Edit]) -> Table:
    table = _table("EDIT", "FROM", "TO", "REASON")
    for edit in edits:
        table.add_row(Text(printable(edit.path)), _value(edit.was), _value(edit.to), Text(printable(edit.reason)))
    return table


def _value(value: JsonValue) -> Text:
    shown = value if isinstance(value, str) else "-" if value is None else json.dumps(value)
    return Text(printable(shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}…"))


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
