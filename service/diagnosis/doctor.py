"""What the doctor says of a case: conditions, findings in the order in which they are to be mended, edits."""

from collections.abc import Callable

from service.diagnosis import begun, curves, fit, hold_out, rates
from service.diagnosis.case import Case
from service.diagnosis.conditions import NEEDED, conditions, figures
from service.diagnosis.remedies import edits
from trimtab.diagnosis import Diagnosis, Finding, FindingCode

Examination = Callable[[Case], Finding | None]

EXAMINATIONS: dict[FindingCode, Examination] = {
    FindingCode.LABEL_LEAK: hold_out.label_leak,
    FindingCode.DUPLICATES: hold_out.duplicates,
    FindingCode.SHIFT: hold_out.shift,
    FindingCode.SMALL_HOLD_OUT: hold_out.small_hold_out,
    FindingCode.FIRST_LOSS: begun.first_loss,
    FindingCode.SMALL_FIRST_WEIGHTS: begun.small_first_weights,
    FindingCode.DIVERGING: rates.diverging,
    FindingCode.OUT_OF_MEMORY: rates.out_of_memory,
    FindingCode.LEARNING_RATE_ON_BOUND: rates.learning_rate_on_bound,
    FindingCode.EXPLODING: begun.exploding,
    FindingCode.VANISHING: begun.vanishing,
    FindingCode.DEAD_UNITS: begun.dead_units,
    FindingCode.BIAS: fit.bias,
    FindingCode.VARIANCE: fit.variance,
    FindingCode.MISMATCH: fit.mismatch,
    FindingCode.VALIDATION_TURNING_UP: curves.validation_turning_up,
    FindingCode.STILL_IMPROVING: curves.still_improving,
}


def examine(case: Case) -> Diagnosis:
    """Return all that there is to say about a case."""
    measured = figures(case)
    suffers = conditions(measured) if measured else []
    findings = _findings(case)
    return Diagnosis(
        study=case.spec.name,
        trial=case.trial,
        conditions=suffers,
        figures=measured,
        reason=None if measured else _why_none(case),
        findings=findings,
        edits=edits(case, findings, suffers),
    )


def _findings(case: Case) -> list[Finding]:
    """Return what is there, in the order of the codes."""
    looked = (EXAMINATIONS[code](case) for code in FindingCode)
    return [finding for finding in looked if finding]


def _why_none(case: Case) -> str:
    if case.trial is None:
        return "no trial is complete"
    missing = [name for name in NEEDED if name not in case.metrics]
    return f"trial {case.trial} has no {' and no '.join(missing)}"
