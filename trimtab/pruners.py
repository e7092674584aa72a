"""What stops trials that cannot win: the pruners, by name, each with its settings."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trimtab.message import Message, ParamName, invalid

Trials = Annotated[int, Field(ge=0, le=100_000)]
Steps = Annotated[int, Field(ge=0, lt=2**31)]
Resource = Annotated[int, Field(ge=1, lt=2**31)]
Factor = Annotated[int, Field(ge=2, le=1000)]


class _Stopping(Message):
    """What all pruners have."""

    name: str
    metric: ParamName | None = None


class _AtSteps(_Stopping):
    """When a trial is looked at."""

    warmup_steps: Steps = 3
    interval_steps: Annotated[int, Field(ge=1, lt=2**31)] = 1


class _AgainstOthers(_AtSteps):
    """Compare with the complete trials at the same step."""

    startup_trials: Trials = 5
    min_trials: Annotated[int, Field(ge=1, le=100_000)] = 1


class MedianPruner(_AgainstOthers):
    """Stop a trial whose best value so far is worse than the median of the complete trials at its step.

    Args:
        metric: The objective by which trials are stopped; None: the first one.
        startup_trials: Complete trials before anything is stopped.
        warmup_steps: Steps 1 to this one never stop a trial. Optuna's `n_warmup_steps` is one more.
        interval_steps: Steps from one look to the next; where none is reported, the next report is looked at.
        min_trials: Complete trials that must have reported at the step.
    """

    name: Literal["median"] = "median"


class PercentilePruner(_AgainstOthers):
    """Stop a trial whose best value so far is not among the best share of the complete trials at its step.

    Args:
        percentile: The share that is kept, in percent: 50 is the median, 25 keeps fewer.
        metric, startup_trials, warmup_steps, interval_steps, min_trials: As for the median.
    """

    name: Literal["percentile"] = "percentile"
    percentile: Annotated[float, Field(ge=0, le=100)] = 25.0


class ThresholdPruner(_AtSteps):
    """Stop a trial whose value is out of bounds.

    Args:
        lower: Stop below it. At least one of the two is needed.
        upper: Stop above it.
        metric, interval_steps: As for the median.
        warmup_steps: Likewise; here none by default.
    """

    name: Literal["threshold"] = "threshold"
    lower: float | None = None
    upper: float | None = None
    warmup_steps: Steps = 0

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.lower is None and self.upper is None:
            raise invalid("", "needs a bound: lower, upper or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise invalid("lower", f"must not be above upper: {self.lower} > {self.upper}")
        return self


class _AtRungs(_Stopping):
    """Compare trials at rungs, each at a multiple of the steps of the one before."""

    min_resource: Resource = 1
    bootstrap_count: Trials = 0


class SuccessiveHalvingPruner(_AtRungs):
    """Let the best 1 / reduction_factor of the trials that came to a rung go on to the next one (ASHA).

    The rungs are at steps min_resource * reduction_factor ** (min_early_stopping_rate + 0, 1, 2, ...).

    Args:
        metric: The objective by which trials are stopped; None: the first one.
        min_resource: Step of the first rung. Optuna's `auto` depends on when its process began: a number never does.
        reduction_factor: One in so many goes on.
        min_early_stopping_rate: Rungs that are left out at the beginning.
        bootstrap_count: Trials that must have come to a rung before one goes on from it.

    Source: Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020.
    """

    name: Literal["successive_halving"] = "successive_halving"
    reduction_factor: Factor = 4
    min_early_stopping_rate: Annotated[int, Field(ge=0, le=30)] = 0


class HyperbandPruner(_AtRungs):
    """Successive halving in several brackets, which begin to stop at different steps. A trial's number says which.

    Args:
        metric, min_resource, bootstrap_count: As for successive halving.
        max_resource: The last step of the longest trial; None: the epochs of a built-in task.
        reduction_factor: One in so many goes on.

    Source: Li et al., Hyperband, JMLR 18 (2018).
    """

    name: Literal["hyperband"] = "hyperband"
    max_resource: Resource | None = None
    reduction_factor: Factor = 3


class WilcoxonPruner(_Stopping):
    """Stop a trial that is worse than the best one at the same steps by a signed-rank test.

    For values that are measurements of the same kind, such as folds; not for curves that fall. Of a task with folds or
    repeats, whose reports are means over the trainings so far, the single trainings are compared.

    Args:
        metric: The objective by which trials are stopped; None: the first one.
        p_threshold: Stop below this p; higher stops more.
        startup_steps: Steps in common with the best trial before anything is stopped, at least 2.
    """

    name: Literal["wilcoxon"] = "wilcoxon"
    p_threshold: Annotated[float, Field(ge=0, le=1)] = 0.1
    startup_steps: Steps = 2


class NoPruner(_Stopping):
    """Every trial runs to its end.

    Args:
        metric: The objective that `best` of a report's curve goes by; None: the first one.
    """

    name: Literal["none"] = "none"


def _wrappable(given: object) -> object:
    name = given.get("name") if isinstance(given, Mapping) else None
    if isinstance(name, str) and name in {"patient", "none"}:
        text = f"cannot be {name} inside patient: name another pruner, or null for patience alone"
        raise invalid("name", text)
    return given


Wrapped = Annotated[
    MedianPruner | PercentilePruner | SuccessiveHalvingPruner | HyperbandPruner | ThresholdPruner | WilcoxonPruner,
    Field(discriminator="name"),
]


class PatientPruner(_Stopping):
    """Ask another pruner only about a trial that has not become better for some reports; or stop it then.

    Args:
        metric: The objective by which trials are stopped, also of the wrapped one; None: the first one.
        wrapped_pruner: What is asked then; None: the trial is stopped.
        patience: Reports without a better value that are borne; the one after them is too many.
        min_delta: How much worse the best of these reports must be than the best before them.
    """

    name: Literal["patient"] = "patient"
    wrapped_pruner: Annotated[Wrapped | None, BeforeValidator(_wrappable, json_schema_input_type=Wrapped | None)] = None
    patience: Annotated[int, Field(ge=0, le=100_000)] = 5
    min_delta: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _one_metric(self) -> Self:
        if self.wrapped_pruner and self.wrapped_pruner.metric not in {None, self.metric}:
            raise invalid("wrapped_pruner.metric", "is that of the pruner around it: name it there, as metric")
        return self


Pruner = Annotated[
    MedianPruner
    | PercentilePruner
    | SuccessiveHalvingPruner
    | HyperbandPruner
    | PatientPruner
    | ThresholdPruner
    | WilcoxonPruner
    | NoPruner,
    Field(discriminator="name"),
]


def check_pruner(pruner: Pruner, *, metrics: Sequence[str], longest: int | None) -> None:
    """Refuse a pruner that cannot work in its study.

    Args:
        pruner: As it was given.
        metrics: The objectives'.
        longest: The last step of the longest trial; None: not known.
    """
    if pruner.metric is not None and pruner.metric not in metrics:
        raise invalid("pruner.metric", f"is not an objective: {pruner.metric!r}; there are {', '.join(metrics)}")
    if isinstance(pruner, HyperbandPruner):
        _check_resources(pruner, "pruner", longest)
    if isinstance(pruner, PatientPruner) and isinstance(pruner.wrapped_pruner, HyperbandPruner):
        _check_resources(pruner.wrapped_pruner, "pruner.wrapped_pruner", longest)


def resolved_pruner(pruner: Pruner, *, longest: int | None) -> Pruner:
    """Return a pruner with the default filled in that depends on the task."""
    if isinstance(pruner, PatientPruner) and isinstance(pruner.wrapped_pruner, HyperbandPruner):
        return pruner.model_copy(update={"wrapped_pruner": _resolved(pruner.wrapped_pruner, longest)})
    return _resolved(pruner, longest) if isinstance(pruner, HyperbandPruner) else pruner


def _resolved(pruner: HyperbandPruner, longest: int | None) -> HyperbandPruner:
    return pruner.model_copy(update={"max_resource": pruner.max_resource or longest})


def _check_resources(pruner: HyperbandPruner, field: str, longest: int | None) -> None:
    most = pruner.max_resource or longest
    if most is None:
        text = "is needed where the task does not say how many epochs a trial has: the last step of the longest trial"
        raise invalid(f"{field}.max_resource", text)
    if most < pruner.min_resource:
        raise invalid(f"{field}.max_resource", f"must not be below min_resource: {most} < {pruner.min_resource}")
