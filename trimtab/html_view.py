"""What people see of a study, its trials, and the doctor's words as HTML."""

import json
from collections.abc import Sequence

from trimtab import rendering
from trimtab.diagnosis import Diagnosis, Figures
from trimtab.markup import bar, paragraph, table
from trimtab.message import Metrics, Value
from trimtab.protocol import BestTrial, Study, Trial

ROWS = 60
"""Of trials that are shown: a page. Frames have them all."""


def study_html(study: Study, best: BestTrial | None, running: Sequence[Trial] = ()) -> str:
    """Return how far a study is, its best trial, and those that run."""
    title = f"{study.name} is {study.state}"
    done = f"{rendering.finished_line(study, of=' of ')}: {rendering.counts_line(study.counts)}"
    parts = [
        paragraph(study.reason or study.closing or "", title=title),
        bar(study.counts.finished - study.added, study.spec.budget.trials),
        paragraph(done),
        *(paragraph(text, title="warning") for text in study.warnings),
        _best(best),
    ]
    return "".join(parts) + (trials_html(running) if running else "")


def trials_html(trials: Sequence[Trial]) -> str:
    """Return a row for each trial; of very many the first ones."""
    params = list(dict.fromkeys(name for trial in trials[:ROWS] for name in trial.params))
    rows = [
        [
            str(trial.number),
            trial.state,
            _metrics(trial.values or trial.metrics),
            "" if trial.step is None else str(trial.step),
            *(_value(trial.params.get(name)) for name in params),
            trial.reason or "",
        ]
        for trial in trials[:ROWS]
    ]
    more = paragraph(f"{len(trials)} trials, of which these are the first {ROWS}") if len(trials) > ROWS else ""
    return table(["trial", "state", "values", "step", *params, "reason"], rows) + more


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Return conditions with their figures, findings, and edits."""
    of = diagnosis.study if diagnosis.trial is None else f"{diagnosis.study}, trial {diagnosis.trial}"
    conditions = " and ".join(condition.replace("_", " ") for condition in diagnosis.conditions)
    findings = [paragraph(finding.text, title=finding.code.replace("_", " ")) for finding in diagnosis.findings]
    edits = [[edit.path, _json(edit.was), _json(edit.to), edit.reason] for edit in diagnosis.edits]
    parts = [
        paragraph(conditions or diagnosis.reason or "no condition", title=of),
        _figures(diagnosis.figures),
        *findings,
        table(["edit", "from", "to", "reason"], edits) if edits else "",
    ]
    return "".join(parts)


def _best(best: BestTrial | None) -> str:
    if best is None:
        return paragraph("none yet", title="best")
    params = table(["parameter", "value"], [[name, _value(value)] for name, value in best.params.items()])
    return paragraph(rendering.best_line(best), title="best") + params


def _figures(figures: Figures | None) -> str:
    if figures is None:
        return ""
    known = {name: value for name, value in figures if isinstance(value, float)}
    return table(list(known), [[f"{value:.4g}" for value in known.values()]])


def _metrics(metrics: Metrics) -> str:
    return ", ".join(f"{name} {'not finite' if value is None else f'{value:.4g}'}" for name, value in metrics.items())


def _value(value: Value | None) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value, value))
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value)
