"""What a chaos run leaves: read from the record, the journals and the log of what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.reliability.auditor import Breach, audit
from tests.reliability.chaos.aim import Aim
from tests.reliability.chaos.log import Log
from tests.reliability.chaos.losses import Loss, losses
from tests.reliability.chaos.proxy import Mishap, Proxy
from tests.reliability.journal import Late, Surprise, read

_TRIALS = sa.text("""
    SELECT lower(CAST(state AS text)) AS state, count(*) AS trials FROM trials GROUP BY 1
""")
_FAILED = sa.text("""
    SELECT count(*) FILTER (WHERE u.outcome = 'lost'), count(*) FILTER (WHERE u.outcome IS DISTINCT FROM 'lost')
    FROM trimtab_trials u JOIN trials t USING (trial_id) WHERE t.state = 'FAIL'
""")


@dataclass(frozen=True)
class Remains:
    """All that a run is judged by.

    Args:
        aim: What was asked for.
        log: What was done.
        seconds: It took.
        requests: By what became of them on their way.
        differences: Between two answers to one request, in words.
        audited: What is wrong with the record, or between it and the journals.
        lost: The leases that are lost on record.
        late: What workers wrote that had been told that their lease is lost.
        surprises: Answers that no client should ever get.
        states: Trials by state.
        failed_of_lost_leases: Trials.
        failed_otherwise: Likewise.
    """

    aim: Aim
    log: Log
    seconds: float
    requests: Mapping[Mishap, int]
    differences: Sequence[str]
    audited: Sequence[Breach]
    lost: Sequence[Loss]
    late: Sequence[Late]
    surprises: Sequence[Surprise]
    states: Mapping[str, int]
    failed_of_lost_leases: int
    failed_otherwise: int


def remains(engine: sa.Engine, journals: Path, aim: Aim, log: Log, proxy: Proxy, *, seconds: float) -> Remains:
    """Read and audit what there is when everything has stopped."""
    with engine.connect() as connection:
        states = {row.state: row.trials for row in connection.execute(_TRIALS)}
        failed_of_lost_leases, failed_otherwise = connection.execute(_FAILED).one()
    return Remains(
        aim=aim,
        log=log,
        seconds=seconds,
        requests=proxy.counted,
        differences=proxy.differences,
        audited=audit(engine, read(journals)),
        lost=losses(engine),
        late=[entry for entry in read(journals) if isinstance(entry, Late)],
        surprises=[entry for entry in read(journals) if isinstance(entry, Surprise)],
        states=states,
        failed_of_lost_leases=failed_of_lost_leases,
        failed_otherwise=failed_otherwise,
    )
