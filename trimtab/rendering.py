"""What people see of studies, trials and workers in a terminal or in a pipe."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trimtab.budget import Budget
from trimtab.message import Metrics, Params, Value
from trimtab.protocol import BestTrial, Counts, HeldTrial, Study, Token, Used, Worker
from trimtab.space import Categorical, Float, Int

BAR_COLUMNS = 40


def studies_table(studies: Iterable[Study]) -> Table:
    """Return a line for each study; tags and priorities where one has any."""
    listed = list(studies)
    marks = {name: mark for name, mark in _MARKS.items() if any(map(mark, listed))}
    table = _table("STUDY", "STATE", "FINISHED", "RUNNING", "PRUNED", "FAILED", "TASK", *marks, "CREATED")
    for study in listed:
        counts = study.counts
        table.add_row(
            study.name,
            study.state,
            finished(study),
            str(counts.running),
            str(counts.pruned),
            str(counts.fail),
            _task(study),
            *(mark(study) for mark in marks.values()),
            _time(study.created_at),
        )
    return table


def study_view(study: Study, best: BestTrial | None, *, failed: str = "", waits: str = "") -> RenderableType:
    """Return all there is to say about a study: how far it is, its spec, its best trial.

    Args:
        study: As it is.
        best: Its best trial; None: there is none.
        failed: Why trials failed.
        waits: Whom it waits for, and what to do.
    """
    sampler, pruner = study.spec.sampler, study.spec.pruner
    facts = _facts(
        study=study.name,
        state=_plain(f"{study.state}: {study.reason}" if study.reason else study.state),
        closing=_plain(study.closing or "") if not study.state.is_ended else "",
        trials=f"{finished_line(study, of=' of ')}: {counts_line(study.counts)}",
        failed=_plain(failed),
        waits=_plain(waits),
        budget=budget_line(study.spec.budget, study.used),
        warning=_plain("; ".join(study.warnings)),
        best=best_line(best) if len(study.spec.objectives) == 1 else f"several: trimtab study best {study.name}",
        task=_task(study),
        purpose=f"{study.purpose} of {study.parent}" if study.parent else "",
        followed_by=", ".join(study.children),
        objective=", ".join(f"{objective.direction} {objective.metric}" for objective in study.spec.objectives),
        sampler=_settings(sampler.model_dump()),
        pruner=_settings(pruner.model_dump()),
        tags=_tags(study),
        priority=_priority(study),
        created=_time(study.created_at),
        ended=_time(study.completed_at),
    )
    return Group(facts, "", _space_table(study, best))


def best_view(best: BestTrial) -> RenderableType:
    """Return the best trial: its value, all its metrics, its params."""
    facts = _facts(
        study=best.study,
        trial=f"{best.number} (of {best.finished_trials} finished; the study is {best.study_state})",
        step=str(best.step) if best.step is not None else "",
        **{name: _number(value) for name, value in (best.values | best.metrics).items()},
    )
    return Group(facts, "", params_table(best.params))


def front_table(trials: Sequence[BestTrial]) -> Table:
    """Return a line for each of several trials of which none is best: its objectives, its params."""
    metrics = list(trials[0].values) if trials else []
    table = _table("TRIAL", *metrics, "PARAMS")
    for trial in trials:
        values = [_number(trial.values[metric]) for metric in metrics]
        table.add_row(
            str(trial.number), *values, ", ".join(f"{name}={_value(value)}" for name, value in trial.params.items())
        )
    return table


def params_table(params: Params) -> Table:
    """Return a line for each parameter of a trial."""
    table = _table("PARAMETER", "VALUE")
    for name, value in params.items():
        table.add_row(name, _value(value))
    return table


def workers_table(workers: Iterable[Worker]) -> Table:
    """Return a line for each worker."""
    table = _table("WORKER", "STATE", "DEVICE", "HOST", "TASKS", "TRIALS", "SINCE", "LAST SEEN")
    for worker in workers:
        table.add_row(
            worker.name,
            "alive" if worker.is_alive else "gone",
            _plain(worker.device or ""),
            _plain(worker.host or ""),
            _plain(", ".join(worker.tasks)),
            ", ".join(map(_held, worker.trials)),
            _time(worker.first_seen_at),
            _time(worker.last_seen_at),
        )
    return table


def tokens_table(tokens: Iterable[Token]) -> Table:
    """Return a line for each token."""
    table = _table("ID", "KIND", "NAME", "SINCE", "REVOKED")
    for token in tokens:
        revoked = _time(token.revoked_at) if token.revoked_at else ""
        table.add_row(token.id, token.kind, _plain(token.name), _time(token.created_at), revoked)
    return table


def progress_view(study: Study, best: BestTrial | None, *, waits: str | None = None) -> RenderableType:
    """Return how far a study is: a bar, the trials by state, the best value so far, and what it waits for."""
    bar = ProgressBar(total=study.spec.budget.trials, completed=_ended(study), width=BAR_COLUMNS)
    line = Table.grid(padding=(0, 2))
    line.add_row(study.name, bar, f"{finished(study)}{_added(study)}", study.state)
    waiting = [Text(f"waits: {printable(waits)}", style="yellow")] if waits else []
    return Group(line, counts_line(study.counts), f"best: {best_line(best)}", *waiting)


def progress_line(study: Study, best: BestTrial | None, *, waits: str | None = None) -> str:
    """Return the same as one line without a bar."""
    done = f"{finished_line(study)}, {counts_line(study.counts)}; best: {best_line(best)}"
    return f"{study.name} {study.state}: {done}" + (f"; waits: {waits}" if waits else "")


def finished(study: Study, *, of: str = "/") -> str:
    """Return how many trials have ended, of how many where their number is limited, but for those that were added."""
    total = study.spec.budget.trials
    return str(_ended(study)) if total is None else f"{_ended(study)}{of}{total}"


def finished_line(study: Study, *, of: str = "/") -> str:
    """Return the same in words, with how many came already finished: those are among the trials by state."""
    return f"{finished(study, of=of)} finished{_added(study)}"


def budget_line(budget: Budget, used: Used | None = None) -> str:
    """Return the limits of a budget, each with what is used of it where that is given."""
    spent = {
        "trials": used.trials if used else None,
        "epochs": used.epochs if used else None,
        "seconds": round(used.seconds or 0) if used else None,
        "device_seconds": round(used.device_seconds) if used else None,
    }
    parts = []
    for field, limit in budget:
        before = "" if spent.get(field) is None else f"{spent[field]} of "
        if limit is not None:
            parts.append(f"{before}{limit:.12g} {field}" if field in spent else f"{field} {limit:g}")
    return ", ".join(parts) or "no limit"


def counts_line(counts: Counts) -> str:
    """Return the trials of a study by state."""
    waiting = f", {counts.waiting} waiting" if counts.waiting else ""
    return (
        f"{counts.complete} complete, {counts.pruned} pruned, {counts.fail} failed, {counts.running} running{waiting}"
    )


def best_line(best: BestTrial | None) -> str:
    """Return the value of the best trial, and which trial that is."""
    return f"{_metrics(best.values)} (trial {best.number})" if best else "none yet"


def _ended(study: Study) -> int:
    return study.counts.finished - study.added


def _added(study: Study) -> str:
    return f", {study.added} added" if study.added else ""


def _space_table(study: Study, best: BestTrial | None) -> Table:
    table = _table("PARAMETER", "RANGE", "SCALE", "WHEN", "BEST")
    for name, parameter in study.spec.declared.root.items():
        value = best.params.get(name) if best else None
        table.add_row(name, _range(parameter), _scale(parameter), _when(parameter), _value(value))
    return table


def _range(parameter: Float | Int | Categorical) -> Text:
    match parameter:
        case Categorical():
            return _plain(", ".join(map(str, parameter.choices)))
        case Float():
            step = f" step {parameter.step:g}" if parameter.step else ""
            return Text(f"{parameter.low:g} .. {parameter.high:g}{step}")
        case Int():
            step = f" step {parameter.step}" if parameter.step > 1 else ""
            return Text(f"{parameter.low} .. {parameter.high}{step}")


def _scale(parameter: Float | Int | Categorical) -> str:
    return "" if isinstance(parameter, Categorical) else parameter.scale


def _when(parameter: Float | Int | Categorical) -> Text:
    said = [f"{parent} is {' or '.join(map(str, values))}" for parent, values in (parameter.when or {}).items()]
    return _plain(", ".join([*said, f"one for each of {parameter.per}"] if parameter.per else said))


def _task(study: Study) -> str:
    task = study.spec.task
    return f"{task.name} on {task.data.dataset}" if task else "none"


def _tags(study: Study) -> Text:
    return _plain(", ".join(study.spec.tags))


def _priority(study: Study) -> str:
    return str(study.spec.priority) if study.spec.priority else ""


_MARKS: Mapping[str, Callable[[Study], str | Text]] = {"TAGS": _tags, "PRIORITY": _priority}
"""What few studies have, by the head of its column."""


def _settings(fields: dict[str, object]) -> str:
    name, *others = fields.items()
    return ", ".join([str(name[1]), *(f"{key} {value}" for key, value in others if value is not None)])


def _held(held: HeldTrial) -> str:
    return f"{held.study} {held.trial}"


def _metrics(metrics: Metrics) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in metrics.items())


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4g}"


def _value(value: Value | None) -> Text:
    if value is None:
        return Text("")
    if isinstance(value, tuple):
        return Text(", ").join(map(_value, value))
    return Text(f"{value:.6g}") if isinstance(value, float) else _plain(str(value))


def _time(time: datetime | None) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}" if time else ""


def _facts(**facts: str | Text) -> Table:
    """Return names and what they stand for, line by line; what there is nothing to say about is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            grid.add_row(Text(name, style="bold"), value)
    return grid


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _plain(text: str) -> Text:
    """Return others' words without what could steer a terminal."""
    return Text(printable(text))


def printable(text: str) -> str:
    """Return a text on one line, without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
