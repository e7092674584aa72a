"""What chooses the next point of a study: the samplers, by name, each with its settings."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab.budget import Budget
from trimtab.grids import MAX_POINTS, Uncountable, grid, infinite
from trimtab.message import Message, Seed, invalid
from trimtab.space import Categorical, Space

StartupTrials = Annotated[int, Field(ge=1, le=100_000)]
Population = Annotated[int, Field(ge=2, le=10_000)]
Strategy = Annotated[int, Field(ge=4, le=10_000)]
"""Of fewer, one is the better half: CMA-ES would learn nothing of how parameters depend on each other."""


class AutoSampler(Message):
    """One of the others, chosen by the space, the budget and the objectives; the study says which, and why.

    Args:
        seed: With the number of a trial, all the randomness there is.
    """

    name: Literal["auto"] = "auto"
    seed: Seed = 0


class TpeSampler(Message):
    """Tree-structured Parzen estimator: what good trials have in common and bad ones do not. Aware of running trials.

    Args:
        seed: With the number of a trial, all the randomness there is.
        startup_trials: Finished trials before the estimator takes over from random choice.
    """

    name: Literal["tpe"] = "tpe"
    seed: Seed = 0
    startup_trials: StartupTrials = 10


class GpSampler(Message):
    """Gaussian process with expected improvement: for few and costly trials.

    A suggestion takes time that grows with the cube of the number of trials.

    Args:
        seed: With the number of a trial, all the randomness there is.
        startup_trials: Complete trials before the process takes over from random choice.
    """

    name: Literal["gp"] = "gp"
    seed: Seed = 0
    startup_trials: StartupTrials = 10


class CmaesSampler(Message):
    """CMA-ES, an evolution strategy: for many trials of numeric parameters that depend on each other.

    Categorical and conditional parameters are drawn at random.

    Args:
        seed: With the number of a trial, all the randomness there is.
        population_size: Complete trials of a generation; None: 4 + 3 ln(numeric parameters), rounded down.
    """

    name: Literal["cmaes"] = "cmaes"
    seed: Seed = 0
    population_size: Strategy | None = None


class Nsga2Sampler(Message):
    """NSGA-II, a genetic algorithm: for several objectives and many trials.

    Args:
        seed: With the number of a trial, all the randomness there is.
        population_size: Complete trials of a generation.
    """

    name: Literal["nsga2"] = "nsga2"
    seed: Seed = 0
    population_size: Population = 50


class Nsga3Sampler(Message):
    """NSGA-III, as NSGA-II, spread by reference points: for three objectives and more.

    Args:
        seed: With the number of a trial, all the randomness there is.
        population_size: Complete trials of a generation.
    """

    name: Literal["nsga3"] = "nsga3"
    seed: Seed = 0
    population_size: Population = 50


class QmcSampler(Message):
    """Points spread more evenly than random ones (quasi-Monte Carlo). Takes no account of results.

    Args:
        seed: Of the scrambling. The n-th sampled trial gets the n-th point.
        sequence: Which points. Conditional parameters are drawn at random.
    """

    name: Literal["qmc"] = "qmc"
    seed: Seed = 0
    sequence: Literal["sobol", "halton"] = "sobol"


class RandomSampler(Message):
    """Each parameter independently, evenly on its scale.

    Args:
        seed: With the number of a trial, all the randomness there is.
    """

    name: Literal["random"] = "random"
    seed: Seed = 0


class GridSampler(Message):
    """Every point of a finite space, each exactly once, in a seeded order.

    Args:
        seed: Of the order.
    """

    name: Literal["grid"] = "grid"
    seed: Seed = 0


class CoarseToFineSampler(Message):
    """Rounds: where the best trials of one lie becomes the space of the next. Within a round, points spread evenly.

    Args:
        seed: All the randomness there is.
        rounds: How many.
        round_trials: Trials of a round, but for the last, which has the rest; None: an even share of the budget.
        share: Of the trials inside the round's space, the best so many mark out the next one; at least two.
        zoom: A range becomes narrower by this factor at most.
    """

    name: Literal["coarse_to_fine"] = "coarse_to_fine"
    seed: Seed = 0
    rounds: Annotated[int, Field(ge=2, le=100)] = 6
    round_trials: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    zoom: Annotated[float, Field(gt=1, le=1000)] = 3.0


Sampler = Annotated[
    AutoSampler
    | TpeSampler
    | GpSampler
    | CmaesSampler
    | Nsga2Sampler
    | Nsga3Sampler
    | QmcSampler
    | RandomSampler
    | GridSampler
    | CoarseToFineSampler,
    Field(discriminator="name"),
]


class Control(Message):
    """A share of the trials is drawn at random from the whole space: what the sampler is held against.

    Args:
        share: Of the trials, on average; which ones follows from the seed and the number that the trial was chosen for.
    """

    share: Annotated[float, Field(gt=0, le=0.5)] = 0.1


def check(sampler: Sampler, space: Space, *, objectives: int, trials: int | None) -> None:
    """Refuse a sampler that can do nothing with the space, with so many objectives or with so many trials.

    Raises:
        PydanticCustomError: Says the field at fault and what would be right.
    """
    if not len(space):
        _check_define_by_run(sampler)
    match sampler:
        case GridSampler():
            _check_grid(space)
        case CmaesSampler():
            _check_cmaes(space, objectives)
        case CoarseToFineSampler():
            _check_rounds(sampler, objectives, trials)
        case _:
            pass


def resolved_budget(budget: Budget, sampler: Sampler, space: Space) -> Budget:
    """Return the budget with its number of trials, where none is given: of a grid the number of its points."""
    if not isinstance(sampler, GridSampler) or "trials" in budget.model_fields_set:
        return budget
    return budget.model_copy(update={"trials": grid(space).size})


def resolved_sampler(sampler: Sampler, budget: Budget) -> Sampler:
    """Return the sampler; rounds of unknown length share the trials of the budget, as it is at first."""
    if not isinstance(sampler, CoarseToFineSampler) or sampler.round_trials is not None:
        return sampler
    assert budget.trials is not None, "checked: rounds need their number"
    return sampler.model_copy(update={"round_trials": budget.trials // sampler.rounds})


def _check_define_by_run(sampler: Sampler) -> None:
    if not isinstance(sampler, AutoSampler | TpeSampler | RandomSampler):
        text = f"needs a space, and this study has none: give it one, or take tpe or random instead of {sampler.name}"
        raise invalid("sampler.name", text)


def _check_grid(space: Space) -> None:
    for name in infinite(space):
        text = "has infinitely many values, and a grid needs finitely many: give it a step, or choices (categorical)"
        raise invalid(f"space.{name}", text)
    try:
        points = grid(space).size
    except Uncountable:
        raise invalid("space.when", "holds in too many ways for a grid: fewer conditions, or another sampler") from None
    if points > MAX_POINTS:
        text = f"has {points:,} points, and a grid at most {MAX_POINTS:,}: fewer values, or another sampler"
        raise invalid("space", text)


def _check_rounds(sampler: CoarseToFineSampler, objectives: int, trials: int | None) -> None:
    if objectives > 1:
        text = "coarse_to_fine has one objective only; for several there are nsga2, nsga3, tpe and gp"
        raise invalid("sampler.name", text)
    if sampler.round_trials is not None:
        if trials is not None and sampler.round_trials >= trials:
            text = f"must leave a second round trials of budget.trials = {trials}: {trials - 1} at most"
            raise invalid("sampler.round_trials", f"{text}, not {sampler.round_trials}")
        return
    if trials is None:
        raise invalid("budget.trials", "is what coarse_to_fine shares among its rounds: give it, or round_trials")
    if 2 * sampler.rounds > trials:
        text = f"must leave each round two trials of budget.trials = {trials}: {trials // 2} at most"
        raise invalid("sampler.rounds", f"{text}, not {sampler.rounds}")


def _check_cmaes(space: Space, objectives: int) -> None:
    if objectives > 1:
        raise invalid("sampler.name", "cmaes has one objective only; for several there are nsga2, nsga3, tpe and gp")
    if all(isinstance(space[name], Categorical) or space[name].when for name in space):
        text = "cmaes needs a parameter that is a number and has no condition; there is none: tpe or grid would do"
        raise invalid("sampler.name", text)
