"""What a replica remembers of the studies that it serves. All of it can be read again; none of it is state."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import sqlalchemy as sa
from cachetools import LRUCache

from service.crowd import Crowd
from service.curves import Curve, Curves, Rungs
from service.history import Observations
from service.meters import Meters
from service.sampling import chosen
from service.sampling.stock import Stock
from service.sampling.suggester import Suggester, sampler_children
from service.storage import finished, studies
from service.storage.dimensions import Dimension
from trimtab.objectives import Objective
from trimtab.spec import StudySpec
from trimtab.states import Purpose

MAX_STUDIES = 256
MAX_LEASES = 65_536


@dataclass
class StudyMemory:
    """A study as a replica remembers it: what never changes, and what only grows.

    Args:
        study_id: Of the study.
        spec: Resolved; its sampler the one that `auto` stands for, its space as it was at `revision`, its budget and
            limits as they were when it was read.
        revision: Of the space.
        dimensions: Of its space.
        observations: Its finished trials as far as they are known.
        rungs: Of its trials that have ended, as far as they are known. Read and changed under `lock`.
        suggester: Its sampler.
        stock: Points that were chosen ahead.
        curves: Of its complete trials as far as they are known. Read and changed under `lock`.
        pruner_failures: How often its pruner raised. Changed under `lock`.
        lock: Never held while the database is asked.
        crowd: The calls on it that use the database now.
        purpose: What it is for.
        is_define_by_run: Its trials say what they search.
        meters: Of the replica.
    """

    study_id: int
    spec: StudySpec
    revision: int
    dimensions: Sequence[Dimension]
    observations: Observations
    suggester: Suggester
    stock: Stock = field(default_factory=Stock)
    curves: Curves = field(default_factory=Curves)
    rungs: Rungs = field(default_factory=Rungs)
    pruner_failures: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    crowd: Crowd = field(default_factory=Crowd)
    purpose: Purpose = Purpose.SEARCH
    is_define_by_run: bool = False
    meters: Meters = field(default_factory=Meters)
    _asking: int = 0

    @contextmanager
    def asking(self) -> Iterator[bool]:
        """Count an ask of this study; give whether it is the only one in this replica now."""
        with self.lock:
            is_alone = self._asking == 0
            self._asking += 1
        try:
            yield is_alone
        finally:
            with self.lock:
                self._asking -= 1

    def in_place_of(self, before: Self) -> Self:
        """Return this memory of a study with what was learned of it at an earlier revision.

        Of other parameters nothing is taken over: what trials have of these is read again.
        """
        if before.observations.names != self.observations.names:
            return self
        return replace(
            self,
            observations=before.observations,
            curves=before.curves,
            rungs=before.rungs,
            lock=before.lock,
            crowd=before.crowd,
        )

    @property
    def objective(self) -> Objective:
        """What is optimised."""
        return self.spec.objectives[0]

    def observe(self, connection: sa.Connection) -> Observations:
        """Read the trials that have ended since the last time; return all of them."""
        new = finished.finished(connection, self.study_id, known=self.observations.known)
        with self.lock:
            # Another thread may have read the same ones meanwhile.
            new = [trial for trial in new if trial.order > self.observations.known]
            self.observations = self.observations.extended(new)
            return self.observations

    def learn_best(self, connection: sa.Connection, *, ended: int) -> None:
        """Read the curve of the best trial, at least of the first `ended` that ended."""
        if self.curves.known >= ended:
            return
        objective = self.spec.stopping
        best = finished.best_curve(
            connection,
            self.study_id,
            objective=self.spec.objectives.index(objective),
            direction=objective.direction,
        )
        with self.lock:
            self.curves.lead(best, known=ended)

    def learn_rungs(self, connection: sa.Connection) -> dict[int, Mapping[str, float]]:
        """Read the rungs of trials that run or ended since the last time; return those of all, by number."""
        new = finished.rungs(connection, self.study_id, known=self.rungs.known)
        with self.lock:
            self.rungs.ended.update({trial.number: trial.values for trial in new if trial.order and trial.values})
            self.rungs.known = max([self.rungs.known, *(trial.order for trial in new if trial.order)])
            return self.rungs.ended | {trial.number: trial.values for trial in new if trial.values}

    def learn_curves(self, connection: sa.Connection, *, ended: int) -> None:
        """Read the curves of trials that completed since the last time, at least of the first `ended` that ended."""
        if self.curves.known >= ended:
            return
        new = finished.curves(connection, self.study_id, known=self.curves.known)
        with self.lock:
            fresh = [curve for order, curve in new if order > self.curves.known]
            last = max([ended, self.curves.known, *(order for order, _ in new)])
            self.curves.add(fresh, known=last)


@dataclass(frozen=True)
class Progress:
    """How far a lease has come, as the last report through this replica left it.

    Args:
        study_id: Of its study.
        number: Of its trial.
        last_step: The last step reported; 0 before the first.
        best: The best value so far, of the objective by which trials are stopped; None before the first finite one.
        curve: All such values, where the pruner looks at them; None: not known here.
        rungs: How many rungs it has come through; None: not known here.
    """

    study_id: int
    number: int
    last_step: int = 0
    best: float | None = None
    curve: Curve | None = None
    rungs: int | None = None

    @classmethod
    def at_start(cls, study_id: int, number: int) -> Self:
        """Return where a trial is before its first report."""
        return cls(study_id, number, curve={}, rungs=0)


class Memory:
    """The studies and leases that a replica has served lately, the processes of their slow samplers, and its meters."""

    def __init__(self) -> None:
        self.children = sampler_children()
        self.meters = Meters()
        self._studies: LRUCache[int, StudyMemory] = LRUCache(MAX_STUDIES)
        self._leases: LRUCache[int, Progress] = LRUCache(MAX_LEASES)
        self._lock = threading.Lock()

    def known(self, lease_id: int) -> tuple[StudyMemory, Progress] | None:
        """Return what is known of a lease and its study; None if either is not.

        It may be behind: through another replica the trial may have come further.
        """
        with self._lock:
            progress = self._leases.get(lease_id)
            study = self._studies.get(progress.study_id) if progress else None
            return (study, progress) if study and progress else None

    def note(self, lease_id: int, progress: Progress) -> None:
        """Remember how far a lease has come."""
        with self._lock:
            self._leases[lease_id] = progress

    def forget(self, lease_id: int) -> None:
        """Forget a lease that has ended."""
        with self._lock:
            self._leases.pop(lease_id, None)

    def study(self, connection: sa.Connection, study_id: int, *, revision: int = 0) -> StudyMemory | None:
        """Return what is known of a study; None if it is gone.

        Args:
            connection: To read what is not known.
            study_id: Which one.
            revision: Of its space, at least.
        """
        with self._lock:
            known = self._studies.get(study_id)
            if known and known.revision >= revision:
                return known
        row = studies.get(connection, study_id)
        return self._remember(row) if row else None

    def _remember(self, row: studies.StudyRow) -> StudyMemory:
        space = row.dimensions
        names = [dimension.stored_name for dimension in space]
        nothing = Observations.empty(
            names,
            objectives=len(row.spec.objectives),
            constraints=[constraint.metric for constraint in row.spec.constraints],
        )
        # Chosen once for all, by what was asked: a larger budget changes no sampler under way.
        spec = row.current_spec.model_copy(update={"sampler": chosen(row.spec).sampler})
        fresh = StudyMemory(
            row.study_id,
            spec,
            row.revision,
            space,
            nothing,
            Suggester(self.children),
            purpose=row.purpose,
            is_define_by_run=row.spec.is_define_by_run,
            meters=self.meters,
        )
        with self._lock:
            known = self._studies.setdefault(row.study_id, fresh)
            if known.revision < fresh.revision:
                known = self._studies[row.study_id] = fresh.in_place_of(known)
            return known
