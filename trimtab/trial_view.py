"""What people see of trials in a terminal or in a pipe."""

import json
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.message import Metrics
from trimtab.protocol import Attempt, Trial, TrialHistory
from trimtab.rendering import params_table, printable
from trimtab.sparklines import curve, sparkline
from trimtab.states import Origin, Outcome

CURVE_COLUMNS = 60
RUNNING_COLUMNS = 30
REASON_COLUMNS = 120
"""Of a list, in which one trial is a line among many: all of its reason is shown with the trial."""

_ORIGINS = {Origin.SAMPLED: "the sampler", Origin.CONTROL: "chance, to compare the sampler with"}
_ORIGINS |= {Origin.ENQUEUED: "somebody, to be trained", Origin.ADDED: "somebody, trained elsewhere"}


def trials_table(trials: Sequence[Trial]) -> Table:
    """Return a line for each trial: where it is, its values, and why it was stopped or failed."""
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.values))
    table = _table("TRIAL", "STATE", *metrics, "STEP", "ATTEMPTS", "SECONDS", "WORKER", "WHY")
    for trial in trials:
        table.add_row(
            str(trial.number),
            trial.state,
            *(_figure(trial.values, metric) for metric in metrics),
            "" if trial.step is None else str(trial.step),
            str(trial.attempts),
            _seconds(trial),
            Text(printable(trial.worker or "")),
            Text(_cut(why(trial)), overflow="fold"),
        )
    return table


def running_table(trials: Sequence[Trial], curves: Mapping[int, Sequence[float | None]], metric: str) -> Table:
    """Return a line for each trial that runs: its worker, its step, its curve so far.

    Args:
        trials: That run.
        curves: Values of the metric by trial.
        metric: That is shown.
    """
    table = _table("TRIAL", "WORKER", "STEP", printable(metric), "")
    for trial in trials:
        line = sparkline(curves.get(trial.number, ()), RUNNING_COLUMNS)
        step = "" if trial.step is None else str(trial.step)
        worker = Text(printable(trial.worker or ""), overflow="ellipsis", no_wrap=True)
        table.add_row(str(trial.number), worker, step, line, _figure(trial.metrics, metric))
    return table


def trial_view(trial: TrialHistory) -> RenderableType:
    """Return all there is to say about a trial: how it went, its curves, its params, its attempts."""
    return Group(*_parts(trial))


def why(trial: Trial) -> str:
    """Return why a trial was stopped, failed, or has random params; empty where all went as it should."""
    is_usual = trial.outcome in {None, Outcome.COMPLETE, Outcome.PRUNED}
    said = [] if is_usual else [str(trial.outcome).replace("_", " ")]
    said += [printable(text) for text in (trial.reason, trial.fallback) if text]
    return ": ".join(said)


def _cut(text: str) -> str:
    return text if len(text) <= REASON_COLUMNS else f"{text[: REASON_COLUMNS - 1]}…"


def _parts(trial: TrialHistory) -> Iterator[RenderableType]:
    yield Text(f"{trial.study}, trial {trial.number}: {trial.state}{_because(trial)}")
    yield Text(f"params chosen by {_ORIGINS[trial.origin]}")
    for name, value in (trial.values | trial.metrics).items():
        yield Text(f"{printable(name)} {_number(value)}")
    if trial.reports:
        yield ""
        yield _curves(trial)
    yield ""
    yield params_table(trial.params)
    if trial.user_attributes:
        yield ""
        yield _attributes(trial)
    if trial.history:
        yield ""
        yield _attempts(trial.history)


def _because(trial: Trial) -> str:
    step = "" if trial.step is None else f" at step {trial.step}"
    reason = why(trial)
    return f"{step}; {reason}" if reason else step


def _curves(trial: TrialHistory) -> Table:
    table = _table("CURVE", "", "FIRST", "LAST")
    for metric in dict.fromkeys(name for report in trial.reports for name in report.metrics):
        values = list(curve(trial.reports, metric).values())
        line = sparkline(values, CURVE_COLUMNS)
        table.add_row(Text(printable(metric)), line, _number(values[0]), _number(values[-1]))
    return table


def _attributes(trial: Trial) -> Table:
    table = _table("USER ATTRIBUTE", "VALUE")
    for name, value in trial.user_attributes.items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(printable(name)), Text(printable(said)))
    return table


def _attempts(history: Sequence[Attempt]) -> Table:
    table = _table("ATTEMPT", "WORKER", "DEVICE", "OUTCOME", "SECONDS", "WHY")
    for attempt in history:
        table.add_row(
            str(attempt.attempt),
            Text(printable(attempt.worker)),
            Text(printable(attempt.device or "")),
            attempt.outcome or "under way",
            "" if attempt.seconds is None else f"{attempt.seconds:.1f}",
            Text(printable(attempt.message or ""), overflow="fold"),
        )
    return table


def _seconds(trial: Trial) -> str:
    if trial.started_at is None or trial.completed_at is None:
        return ""
    return f"{(trial.completed_at - trial.started_at).total_seconds():.1f}"


def _figure(values: Metrics, metric: str) -> str:
    return _number(values[metric]) if metric in values else ""


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4g}"


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
