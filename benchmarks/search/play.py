"""Runs a study in memory: the service's own sampling on the service's own view of the history, without its database."""

from benchmarks.search.problems import Problem
from service.history import Observations
from service.sampling import Suggestion, View, suggest
from service.storage.dimensions import dimensions, params
from service.storage.finished import FinishedTrial
from trimtab.budget import Budget
from trimtab.samplers import Sampler
from trimtab.states import Outcome, TrialState
from trimtab.study import StudySpec


def play(problem: Problem, sampler: Sampler, *, trials: int) -> list[float]:
    """Return the loss of each trial of a study that asks and tells one after another."""
    spec = StudySpec(name=problem.name, task=None, space=problem.space, sampler=sampler, budget=Budget(trials=trials))
    space = dimensions(problem.space)
    observations = Observations.empty([dimension.stored_name for dimension in space])
    losses = []
    for number in range(trials):
        suggestion = suggest(spec, View.of(spec, space, observations), number=number)
        losses.append(problem.loss(params(space, suggestion.point)))
        observations = observations.extended([_finished(number, suggestion, losses[-1])])
    return losses


def _finished(number: int, suggestion: Suggestion, loss: float) -> FinishedTrial:
    return FinishedTrial(
        order=number + 1,
        number=number,
        state=TrialState.COMPLETE,
        outcome=Outcome.COMPLETE,
        values=(loss,),
        step=1,
        point=suggestion.point,
        attributes=suggestion.attributes,
    )
