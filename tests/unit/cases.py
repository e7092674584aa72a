"""Cases for the doctor, of figures that are made up."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.diagnosis import Case
from service.diagnosis.case import Curve
from trimtab.spec import StudySpec

HEALTHY = {
    "training_error": 0.0,
    "validation_error": 0.01,
    "training_loss": 0.01,
    "validation_loss": 0.03,
    "parameters": 9000.0,
    "gradient_norm": 0.1,
    "first_gradient_norm": 0.05,
    "last_gradient_norm": 0.06,
    "dead_units": 0.1,
    "first_loss": 2.4,
    "untrained_activation_scale": 0.9,
    "classes": 10.0,
    "training_examples": 1000.0,
    "validation_examples": 360.0,
    "leak_error": 0.6,
    "leak_feature": 3.0,
    "duplicate_share": 0.0,
}


def study(*, task: Mapping[str, Any] | None = None, **changes: Any) -> StudySpec:
    """Return a resolved study of the task `mlp`."""
    return StudySpec.model_validate({"name": "study", "task": {"name": "mlp", **(task or {})}, **changes}).resolved()


def case(
    spec: StudySpec | None = None, *, curve: Curve = (), params: Mapping[str, Any] | None = None, **figures: float
) -> Case:
    """Return a trial that ails of nothing but what its figures say."""
    return Case(spec=spec or study(), trial=7, params=params or {}, metrics=HEALTHY | figures, curve=curve)


def errors(*values: float) -> Curve:
    """Return a curve of validation errors."""
    return [{"validation_error": value} for value in values]


def codes(found: Sequence[Any]) -> list[str]:
    """Return what was found, in order."""
    return [finding.code for finding in found]
