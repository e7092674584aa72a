"""What people see of a confirmation and of a final model in a terminal or in a pipe."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.finals import Confirmation, FinalModel, FinalState, TestError
from trimtab.rendering import params_table, printable

_SAID = {
    FinalState.CONFIRMING: "waits for its confirmation",
    FinalState.TRAINING: "is in training",
    FinalState.COMPLETE: "is complete",
    FinalState.FAILED: "has failed",
}


def confirmation_view(confirmation: Confirmation) -> RenderableType:
    """Return the mean of each trial that was trained again, the best first."""
    table = Table("TRIAL", "STATE", "MEAN", "STANDARD ERROR", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for trial in confirmation.trials:
        table.add_row(str(trial.trial), trial.state, _number(trial.value), _number(trial.standard_error))
    return Group(Text(f"{confirmation.study} is {confirmation.state}, {confirmation.repeats} repeats each"), table)


def final_view(final: FinalModel) -> RenderableType:
    """Return how far a final model is, what it was chosen by, its params, and each reading of the test set."""
    parts: list[RenderableType] = [Text(_headline(final))]
    if final.confirmation:
        parts += ["", confirmation_view(final.confirmation)]
    if final.params:
        parts += ["", params_table(final.params)]
    if final.reads:
        parts += ["", *(Text(f"test set read by {_read(final, place)}") for place in range(len(final.reads)))]
    return Group(*parts)


def _headline(final: FinalModel) -> str:
    of_trial = "" if final.trial is None else f" of trial {final.trial}"
    reason = f": {printable(final.reason)}" if final.reason else ""
    is_another = final.model is not None and final.state is not FinalState.COMPLETE
    said = f"is that of {final.final_study}; a newer one {_SAID[final.state]}" if is_another else _SAID[final.state]
    tested = f"; test error {_interval(final.test)}" if final.test else ""
    return f"the final model of {final.study}{of_trial} {said}{reason}{tested}"


def _interval(test: TestError) -> str:
    return f"{test.error:.4g} (95 %: {test.low:.4g} to {test.high:.4g}; {test.examples} examples)"


def _read(final: FinalModel, place: int) -> str:
    read = final.reads[place]
    why = f", again: {printable(read.reason)}" if read.is_override and read.reason else ""
    return f"{read.final_study} at {read.at.astimezone():%Y-%m-%d %H:%M:%S}{why}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
