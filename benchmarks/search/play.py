"""Runs a study in memory: the service's own sampling on the service's own view of the history, without its database."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.search.problems import Problem
from service import sampling
from service.history import Observations
from service.sampling import Suggestion, View, rounds
from service.storage.dimensions import dimensions, params
from service.storage.finished import FinishedTrial
from trimtab.budget import Budget
from trimtab.message import FlatParams
from trimtab.samplers import Sampler
from trimtab.spec import StudySpec
from trimtab.states import Outcome, TrialState

Suggest = Callable[[int, Observations], Suggestion]
"""Returns the suggestion for the n-th trial, from 0, after those that have ended."""


@dataclass(frozen=True)
class Played:
    """A trial that was played."""

    params: FlatParams
    loss: float


def play(problem: Problem, sampler: Sampler, *, trials: int) -> list[Played]:
    """Return the trials of a study that asks and tells one after another."""
    spec = StudySpec(name=problem.name, task=None, space=problem.space, sampler=sampler, budget=Budget(trials=trials))
    spec = spec.resolved()
    space = dimensions(spec.searched)
    suggest = _suggest(spec)
    observations = Observations.empty([dimension.stored_name for dimension in space])
    played = []
    for number in range(trials):
        suggestion = suggest(number, observations)
        point = params(space, suggestion.point)
        played.append(Played(point, problem.loss(point)))
        observations = observations.extended([_finished(number, suggestion, played[-1].loss)])
    return played


def _suggest(spec: StudySpec) -> Suggest:
    space = dimensions(spec.searched)
    if rounds.has_rounds(spec):
        return _in_rounds(spec)
    if sampling.is_sequence(spec):
        return lambda number, seen: _in_sequence(spec, View.of(spec, space, seen), number)
    return lambda number, seen: sampling.suggest(spec, View.of(spec, space, seen), number=number)


def _in_sequence(spec: StudySpec, view: View, number: int) -> Suggestion:
    return sampling.in_sequence(spec, view, number=number, first=number, count=1)[0]


def _in_rounds(spec: StudySpec) -> Suggest:
    space = dimensions(spec.searched)
    spaces = [spec.searched]

    def suggest(number: int, observations: Observations) -> Suggestion:
        if rounds.round_at(spec, number) == len(spaces):
            spaces.append(rounds.next_space(spec, space, observations, current=spaces[-1]).space)
        return rounds.in_round(spec, space, spaces[-1], sequence=number)

    return suggest


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
