"""An objective, optimised: it is called with one trial of a study after another, here and on other machines."""

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.errors import Conflict, StudyExists
from trimtab.objectives import Objective
from trimtab.own.held import HeldLease
from trimtab.own.objective import ObjectiveTrial
from trimtab.own.offers import leases
from trimtab.own.results import FoundStudy
from trimtab.patience import PASSING
from trimtab.protocol import Study
from trimtab.spec import StudySpec
from trimtab.states import Direction, StudyState
from trimtab.validation import built

OptunaObjective = Callable[[Any], Any]
"""From a trial to a figure, or to one for each objective. Any: an annotation with Optuna's own class is as good."""

_log = logging.getLogger("trimtab")


def optimize(
    objective: OptunaObjective,
    *,
    study: str,
    n_trials: int | None = None,
    timeout: float | None = None,
    catch: type[Exception] | Sequence[type[Exception]] = (),
    direction: Direction | str | None = None,
    directions: Sequence[Direction | str] | None = None,
    client: Client | None = None,
) -> FoundStudy:
    """Call an objective with trials of a study until that has ended; return the study in Optuna's words.

    The study is created where there is none: with TPE, the median pruner, and the metric `value`, or `value_0` and
    so on. The same call on other machines works on the same trials.

    Args:
        objective: Written for Optuna: given a trial, it returns a figure, or raises `trimtab.Pruned` or Optuna's
            `TrialPruned`.
        study: Its name.
        n_trials: Of the study in all, whoever runs them; one that has fewer is given more. None: 100 of a new one.
        timeout: Seconds after which no more trials are begun here, nor a service that is away is waited for.
        catch: Exceptions that end their trial alone. Any other ends its trial, and is raised.
        direction: `minimize` or `maximize`. None: as the study has it; a new one minimizes.
        directions: The same where the objective returns several figures.
        client: To the service; None: the one that the settings name.

    Raises:
        StudyExists: The study has other directions, or a task.
        Conflict: It was stopped, or it has a space, so that its params are not asked for.
        Invalid: There can be no study of that name or with so many trials.
        Unreachable: Nothing answers. Later on a service that is away is waited for.
    """
    service = client or Client()
    wanted = _directions(direction, directions)
    begun = _begun(service, study, n_trials, wanted)
    caught = (catch,) if isinstance(catch, type) else tuple(catch)
    for lease in leases(service, study, seconds=math.inf if timeout is None else timeout):
        held = HeldLease(service, lease)
        with suppress(*caught), held:
            _run(objective, held, begun.spec)
    _warn_if_stopped(service, study)
    return FoundStudy(service, begun)


def _directions(
    direction: Direction | str | None, directions: Sequence[Direction | str] | None
) -> Sequence[Direction | str] | None:
    if direction is not None and directions is not None:
        raise ValueError("give either direction or directions, not both")
    return directions if direction is None else [direction]


def _begun(client: Client, name: str, n_trials: int | None, directions: Sequence[Direction | str] | None) -> Study:
    """Return the study, created or given more trials where need be."""
    spec = _spec(name, n_trials, directions or [Direction.MINIMIZE])
    try:
        found = client.create_study(spec)
    except StudyExists:
        found = client.study(name)
    _check(found, spec if directions else None)
    given = found.spec.budget.trials
    if n_trials is not None and given is not None and given < n_trials:
        return client.change_study(name, budget=n_trials)
    return found


def _check(found: Study, wanted: StudySpec | None) -> None:
    """Refuse a study that is not one for the objective; `wanted` is None where it may have any directions."""
    name = found.name
    if found.spec.task is not None:
        raise StudyExists(f"the study {name!r} is there with a task, which workers train; take another name")
    there = [objective.direction for objective in found.spec.objectives]
    if wanted and there != [objective.direction for objective in wanted.objectives]:
        raise StudyExists(f"the study {name!r} is there with other directions: {', '.join(there)}; take another name")
    if found.state is StudyState.STOPPED:
        raise Conflict(f"the study {name!r} was stopped: {found.reason}; set it running again, or take another name")


def _spec(name: str, n_trials: int | None, directions: Sequence[Direction | str]) -> StudySpec:
    metrics = ["value"] if len(directions) == 1 else [f"value_{number}" for number in range(len(directions))]
    objectives = [
        built(Objective, {"metric": metric, "direction": direction})
        for metric, direction in zip(metrics, directions, strict=True)
    ]
    budget = Budget() if n_trials is None else built(Budget, {"trials": n_trials})
    return built(StudySpec, {"name": name, "task": None, "objectives": tuple(objectives), "budget": budget})


def _run(objective: OptunaObjective, held: HeldLease, spec: StudySpec) -> None:
    """Call the objective, and tell what it returns."""
    returned = objective(ObjectiveTrial(held, spec.stopping.metric))
    try:
        metrics = figures(returned, [objective.metric for objective in spec.objectives])
    except (TypeError, ValueError) as error:
        held.fail(str(error))
    else:
        held.complete(metrics)


def figures(returned: object, metrics: Sequence[str]) -> dict[str, float]:
    """Return what an objective returned, by metric.

    Raises:
        TypeError, ValueError: It is no number, or not one for each metric.
    """
    values = list(returned) if isinstance(returned, Sequence) and not isinstance(returned, str) else [returned]
    if len(values) != len(metrics):
        raise ValueError(f"the objective returned {len(values)} figures, and not {len(metrics)}: {returned!r}")
    return {metric: _number(value) for metric, value in zip(metrics, values, strict=True)}


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("the objective returned a number that is too large for a float") from error
    except (TypeError, ValueError) as error:
        raise TypeError(f"the objective returned what is no number: {value!r}") from error


def _warn_if_stopped(client: Client, name: str) -> None:
    with suppress(*PASSING):
        study = client.study(name)
        if study.state is StudyState.STOPPED:
            _log.warning("the study %s was stopped: %s", study.name, study.reason)
