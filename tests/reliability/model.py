"""A small model of the service: what each call should answer, worked out in plain Python."""

from dataclasses import dataclass, field

from trimtab.errors import (
    Conflict,
    Invalid,
    LeaseEnded,
    LeaseLost,
    Refused,
    StepConflict,
    StudyDeleted,
    StudyExists,
    StudyNotFound,
    TrialEnded,
)

MAX_ATTEMPTS = 3
FAILED_IN_A_ROW = 4
FAILURES = ("diverged", "out_of_memory", "timeout", "error")

Expected = type[Refused] | None
"""The refusal that a call should meet; None: it should succeed."""


@dataclass
class LeaseModel:
    """A lease as it should be."""

    study: str
    trial: int
    fence: int
    attempt: int
    reports: dict[int, float] = field(default_factory=dict)
    is_stopped: bool = False
    has_run_out: bool = False
    told: tuple[str, float] | None = None
    outcome: str | None = None
    is_deleted: bool = False
    budget: "StudyModel | None" = None

    @property
    def last_step(self) -> int:
        return max(self.reports, default=0)

    def refusal(self) -> Expected:
        """What every call on it meets, whatever it says."""
        if self.is_deleted:
            return StudyDeleted
        if self.has_run_out:
            return LeaseLost
        return None if self.outcome is None else LeaseEnded

    def report(self, step: int, value: float) -> Expected:
        """Record a report; return the refusal that it should meet."""
        if self.is_deleted:
            return StudyDeleted
        if self.reports.get(step) == value and not self.has_run_out:
            return None
        if refusal := self.refusal():
            return refusal
        if step in self.reports or step <= self.last_step:
            return StepConflict
        if self.budget and self.budget.is_spent and not self.is_stopped:
            self.budget.close()
        if not self.is_stopped:
            self.reports[step] = value
        return None


@dataclass
class TrialModel:
    """A trial as it should be."""

    state: str = "running"
    lost: int = 0
    given: dict[str, float] = field(default_factory=dict)
    leases: list[LeaseModel] = field(default_factory=list)
    value: float | None = None
    is_added: bool = False


@dataclass
class StudyModel:
    """A study as it should be."""

    asked: int
    budget: int
    has_space: bool = True
    state: str = "running"
    trials: list[TrialModel] = field(default_factory=list)
    failed_in_a_row: int = 0
    best: TrialModel | None = None
    unimproved: int = 0
    target: float | None = None
    patience: int | None = None
    epochs: int | None = None
    is_closing: bool = False

    @property
    def created(self) -> int:
        """Trials that the budget counts."""
        return sum(not trial.is_added for trial in self.trials)

    @property
    def finished(self) -> int:
        """Those of them that have ended."""
        return sum(not trial.is_added and trial.state not in {"running", "waiting"} for trial in self.trials)

    @property
    def reported(self) -> int:
        """Reports on record."""
        return sum(len(lease.reports) for trial in self.trials for lease in trial.leases)

    @property
    def is_spent(self) -> bool:
        """Whether its epochs are used up."""
        return self.epochs is not None and self.reported >= self.epochs

    @property
    def is_due(self) -> bool:
        """Whether its budget, beside the number of trials, has it come to its end."""
        if self.best and self.best.value is not None:
            if self.target is not None and self.best.value <= self.target:
                return True
            if self.patience is not None and self.unimproved >= self.patience:
                return True
        return self.is_spent

    @property
    def is_over(self) -> bool:
        """Whether all its trials have ended, or as many as there may be."""
        return self.finished >= self.budget or (self.is_closing and self.finished == self.created)

    def counts(self) -> dict[str, int]:
        states = ("waiting", "running", "complete", "pruned", "fail")
        return {state: sum(trial.state == state for trial in self.trials) for state in states}

    def rank(self, trial: TrialModel, state: str, value: float | None) -> None:
        """Note how a trial ended, and whether it is the best."""
        trial.state, trial.value = state, value
        if value is not None and (self.best is None or self.best.value is None or value < self.best.value):
            self.best, self.unimproved = trial, 0
        elif not trial.is_added:
            self.unimproved += 1

    def end(self, trial: TrialModel, state: str, value: float | None = None) -> None:
        """Bring a trial to its end, and the study with it where that is what follows."""
        self.rank(trial, state, value)
        self.failed_in_a_row = self.failed_in_a_row + 1 if state == "fail" else 0
        if self.state in {"complete", "stopped"}:
            return
        if self.is_over:
            self.state = "complete"
        elif self.state == "running" and self.failed_in_a_row >= FAILED_IN_A_ROW:
            self.state = "stopped"
        else:
            self.close_if_due()

    def close_if_due(self) -> None:
        """Come to an end if the budget says so."""
        if self.state != "complete" and not self.is_closing and self.is_due:
            self.close()

    def close(self) -> None:
        """Hand out no more trials: those that run are told to stop, those that wait are pruned."""
        if self.state == "complete" or self.is_closing:
            return
        self.is_closing = True
        for trial in self.trials:
            if trial.state == "running":
                trial.leases[-1].is_stopped = True
        for trial in [trial for trial in self.trials if trial.state == "waiting"]:
            self.end(trial, "pruned")
        if self.state in {"running", "paused"} and self.finished == self.created:
            self.state = "complete"


@dataclass
class Model:
    """All studies as they should be."""

    studies: dict[str, StudyModel] = field(default_factory=dict)
    leases: list[LeaseModel] = field(default_factory=list)
    run_out: list[LeaseModel] = field(default_factory=list)

    def create(self, name: str, budget: int, *, has_space: bool = True) -> Expected:
        known = self.studies.get(name)
        if known is None:
            self.studies[name] = StudyModel(asked=budget, budget=budget, has_space=has_space)
        return StudyExists if known and (known.asked, known.has_space) != (budget, has_space) else None

    def delete(self, name: str) -> Expected:
        if name not in self.studies:
            return StudyNotFound
        del self.studies[name]
        for lease in self.leases:
            lease.is_deleted = lease.is_deleted or lease.study == name
        self.run_out = [lease for lease in self.run_out if not lease.is_deleted]
        return None

    def ask(self, name: str, count: int) -> list[tuple[int, int, int]]:
        """Give leases: the trial, the fence and the attempt of each."""
        study = self.studies[name]
        if study.state != "running" or study.is_spent:
            return []
        waiting = [number for number, trial in enumerate(study.trials) if trial.state == "waiting"]
        numbers = waiting[:count]
        if not numbers:
            first, left = len(study.trials), 0 if study.is_closing else study.budget - study.created
            numbers = list(range(first, first + min(count, left)))
            study.trials += [TrialModel() for _ in numbers]
        return [self._lease(name, number) for number in numbers]

    def _lease(self, name: str, number: int) -> tuple[int, int, int]:
        trial = self.studies[name].trials[number]
        trial.state = "running"
        study = self.studies[name]
        lease = LeaseModel(name, number, fence=len(trial.leases) + 1, attempt=trial.lost + 1, budget=study)
        trial.leases.append(lease)
        self.leases.append(lease)
        return number, lease.fence, lease.attempt

    def tell(self, lease: LeaseModel, outcome: str, value: float) -> Expected:
        if lease.is_deleted:
            return StudyDeleted
        if lease.told == (outcome, value):
            return None
        if refusal := lease.refusal():
            return refusal
        lease.told, lease.outcome = (outcome, value), outcome
        study, trial = self._of(lease)
        if outcome == "complete":
            study.end(trial, "complete", value)
        elif outcome in FAILURES:
            study.end(trial, "fail")
        elif lease.is_stopped or outcome == "pruned":
            study.end(trial, "pruned")
        else:
            trial.state = "waiting"
        return None

    def suggest(self, lease: LeaseModel) -> Expected:
        """Return the refusal that every suggestion meets."""
        if refusal := lease.refusal():
            return refusal
        return Conflict if self.studies[lease.study].has_space else None

    def values(self, lease: LeaseModel) -> dict[str, float]:
        """Return the values that the trial of a live lease has for good, as far as they are known."""
        return self._of(lease)[1].given

    def let_run_out(self, lease: LeaseModel) -> None:
        """Let the time of a lease that lives be over: nobody has renewed it."""
        lease.has_run_out = True
        self.run_out.append(lease)

    def sweep(self) -> int:
        """End the leases whose time is over, the first one first; return how many."""
        for study in self.studies.values():
            if study.state in {"running", "paused"} and study.is_spent:
                study.close()
        over, self.run_out = self.run_out, []
        for lease in over:
            self._lose(lease)
        return len(over)

    def _lose(self, lease: LeaseModel) -> None:
        lease.outcome = "lost"
        study, trial = self._of(lease)
        trial.lost += 1
        if lease.is_stopped:
            study.end(trial, "pruned")
        elif trial.lost >= MAX_ATTEMPTS:
            study.end(trial, "fail")
        else:
            trial.state = "waiting"

    def move(self, name: str, state: str) -> Expected:
        """Pause, stop or resume a study."""
        study = self.studies[name]
        if study.state == state:
            study.close_if_due()
            return None
        if study.state == "complete" or (study.state, state) == ("stopped", "paused"):
            return Conflict
        if study.state == "stopped":
            study.failed_in_a_row = 0
        study.state = state
        if state != "stopped" and study.is_over:
            study.state = "complete"
        study.close_if_due()
        return None

    def resize(self, name: str, budget: int) -> Expected:
        """Change the budget of a study."""
        study = self.studies[name]
        if budget < study.created:
            return Invalid
        study.budget = budget
        self._look_again(study)
        return None

    def limit(self, name: str, limit: str, value: float | None) -> Expected:
        """Change another limit of the budget."""
        study = self.studies[name]
        if limit == "epochs" and value is not None and value < study.reported:
            return Invalid
        setattr(study, limit, value)
        self._look_again(study)
        return None

    def _look_again(self, study: StudyModel) -> None:
        study.is_closing = False
        if study.state == "complete":
            study.is_closing = study.is_due
            study.state = "complete" if study.is_closing or study.is_over else "running"
        elif study.state != "stopped" and study.is_over:
            study.state = "complete"
        study.close_if_due()

    def stop(self, name: str, number: int) -> Expected:
        study = self.studies[name]
        trial = study.trials[number]
        if trial.state == "running":
            trial.leases[-1].is_stopped = True
        elif trial.state == "waiting":
            study.end(trial, "pruned")
        else:
            return TrialEnded
        return None

    def enqueue(self, name: str) -> Expected:
        """Let a trial wait that somebody gives."""
        study = self.studies[name]
        is_used_up = study.is_closing or study.is_spent or study.created >= study.budget
        if is_used_up or study.state in {"complete", "stopped"}:
            return Conflict
        study.trials.append(TrialModel("waiting", given={"x": 0.5}))
        return None

    def add(self, name: str, state: str, value: float) -> Expected:
        """Add a trial that ended elsewhere."""
        study = self.studies[name]
        trial = TrialModel(is_added=True)
        study.trials.append(trial)
        study.rank(trial, state, value if state == "complete" else None)
        study.close_if_due()
        return None

    def _of(self, lease: LeaseModel) -> tuple[StudyModel, TrialModel]:
        study = self.studies[lease.study]
        return study, study.trials[lease.trial]
