"""What the page of a study shows: the study, its best, what follows it, what the doctor says, and who trains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service import diagnoses, reading_finals, studies, trials, workers
from service.database import autocommit
from service.replica import Replica
from service.storage import studies as stored
from service.storage import summaries
from trimtab.diagnosis import Diagnosis
from trimtab.errors import Conflict, NotFound
from trimtab.finals import FinalModel
from trimtab.protocol import BestTrial, Study
from trimtab.states import Purpose, StudyState

MOST_OF_FRONT = 20


@dataclass(frozen=True)
class Limit:
    """A limit of a study's budget, with what is used of it.

    Args:
        name: Of the field.
        used: None: nothing yet.
        is_time: It is in seconds.
    """

    name: str
    used: float | None
    limit: float
    is_time: bool = False


@dataclass(frozen=True)
class Shown:
    """What a page shows of a study.

    Args:
        best: The best trial; with several objectives those that no other beats, as many as are shown.
        has_more: There are more of these.
        diagnosis: None: `no_diagnosis` says why.
        is_unserved: It waits, and no worker that is alive has its task.
        purposes: Of those that exist only for it, by name.
        final: Its final model, or that of the study whose final model it trains; None: none was asked for.
    """

    study: Study
    best: Sequence[BestTrial]
    has_more: bool
    diagnosis: Diagnosis | None
    no_diagnosis: str | None
    is_unserved: bool
    purposes: Mapping[str, Purpose]
    final: FinalModel | None

    @property
    def limits(self) -> Sequence[Limit]:
        """The budget, but for what the best value decides."""
        return limits(self.study)


def shown(replica: Replica, name: str) -> Shown:
    """Return what the page of a study shows.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    study = studies.read(replica, name)
    best = trials.front(replica, name, cursor=None, limit=MOST_OF_FRONT)
    diagnosis, reason = _diagnosis(replica, study)
    purposes = _purposes(replica, study)
    return Shown(
        study,
        best.items,
        best.next is not None,
        diagnosis,
        reason,
        _is_unserved(replica, study),
        purposes,
        _final(replica, study, purposes),
    )


def limits(study: Study) -> list[Limit]:
    """Return what a study has used of each limit of its budget."""
    budget, used = study.spec.budget, study.used
    found: Mapping[str, tuple[float | None, float | None]] = {
        "trials": (used.trials, budget.trials),
        "epochs": (used.epochs, budget.epochs),
        "seconds": (used.seconds, budget.seconds),
        "device_seconds": (used.device_seconds, budget.device_seconds),
    }
    return [
        Limit(name, amount, limit, is_time="seconds" in name)
        for name, (amount, limit) in found.items()
        if limit is not None
    ]


def _diagnosis(replica: Replica, study: Study) -> tuple[Diagnosis | None, str | None]:
    if study.purpose.is_settled:
        return None, None
    try:
        return diagnoses.of_study(replica, study.name), None
    except (NotFound, Conflict) as refused:
        return None, str(refused)


def _purposes(replica: Replica, study: Study) -> dict[str, Purpose]:
    if not study.children:
        return {}
    with autocommit(replica.engine) as connection:
        row = stored.require(connection, study.name)
        return {each.name: each.purpose for each in summaries.companions(connection, [row.study_id])}


def _final(replica: Replica, study: Study, purposes: Mapping[str, Purpose]) -> FinalModel | None:
    whose = study.parent if study.purpose is Purpose.FINAL else study.name
    is_asked_for = study.purpose is Purpose.FINAL or {Purpose.CONFIRMATION, Purpose.FINAL} & set(purposes.values())
    if whose is None or not is_asked_for:
        return None
    try:
        return reading_finals.read(replica, whose)
    except NotFound:
        return None


def _is_unserved(replica: Replica, study: Study) -> bool:
    if study.state is not StudyState.RUNNING or study.counts.running or study.spec.task is None:
        return False
    return study.spec.task.name not in workers.tasks(replica)
