"""Runs a study in memory: the service's own sampling on the service's own view of the history, without its database."""

from benchmarks.search.problems import Problem
from service.history import Observations
from service.sampling import View, suggest
from service.storage.dimensions import Point, dimensions, params
from service.storage.finished import FinishedTrial
from trimtab.budget import Budget
from trimtab.samplers import Sampler
from trimtab.states import Direction, Outcome, TrialState
from trimtab.study import StudySpec


def play(problem: Problem, sampler: Sampler, *, trials: int) -> list[float]:
    """Return the loss of each trial of a study that asks and tells one after another."""
    spec = StudySpec(name=problem.name, task=None, space=problem.space, sampler=sampler, budget=Budget(trials=trials))
    space = dimensions(problem.space)
    observations = Observations.empty([dimension.stored_name for dimension in space])
    losses = []
    for number in range(trials):
        point = suggest(spec, View(space, Direction.MINIMIZE, observations, ()), number=number)
        losses.append(problem.loss(params(space, point)))
        observations = observations.extended([_finished(number, point, losses[-1])])
    return losses


def _finished(number: int, point: Point, loss: float) -> FinishedTrial:
    return FinishedTrial(number + 1, number, TrialState.COMPLETE, Outcome.COMPLETE, loss, 1, point)
