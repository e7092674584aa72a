"""What the page of a trial shows: the trial beside the best one, its curves, its log, what the doctor says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from service import diagnoses, studies, trial_logs, trials
from service.pictures import runs
from service.pictures.runs import Run
from service.replica import Replica
from service.trial_logs import Asked
from service.web import trial_curve
from service.web.trial_curve import Curve, Picture
from trimtab.diagnosis import Diagnosis
from trimtab.errors import Conflict, NotFound
from trimtab.message import Value
from trimtab.protocol import BestTrial, Page, RecordedReport, Study, TrialHistory
from trimtab.trial_logs import LogLine

LAST_LINES = 200


@dataclass(frozen=True)
class Compared:
    """A parameter of a trial beside that of the best one.

    Args:
        own: None: the trial does not have it.
        best: Likewise, and where there is no best one.
    """

    name: str
    own: Value | None
    best: Value | None


@dataclass(frozen=True)
class Shown:
    """What a page shows of a trial.

    Args:
        best: The best one of the study; None: there is none, or no one best.
        run: Its reports.
        best_run: Those of the best one, where that is another one.
        diagnosis: None: its study is none that the doctor looks at.
        lines: The last ones that it wrote.
    """

    study: Study
    trial: TrialHistory
    best: BestTrial | None
    run: Run
    best_run: Run
    diagnosis: Diagnosis | None
    lines: Page[LogLine]

    @property
    def is_best(self) -> bool:
        """Whether no other trial is better."""
        return self.best is not None and self.best.number == self.trial.number

    @property
    def is_live(self) -> bool:
        """Whether something of the trial may still change."""
        return not self.trial.state.is_ended

    @property
    def total(self) -> int:
        """Trials of the study."""
        return sum(self.study.counts.model_dump().values())

    @cached_property
    def rows(self) -> Sequence[RecordedReport]:
        """The reports that stand in the table."""
        return trial_curve.thinned(self.run, trial_curve.MOST_ROWS)

    @cached_property
    def curve(self) -> Curve:
        """All that the trial reported."""
        return trial_curve.curve(self.run)

    @cached_property
    def main(self) -> list[Picture]:
        """The pictures of the objectives."""
        return trial_curve.main_pictures([each.metric for each in self.study.spec.objectives], self.curve.metrics)

    @cached_property
    def others(self) -> list[Picture]:
        """The pictures of what is watched beside them."""
        return trial_curve.other_pictures(self.curve.metrics, self.main)

    @property
    def data(self) -> dict[str, object]:
        """What the pictures are drawn from."""
        objectives = [each.metric for each in self.study.spec.objectives]
        best = (
            trial_curve.curve(self.best_run, only=objectives).data | {"number": self.best.number} if self.best else None
        )
        resumed = [each.start_step for each in self.trial.history if each.start_step]
        return {"number": self.trial.number, "curve": self.curve.data, "best": best, "resumed": resumed}

    @property
    def params(self) -> list[Compared]:
        """The parameters of the trial, and those that only the best one has."""
        best = {} if self.best is None else self.best.params
        names = dict.fromkeys([*self.trial.params, *best])
        return [Compared(name, self.trial.params.get(name), best.get(name)) for name in names]


def shown(replica: Replica, name: str, number: int) -> Shown:
    """Return what the page of a trial shows.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        Unavailable: The database is away or busy.
    """
    trial = trials.glance(replica, name, number)
    study = studies.read(replica, name)
    best = _best(replica, name)
    is_other = best is not None and best.number != number
    asked = Asked(name, number, attempt=None, tail=LAST_LINES, cursor=None, limit=LAST_LINES, is_followed=True)
    return Shown(
        study=study,
        trial=trial,
        best=best,
        run=runs.run(replica, name, number),
        best_run=runs.run(replica, name, best.number) if best and is_other else Run(),
        diagnosis=None if study.purpose.is_settled else diagnoses.of_trial(replica, name, number),
        lines=trial_logs.page(replica, asked),
    )


def _best(replica: Replica, name: str) -> BestTrial | None:
    try:
        return trials.best(replica, name)
    except (NotFound, Conflict):
        return None
