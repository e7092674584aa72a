"""What a trial that somebody gives comes to in its study. Decisions on values only."""

from collections.abc import Iterator, Sequence

from service import lifecycle
from service.storage.endings import Ending
from service.storage.lease_ends import ClosedLease
from trimtab import lists
from trimtab.errors import Invalid
from trimtab.given import GivenTrial
from trimtab.lists import Misshapen
from trimtab.message import FlatParams, Metrics, Params, Scalar, Value
from trimtab.protocol import FieldProblem, Tell
from trimtab.space import Categorical, Float, Int, Space
from trimtab.spec import StudySpec
from trimtab.states import Outcome, TrialState
from trimtab.tasks import checks

_OUTCOMES = {"complete": Outcome.COMPLETE, "pruned": Outcome.PRUNED, "fail": Outcome.ERROR}

_ON_GRID = 1e-8
"""Share of a step that a value may lie beside its grid: doubles are no decimals."""


def check(given: GivenTrial, spec: StudySpec, *, is_define_by_run: bool) -> None:
    """Return if a study can have this trial.

    Args:
        given: The trial.
        spec: Of the study, with its space as it is now.
        is_define_by_run: The space is what trials have asked for so far.

    Raises:
        Invalid: It cannot; each field at fault is named.
    """
    try:
        params = spec.flattened(given.params)
    except Misshapen as error:
        raise Invalid(
            "the study cannot have this trial", errors=[_problem(f"params.{error.name}", str(error))]
        ) from error
    if is_define_by_run:
        problems = [*_open_problems(params, spec.searched, is_finished=given.state is not None)]
    else:
        problems = [*_point_problems(params, spec.searched, is_whole=given.state is not None)]
        problems += [_problem("parameters", "are for a study without a space")] if given.parameters else []
    if given.state is not None:
        problems += [*_metric_problems(given, spec)]
    if problems:
        raise Invalid("the study cannot have this trial", errors=problems)


def ending(given: GivenTrial, spec: StudySpec) -> Ending:
    """Return the end of a trial that was trained elsewhere: as if a worker had told it."""
    assert given.state is not None, "it has ended"
    outcome = _OUTCOMES[given.state]
    if outcome is Outcome.ERROR and lifecycle.not_finite(given.metrics, spec):
        outcome = Outcome.DIVERGED
    last = given.curve[-1] if given.curve else None
    closed = ClosedLease(
        trial_id=0,
        number=0,
        outcome=outcome,
        message=None,
        lost=0,
        stop_reason=None,
        last_step=last.step if last else None,
        last_metrics=last.metrics if last else {},
    )
    ended = lifecycle.ending_by_tell(Tell(outcome=outcome, metrics=given.metrics, step=given.step), closed, spec)
    assert ended is not None, "no such outcome goes back to the queue"
    return ended


def _point_problems(params: FlatParams, space: Space, *, is_whole: bool) -> Iterator[FieldProblem]:
    for name in params:
        if name not in space:
            yield _problem(f"params.{name}", f"is not searched by this study; it searches {', '.join(space)}")
    for name in space:
        if name in params:
            fault = _inactive(space, name, params) or beside(space[name], params[name])
        else:
            fault = "is missing" if is_whole and space.is_active(name, params) else None
        if fault:
            yield _problem(f"params.{name}", fault)


def _open_problems(params: FlatParams, space: Space, *, is_finished: bool) -> Iterator[FieldProblem]:
    """Say what is wrong with params of a study whose trials say what they search.

    Whether a trial that is to be trained asks for them, and in which range, shows when it does.
    """
    for name, value in params.items() if is_finished else ():
        if name not in space:
            yield _problem(f"params.{name}", f"is nothing that a trial asked for: say in parameters.{name} what it is")
        elif fault := beside(space[name], value):
            yield _problem(f"params.{name}", f"{fault}; parameters.{name} may say otherwise")


def _inactive(space: Space, name: str, params: FlatParams) -> str | None:
    """Return why a parameter does not exist at this point; None if it does."""
    for parent, values in (space[name].when or {}).items():
        needed = f"exists only where {parent} is {' or '.join(map(str, values))}"
        if parent not in params:
            return f"{needed}, and {parent} is left out"
        if params[parent] not in values:
            return f"{needed}, not {params[parent]!r}"
    return None


def beside(parameter: Float | Int | Categorical, value: Value) -> str | None:
    """Return why a parameter cannot have a value; None if it can."""
    if not parameter.contains(value):
        return f"cannot be {value!r}; {parameter.described()}"
    if isinstance(parameter, Categorical) or not parameter.step:
        return None
    assert isinstance(value, int | float), "a number"
    steps = (value - parameter.low) / parameter.step
    if abs(steps - round(steps)) > _ON_GRID:
        return f"cannot be {value!r}; {parameter.described()} in steps of {parameter.step:g} from {parameter.low:g}"
    return None


def _metric_problems(given: GivenTrial, spec: StudySpec) -> Iterator[FieldProblem]:
    if given.state == "complete":
        for metric in spec.lacking(given.metrics):
            yield _problem(f"metrics.{metric}", "is missing: a complete trial has it")
        for metric in lifecycle.not_finite(given.metrics, spec):
            yield _problem(f"metrics.{metric}", "is not finite: a trial that diverged is a fail")
    for position, point in enumerate(given.curve):
        if spec.stopping.metric not in point.metrics:
            yield _problem(f"curve.{position}.metrics.{spec.stopping.metric}", "is missing: the study goes by it")


def _problem(field: str, message: str) -> FieldProblem:
    return FieldProblem(field=field, message=message)


# -- from another study ---------------------------------------------------------------------------------


def comparable(other: StudySpec, spec: StudySpec) -> str | None:
    """Return why the figures of another study say nothing about this one; None if they do."""
    ours, theirs = _trained(spec), _trained(other)
    if ours == theirs:
        return None
    return f"{other.name!r} trains {' on '.join(theirs)}, this study {' on '.join(ours)}: their figures do not compare"


def mapped(params: FlatParams, other: StudySpec, spec: StudySpec) -> FlatParams | None:
    """Return the params of a trial of another study as they are in this one; None if it has no such point.

    By name. What the other study does not search stands for what it holds fixed, or for the task's default; and what
    this study does not search has to be what it holds fixed, or the task's default. What it does not know at all is
    dropped. A list is no single value, whatever is in it.
    """
    if spec.task and _lists(other) != _lists(spec):
        return None
    theirs, ours = {**_settled(other), **params}, _settled(spec)
    if any(name in ours and name not in spec.searched and ours[name] != value for name, value in theirs.items()):
        return None
    found: dict[str, Scalar] = {}
    for name in spec.searched:
        if not spec.searched.is_active(name, found):
            continue
        value = theirs.get(name)
        if value is None or beside(spec.searched[name], value):
            return None
        found[name] = value
    return found


def _trained(spec: StudySpec) -> Sequence[str]:
    if spec.task is None:
        return ["whatever is asked for"]
    data = spec.task.data.model_dump_json(exclude_defaults=True, exclude={"dataset"})
    return [spec.task.name, spec.task.data.dataset if data == "{}" else f"{spec.task.data.dataset} {data}"]


def _lists(spec: StudySpec) -> set[str]:
    """Return the parameters that are lists in a study, searched or fixed."""
    searched = {name for name, parameter in spec.declared.root.items() if parameter.per}
    fixed = spec.task.fixed if spec.task else {}
    return searched | {name for name, value in fixed.items() if isinstance(value, tuple)}


def _settled(spec: StudySpec) -> FlatParams:
    """Return what a study does not search: the defaults of its task, and what it holds fixed, flat.

    A trial without a parameter that has a condition was trained with its default; a list that is searched has none.
    """
    if spec.task is None:
        return {}
    defaults = {name: knob.default for name, knob in checks.known(spec.task.name).hyperparameters.items()}
    settled: Params = {**defaults, **spec.task.fixed}
    found: dict[str, Scalar] = {}
    for name, value in settled.items():
        if isinstance(value, tuple):
            found |= {lists.nth(name, n): item for n, item in enumerate(value, 1)}
        elif name not in _lists(spec):
            found[name] = value
    return found


def has_figures(metrics: Metrics, state: TrialState, spec: StudySpec) -> bool:
    """Return whether a trial of another study has all that a complete one of this study needs."""
    if state is not TrialState.COMPLETE:
        return True
    return not spec.lacking(metrics) and not lifecycle.not_finite(metrics, spec)
