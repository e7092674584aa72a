"""Trains the trials of a study in this process: the service's own sampler, the workers' own code, the own doctor."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from service import sampling
from service.diagnosis import Case, Rate, examine
from service.diagnosis.case import Curve
from service.diagnosis.curve import finite
from service.history import Observations
from service.sampling import Suggestion, View, chance
from service.storage.dimensions import dimensions, written
from service.storage.finished import FinishedTrial
from trimtab.diagnosis import Diagnosis
from trimtab.message import Params
from trimtab.spec import StudySpec
from trimtab.states import Outcome, Purpose, TrialState
from workers.tasks import begin
from workers.training.errors import Diverged

TOP_TRIALS = 5
"""Whose curves the doctor sees, as in the service."""


@dataclass(frozen=True)
class Trained:
    """A trial that has ended."""

    number: int
    params: Params
    outcome: Outcome
    metrics: Mapping[str, float]
    curve: Curve

    @property
    def value(self) -> float:
        """The validation error; infinite: it diverged."""
        return self.metrics["validation_error"] if self.outcome is Outcome.COMPLETE else math.inf


def diagnosis(spec: StudySpec, *, trials: int, files: Mapping[str, Path]) -> Diagnosis:
    """Return what the doctor says of a study of so many trials, asked for one after another.

    Args:
        spec: Resolved; its sampler's seed is that of the trainings too.
        trials: How many.
        files: The data sets that are not built in, by name.
    """
    space = dimensions(spec.searched)
    seen = Observations.empty([dimension.stored_name for dimension in space])
    trained = []
    for number in range(trials):
        suggestion = sampling.suggest(spec, View.of(spec, space, seen), number=number)
        trained.append(_trained(spec, number, suggestion, files=files))
        seen = seen.extended([_finished(trained[-1], suggestion)])
    return examine(_case(spec, trained))


def _trained(spec: StudySpec, number: int, suggestion: Suggestion, *, files: Mapping[str, Path]) -> Trained:
    assert spec.task is not None, "patients are trained here"
    params = written(spec.declared, suggestion.point)
    training = begin(
        spec.task,
        {**spec.task.fixed, **params},
        seed=chance.filling_seed(spec.sampler.seed, number),
        purpose=Purpose.SEARCH,
        files=files,
        device=torch.device("cpu"),
    )
    curve: list[Mapping[str, float]] = []
    try:
        curve.extend(finite(epoch.metrics) for epoch in training.epochs())
    except Diverged as diverged:
        return Trained(number, params, Outcome.DIVERGED, finite(diverged.metrics), curve)
    return Trained(number, params, Outcome.COMPLETE, finite(training.result.metrics), curve)


def _finished(trial: Trained, suggestion: Suggestion) -> FinishedTrial:
    is_complete = trial.outcome is Outcome.COMPLETE
    return FinishedTrial(
        order=trial.number + 1,
        number=trial.number,
        state=TrialState.COMPLETE if is_complete else TrialState.FAIL,
        outcome=trial.outcome,
        values=(trial.value,) if is_complete else (),
        step=len(trial.curve),
        point=suggestion.point,
        attributes=suggestion.attributes,
    )


def _case(spec: StudySpec, trained: list[Trained]) -> Case:
    outcomes = Counter(trial.outcome for trial in trained)
    top = sorted(trained, key=lambda trial: trial.value)[:TOP_TRIALS]
    best = top[0]
    if best.outcome is not Outcome.COMPLETE:
        return Case(spec=spec, outcomes=outcomes)
    rates = [(trial.params.get("learning_rate"), trial) for trial in trained]
    return Case(
        spec=spec,
        trial=best.number,
        params=best.params,
        metrics=best.metrics,
        curve=best.curve,
        others=[trial.curve for trial in top[1:] if trial.outcome is Outcome.COMPLETE],
        rates=[Rate.of(rate, trial.value, trial.metrics) for rate, trial in rates if isinstance(rate, float)],
        outcomes=outcomes,
    )
