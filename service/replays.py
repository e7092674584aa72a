"""What each other pruner would have stopped of a study, what it would have saved, and whether it would have lost."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from service.database import autocommit
from service.pruning.replay import Simulation
from service.replica import Replica
from service.storage import replays, studies
from service.storage.replays import PlayedReport, PlayedTrial
from trimtab.errors import Unavailable
from trimtab.pruners import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from trimtab.replay import PrunerReplay, Replay, StoppedTrial
from trimtab.spec import StudySpec
from trimtab.states import TrialState

MAX_REPORTS = 100_000
"""Points of curves that are played, once for each pruner."""

_PATIENCE_SECONDS = 5
_BREATH = 10
"""Events from one breath to the next: about a millisecond."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Played:
    """What is played: the trials, and their reports by trial and step."""

    spec: StudySpec
    trials: Sequence[PlayedTrial]
    reports: Sequence[PlayedReport]

    @cached_property
    def last_steps(self) -> dict[int, int]:
        """Trial -> its last step, of those that were trained here."""
        return {report.number: report.step for report in self.reports if report.reported_at is not None}

    @property
    def longest(self) -> int:
        """The last step of the longest curve."""
        return max((report.step for report in self.reports), default=1)

    @cached_property
    def reported_at(self) -> dict[tuple[int, int], float]:
        """Trial, step -> when it was reported."""
        return {(each.number, each.step): each.reported_at for each in self.reports if each.reported_at is not None}

    @cached_property
    def events(self) -> list[PlayedReport | PlayedTrial]:
        """All reports and all trials that were completed, in the order in which they came."""
        complete = [trial for trial in self.trials if trial.state is TrialState.COMPLETE and trial.value is not None]
        return sorted([*self.reports, *complete], key=_came_at)


def replay(replica: Replica, name: str) -> Replay:
    """Play a study again with each pruner: its own as it is, the others with their defaults.

    A threshold has no default, and without a pruner nothing is stopped: these two only as the study's own.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy, or other studies are being replayed.
    """
    with _alone():
        played = _read(replica, name)
        actual = _simulated(played, NoPruner(name="none"))
        pruners = _pruners(played.spec, longest=played.longest)
        return Replay(
            study=name,
            metric=played.spec.stopping.metric,
            trials=len(played.trials),
            epochs=sum(played.last_steps.values()),
            seconds=sum(ended - begun for trial in played.trials for begun, ended in trial.leased),
            best_trial=actual.best.number if actual.best else None,
            best_value=actual.best.value if actual.best else None,
            pruners=[_replayed(played, pruner, actual) for pruner in pruners],
        )


@contextmanager
def _alone() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=_PATIENCE_SECONDS):
        raise Unavailable("other studies are being replayed; try again", retry_after=_PATIENCE_SECONDS)
    try:
        yield
    finally:
        _one_at_a_time.release()


def _read(replica: Replica, name: str) -> _Played:
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, name)
        objective = study.spec.objectives.index(study.spec.stopping)
        # The trials first: of one that ends in between the curve is then whole, and it counts as running.
        trials = replays.trials(connection, study.study_id, objective=objective)
        reports = replays.reports(connection, study.study_id, limit=MAX_REPORTS + 1)
    if len(reports) > MAX_REPORTS:
        beyond = reports[-1].number
        is_given = {trial.number: trial.is_given for trial in trials}
        trials = [trial for trial in trials if (trial.is_given, trial.number) < (is_given.get(beyond, False), beyond)]
        played = {trial.number for trial in trials}
        reports = [report for report in reports if report.number in played]
    return _Played(study.spec, trials, reports)


def _pruners(spec: StudySpec, *, longest: int) -> list[Pruner]:
    defaults: list[Pruner] = [
        MedianPruner(),
        PercentilePruner(name="percentile"),
        SuccessiveHalvingPruner(name="successive_halving"),
        HyperbandPruner(name="hyperband", max_resource=longest),
        PatientPruner(name="patient"),
        WilcoxonPruner(name="wilcoxon"),
    ]
    return [spec.pruner, *(pruner for pruner in defaults if pruner.name != spec.pruner.name)]


def _came_at(event: PlayedReport | PlayedTrial) -> tuple[float, bool, int, int]:
    """Return the place of an event: a trial's curve comes before its end, and one that was given before all else."""
    if isinstance(event, PlayedReport):
        return (event.reported_at or 0.0, False, event.number, event.step)
    return (event.ended_at or 0.0, True, event.number, 0)


def _simulated(played: _Played, pruner: Pruner) -> Simulation:
    spec = played.spec
    simulation = Simulation(spec.name, pruner, spec.stopping.direction, is_mean=spec.has_trainings)
    for count, event in enumerate(played.events):
        if count % _BREATH == 0:
            # Python's threads take turns of 5 ms: other calls would wait that long at each of their steps.
            time.sleep(0)
        match event:
            case PlayedReport(reported_at=None):
                simulation.give(event.number, event.step, event.value)
            case PlayedReport():
                simulation.report(event.number, event.step, event.value)
            case PlayedTrial(value=float(value)):
                simulation.complete(event.number, value, is_feasible=event.is_feasible)
    return simulation


def _replayed(played: _Played, pruner: Pruner, actual: Simulation) -> PrunerReplay:
    simulation = _simulated(played, pruner)
    stopped = simulation.stopped
    best = simulation.best
    return PrunerReplay(
        pruner=pruner,
        is_own=pruner == played.spec.pruner,
        stopped=[StoppedTrial(trial=number, step=step) for number, step in sorted(stopped.items())],
        epochs_saved=sum(played.last_steps[number] - step for number, step in stopped.items()),
        seconds_saved=sum(_after(trial, played.reported_at, stopped) for trial in played.trials),
        loses_best=actual.best is not None and actual.best.number in stopped,
        best_trial=best.number if best else None,
        best_value=best.value if best else None,
    )


def _after(trial: PlayedTrial, reported_at: dict[tuple[int, int], float], stopped: dict[int, int]) -> float:
    """Return the seconds that a trial was leased after it would have been stopped."""
    if trial.number not in stopped:
        return 0.0
    stop = reported_at[trial.number, stopped[trial.number]]
    return sum(max(0.0, ended - max(begun, stop)) for begun, ended in trial.leased)
