"""What a worker did in a day, as a picture: busy, there but idle, away; and where it lost a trial."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from service.storage.stretches import COLUMNS, Stretches
from trimtab.protocol import Worker

HEIGHT = 24
_BUSY = (4, 20)
_IDLE = (11, 13)
_LOST = (0, 24)

_NOTHING = Stretches(busy=(), lost=(), busy_seconds=0.0, trials=0, losses=0)


@dataclass(frozen=True)
class Timeline:
    """The day of a worker.

    Args:
        there: Path of the time in which it was there: a thin bar.
        busy: Path of the time in which it trained: a thick one.
        lost: Path of the moments in which a trial of it was lost: the highest ones.
        share: Of the time that it was there, in which it trained.
        trials: That it had.
        losses: That it lost.
    """

    there: str
    busy: str
    lost: str
    share: float
    trials: int
    losses: int


def timeline(worker: Worker, stretches: Stretches | None, *, now: datetime, seconds: float) -> Timeline:
    """Return the picture of the time up to now, in a box of COLUMNS by HEIGHT.

    Args:
        worker: Whose.
        stretches: What it did; None: nothing.
        now: Where the picture ends.
        seconds: That it goes back.
    """
    did = stretches or _NOTHING
    end = now if worker.is_alive else worker.last_seen_at
    first, last = (_column(at, now=now, seconds=seconds) for at in (worker.first_seen_at, end))
    there_seconds = (last - first) * seconds / COLUMNS
    return Timeline(
        there=_bars([(first, last)], *_IDLE),
        busy=_bars(did.busy, *_BUSY),
        lost=_bars([(column - 1, column + 2) for column in did.lost], *_LOST),
        share=min(1.0, did.busy_seconds / there_seconds) if there_seconds > 0 else 0.0,
        trials=did.trials,
        losses=did.losses,
    )


def _column(at: datetime, *, now: datetime, seconds: float) -> float:
    back = (now - at).total_seconds() / seconds
    return COLUMNS * (1 - min(1.0, max(0.0, back)))


def _bars(stretches: Iterable[tuple[float, float]], top: int, bottom: int) -> str:
    return "".join(f"M{first:g} {top}H{end:g}V{bottom}H{first:g}z" for first, end in stretches)
