"""What a study is asked to be: its spec, each part with a default, checked as a whole."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trimtab import lists
from trimtab.budget import MAX_SECONDS, Budget, Limits
from trimtab.data import BUILT_IN, DatasetFacts, DataSpec
from trimtab.diagnosis import DiagnosisSpec
from trimtab.grids import infinite
from trimtab.message import (
    FlatParams,
    Message,
    Metrics,
    Params,
    Priority,
    StudyName,
    Tags,
    TaskName,
    invalid,
)
from trimtab.objectives import Constraints, Objective, Objectives, check_distinct
from trimtab.pruners import MedianPruner, Pruner, check_pruner, resolved_pruner
from trimtab.samplers import (
    CoarseToFineSampler,
    Control,
    GridSampler,
    Sampler,
    TpeSampler,
    resolved_budget,
    resolved_sampler,
)
from trimtab.samplers import check as check_sampler
from trimtab.sizes import set_sizes, training_examples
from trimtab.space import NOTHING, Space
from trimtab.tasks import checks
from trimtab.tasks.training import TRAINING
from trimtab.warm_start import WarmStart


class TaskSpec(Message):
    """How trials are trained: by which task, on what, with what held fixed.

    Args:
        name: A built-in task, or one of the user's own, `module:attribute`, that workers were started with.
        data: The data.
        fixed: Hyperparameters that every trial has alike.
        repeats: Trainings of each trial, alike but for their seeds; its value is their mean.
    """

    name: TaskName
    data: DataSpec = DataSpec()
    fixed: Params = Field(default_factory=dict)
    repeats: Annotated[int, Field(ge=1, le=100)] = 1

    @property
    def trainings(self) -> int:
        """The trainings of a trial, each of which is a step; 0: there is one, whose steps are its epochs."""
        trainings = (self.data.split.folds or 1) * self.repeats
        return trainings if trainings > 1 else 0


STEP_SECONDS = 3600.0
"""A task that has not come to the end of an epoch by then hangs."""


def _named_space(given: object) -> object:
    return None if given == "default" else given


NEEDS_ONE_OBJECTIVE = "needs one objective: of several, none says alone which trial is better"

SearchedSpace = Annotated[
    Space | None, BeforeValidator(_named_space, json_schema_input_type=Space | Literal["default"] | None)
]


class StudySpec(Message):
    """Everything that defines a study. The same spec, asked one trial at a time, gives the same trials.

    Args:
        name: What the study is called.
        task: How trials are trained; None: anybody asks and tells.
        space: What is searched; absent or "default": the task's own default space; without a task, define-by-run:
            what each trial asks for while it runs.
        objectives: What is optimised: one metric, or several, of which none says alone which trial is best.
        constraints: What a trial has to keep to be any good.
        sampler: What chooses params.
        control: Trials that it does not choose, for comparison; None: there are none.
        pruner: What stops trials.
        budget: When the study is complete.
        max_attempts: Leases that a trial may lose, with its worker, before it fails.
        failed_in_a_row: Failed trials, one after another, that stop the study.
        limits: How long an attempt may take.
        warm_start: A study whose finished trials it begins with.
        diagnosis: What the doctor goes by.
        tags: To find it again by; they change nothing.
        priority: Workers that may train several studies are given trials of those with the highest first, for as long
            as there are any.
    """

    name: StudyName
    task: TaskSpec | None
    space: SearchedSpace = None
    objectives: Objectives = (Objective(),)
    constraints: Constraints = ()
    sampler: Sampler = TpeSampler()
    control: Control | None = None
    pruner: Pruner = MedianPruner()
    budget: Budget = Budget()
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    failed_in_a_row: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    limits: Limits = Limits()
    warm_start: WarmStart | None = None
    diagnosis: DiagnosisSpec = DiagnosisSpec()
    tags: Tags = ()
    priority: Priority = 0

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        if self.task is None:
            lists.check(self.declared, {})
            return self
        task = checks.known(self.task.name)
        checks.check_fixed(self.task.fixed, task)
        checks.check_space(self.space, self.task.fixed, task)
        if self.space is not None:
            lists.check(self.space, self.task.fixed)
        checks.check_metrics("objectives", [objective.metric for objective in self.objectives], task)
        checks.check_metrics("constraints", [constraint.metric for constraint in self.constraints], task)
        return self

    @model_validator(mode="after")
    def _names_metrics_once(self) -> Self:
        check_distinct("objectives", (objective.metric for objective in self.objectives))
        check_distinct("constraints", (constraint.metric for constraint in self.constraints))
        return self

    @model_validator(mode="after")
    def _knows_what_is_better(self) -> Self:
        for field in ("target", "patience"):
            if getattr(self.budget, field) is not None and len(self.objectives) > 1:
                raise invalid(f"budget.{field}", NEEDS_ONE_OBJECTIVE)
        return self

    @model_validator(mode="after")
    def _stops_trials(self) -> Self:
        metrics = [objective.metric for objective in self.objectives]
        check_pruner(self.pruner, metrics=metrics, longest=_longest_trial(self))
        return self

    @model_validator(mode="after")
    def _suits_its_sampler(self) -> Self:
        space = lists.flat(self._whole_space, self._fixed)
        check_sampler(self.sampler, space, objectives=len(self.objectives), trials=self.budget.trials)
        if self.control and isinstance(self.sampler, GridSampler):
            raise invalid("control", "is not for a grid, which has each point once, whatever came of others")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "StudySpec":
        """Return a copy with some fields replaced, unchecked."""
        copied = super().model_copy(update=update, deep=deep)
        # Kept from the space of this spec.
        copied.__dict__.pop("searched", None)
        return copied

    def resolved(self, data: Mapping[str, DatasetFacts] = BUILT_IN) -> "StudySpec":
        """Return this spec with every default filled in: what is stored, compared and shown.

        Args:
            data: What is known of data sets, by name: a default batch is no larger than the training set.
        """
        space = self._space_for(data)
        budget = resolved_budget(self.budget, self.sampler, lists.flat(space, self._fixed))
        sampler = resolved_sampler(self.sampler, budget)
        if self.task is None:
            return self.model_copy(update={"budget": budget, "sampler": sampler})
        step_seconds = self.limits.step_seconds or self._default_step_seconds
        limits = self.limits.model_copy(update={"step_seconds": step_seconds})
        pruner = resolved_pruner(self.pruner, longest=_longest_trial(self))
        return self.model_copy(
            update={"space": space, "budget": budget, "limits": limits, "sampler": sampler, "pruner": pruner}
        )

    @property
    def _whole_space(self) -> Space:
        if self.space is not None:
            return self.space
        if self.task is None:
            return NOTHING
        return checks.default_space(checks.known(self.task.name)).without(self.task.fixed)

    def _space_for(self, data: Mapping[str, DatasetFacts]) -> Space:
        if self.task is None or self.space is not None or not all(name in data for name in self.task.data.datasets):
            return self._whole_space
        sizes = set_sizes(self.task.data, {name: data[name].examples for name in self.task.data.datasets})
        examples = training_examples(self.task.data, sizes)
        return checks.default_space(checks.known(self.task.name), examples=examples).without(self.task.fixed)

    @property
    def stopping(self) -> Objective:
        """The objective by which trials are stopped: its values are the curve of a trial."""
        metric = self.pruner.metric or self.objectives[0].metric
        return next(objective for objective in self.objectives if objective.metric == metric)

    @property
    def final_metrics(self) -> tuple[str, ...]:
        """The metrics that a trial has to end with to be complete."""
        optimised = [objective.metric for objective in self.objectives]
        return tuple(dict.fromkeys([*optimised, *(constraint.metric for constraint in self.constraints)]))

    @property
    def warnings(self) -> list[str]:
        """What whoever asked for a study of this resolved spec should know."""
        is_settled = not self.is_define_by_run and not isinstance(self.sampler, CoarseToFineSampler)
        is_finite = is_settled and not infinite(self.searched)
        if is_finite or self.budget.is_bound_to_end(reports_epochs=self.task is not None):
            return []
        needed = "a limit on trials, seconds or device_seconds would end it for certain"
        hoped = [field for field in ("epochs", "target", "patience") if getattr(self.budget, field) is not None]
        if not hoped:
            return [f"the budget has no limit: nothing ends this study but you; {needed}"]
        return [f"only its {' or '.join(hoped)} can end this study, and that may never come; {needed}"]

    def lacking(self, metrics: Metrics) -> list[str]:
        """Return the metrics that a complete trial needs and that are not among `metrics`."""
        return [metric for metric in self.final_metrics if metric not in metrics]

    @property
    def most_epochs(self) -> int:
        """The epochs of the longest training of a spec with a task."""
        if self.space is not None and "epochs" in self.space:
            return max(value for value in self.space["epochs"].extremes() if isinstance(value, int))
        epochs = self._fixed.get("epochs", TRAINING["epochs"].default)
        assert isinstance(epochs, int), "the task allows no other"
        return epochs

    @property
    def _default_step_seconds(self) -> float:
        """With folds or repeats a step is a whole training: as many epochs."""
        return min(MAX_SECONDS, STEP_SECONDS * self.most_epochs) if self.has_trainings else STEP_SECONDS

    @property
    def has_trainings(self) -> bool:
        """Whether a step is a whole training, and what is reported there the mean over those so far."""
        return self.task is not None and self.task.trainings > 0

    @property
    def _fixed(self) -> Params:
        return self.task.fixed if self.task else {}

    @property
    def is_define_by_run(self) -> bool:
        """Whether trials say what is searched. That is so for good, though what they said becomes the study's space."""
        return self.task is None and self.space is None

    @property
    def declared(self) -> Space:
        """The space of a resolved spec as it was asked for."""
        if self.is_define_by_run:
            return NOTHING
        assert self.space is not None, "only a resolved spec has its space"
        return self.space

    @cached_property
    def searched(self) -> Space:
        """The space of a resolved spec as it is searched: flat, with a parameter for each value of a list."""
        return lists.flat(self.declared, self._fixed)

    def flattened(self, params: Params) -> FlatParams:
        """Return a point as people write it as one of the space that is searched.

        Raises:
            Misshapen: A list is given for one value, or one value for a list.
        """
        return lists.flattened(self.declared, params)


def _longest_trial(spec: StudySpec) -> int | None:
    """Return the steps of the longest trial: epochs or, with folds or repeats, trainings; None: nothing says that."""
    if spec.task is None:
        return None
    if trainings := spec.task.trainings:
        return trainings
    return spec.most_epochs
