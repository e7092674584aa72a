"""Whether a study can be made of a spec, and whether one that there is is what the spec asks for."""

import json

import sqlalchemy as sa

from service import sampling
from service.datasets import pins
from trimtab.errors import Invalid, StudyExists
from trimtab.protocol import FieldProblem
from trimtab.spec import StudySpec
from trimtab.tasks.training import OF_COMPANIONS


def admitted(connection: sa.Connection, spec: StudySpec) -> StudySpec:
    """Return a spec with every default filled in; the contents of its data sets stay with the transaction.

    Raises:
        Invalid: No study can be made of it here.
    """
    resolved = pins.resolved(connection, spec)
    _check_installed(resolved)
    _check_metrics(resolved)
    return resolved


def check_same(there_is: StudySpec, wanted: StudySpec) -> None:
    """Return if the study of a name is the one that is wanted by that name; both are resolved.

    Raises:
        StudyExists: It is another one.
    """
    if differences := _differences(there_is, wanted):
        told = f"study {wanted.name!r} exists with another spec: differs in {', '.join(differences)}"
        raise StudyExists(f"{told}; take another name, or change or delete that one")


def _check_installed(spec: StudySpec) -> None:
    if sampling.will_be_slow(spec) and not sampling.is_installed():
        text = "gp needs torch, which the service does not have: pip install 'trimtab[service,gp]', or take tpe"
        raise Invalid("a sampler is not installed", errors=[FieldProblem(field="sampler.name", message=text)])


def _check_metrics(spec: StudySpec) -> None:
    """Refuse to search by what only the studies that the service makes report."""
    named = {f"objectives.{position}": objective.metric for position, objective in enumerate(spec.objectives)}
    named |= {f"constraints.{position}": constraint.metric for position, constraint in enumerate(spec.constraints)}
    for field, metric in named.items() if spec.task else ():
        if metric in OF_COMPANIONS:
            problem = FieldProblem(field=f"{field}.metric", message=f"is not searched by: {metric}")
            raise Invalid("no trial that searches reports it", errors=[problem])


def _differences(one: StudySpec, other: StudySpec) -> list[str]:
    ours, theirs = _parts(one), _parts(other)
    return [field for field, part in ours.items() if part != theirs[field]]


def _parts(spec: StudySpec) -> dict[str, str]:
    """Return each part as a text: to Python 1 is True, and a mapping in another order the same."""
    parts = spec.model_dump(mode="json")
    parts["space"] = list((parts["space"] or {}).items())
    return {field: json.dumps(part, sort_keys=True) for field, part in parts.items()}
