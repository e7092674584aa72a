"""The points of a study's next trials: chosen now, or ahead, in a thread beside the calls."""

import logging
import secrets
import threading
import time
from collections.abc import Sequence

import sqlalchemy as sa

from service import sampling
from service.database import autocommit
from service.memory import StudyMemory
from service.replica import Replica
from service.sampling.stock import MOST, Prepared
from service.storage import asks, finished

_log = logging.getLogger(__name__)


def chosen(
    replica: Replica, study: StudyMemory, number: int, count: int, *, salt: int | None
) -> Sequence[sampling.Suggestion]:
    """Return `count` points from trial `number` on, each chosen with those before it counted as running."""
    return _chosen(study, _view(replica, study), number, count, salt=salt)


def prepare(replica: Replica, study: StudyMemory) -> None:
    """Choose points ahead, beside the caller, if it is worth while. Raises nothing: the caller has committed."""
    try:
        is_ahead = not (study.is_define_by_run or sampling.is_sequence(study.spec) or sampling.finite(study.spec))
        if is_ahead and study.stock.begin_filling():
            threading.Thread(target=_fill, args=(replica, study), name="points ahead", daemon=True).start()
    except Exception as error:  # noqa: BLE001  # for one, there is no thread to be had
        said = {"study": study.spec.name, "error": error}
        _log.warning("study %(study)s: no points are chosen ahead: %(error)s", said)
        while study.stock.go_on_filling():
            pass  # Nobody does, whoever wanted some meanwhile.


def _fill(replica: Replica, study: StudyMemory) -> None:
    is_wanted = True
    while is_wanted:
        try:
            with autocommit(replica.engine) as connection:
                place = asks.place(connection, study.study_id)
            if place:
                _stock_up(replica, study, place.number)
        except Exception:  # noqa: BLE001  # whoever asks finds out; nobody waits for this
            _log.info("study %(study)s: no points were chosen ahead", {"study": study.spec.name}, exc_info=True)
        is_wanted = study.stock.go_on_filling()


def _stock_up(replica: Replica, study: StudyMemory, number: int) -> None:
    view = _view(replica, study)
    if len(view.unfinished) == 1:
        # One worker has it, who will ask when nothing runs any more.
        return
    salt, count = (secrets.randbits(32), MOST) if view.unfinished else (None, 1)
    suggestions = _chosen(study, view, number, count, salt=salt)
    if suggestions and not any(each.fallback for each in suggestions):
        study.stock.put(Prepared(suggestions, number, salt), ended=view.observations.known)


def _chosen(
    study: StudyMemory, view: sampling.View, number: int, count: int, *, salt: int | None
) -> Sequence[sampling.Suggestion]:
    began = time.monotonic()
    with study.meters.sampling(study.spec.sampler.name):
        suggestions = study.suggester.suggest_many(study.spec, view, number=number, count=count, salt=salt)
    study.stock.chose(time.monotonic() - began, count=count)
    return suggestions


def view(connection: sa.Connection, study: StudyMemory) -> sampling.View:
    """Return the trials of a study as its sampler sees them."""
    # The unfinished ones first: a trial that ends in between is then seen twice, and dropped once.
    unfinished = finished.unfinished(connection, study.study_id)
    observations = study.observe(connection)
    ended = set(observations.numbers_N.tolist())
    open_points = [sampling.OpenPoint(t.number, t.point, t.attributes) for t in unfinished if t.number not in ended]
    return sampling.View.of(study.spec, study.dimensions, observations, open_points)


def _view(replica: Replica, study: StudyMemory) -> sampling.View:
    with autocommit(replica.engine) as connection:
        return view(connection, study)
