"""The plan, carried out as the trials come to their ends."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.reliability.chaos.aim import STUDIES_AT_ONCE, Aim
from tests.reliability.chaos.plan import plan
from tests.reliability.chaos.studies import budgets, spec
from tests.reliability.chaos.system import System
from tests.reliability.witness import COMES_BACK
from trimtab.client import Client
from trimtab.spec import StudySpec

TICK_SECONDS = 0.01
LOOK_SECONDS = 0.25

REST_SECONDS = 60.0
"""What is left when the plan is carried out has so long to come to an end, with no more faults, or it is stuck."""

_PROGRESS = sa.text("""
    SELECT coalesce(sum(finished), 0), count(*) FILTER (WHERE state NOT IN ('complete', 'stopped'))
    FROM trimtab_studies
""")


@dataclass(frozen=True)
class Progress:
    """How many trials have ended, and how many studies are open."""

    ended: int
    studies: int


def play(system: System, aim: Aim, engine: sa.Engine, client: Client) -> None:
    """Create studies and do what is planned, until all trials have ended or the time is up; then let all end in peace.

    Args:
        system: What runs.
        aim: What is asked for.
        engine: To see how far it is.
        client: Creates the studies. It does not wait: who brings the service back is the one who would.
    """
    to_come = deque(plan(aim))
    specs = deque(spec(i, trials=n) for i, n in enumerate(budgets(aim.trials, aim.study_trials)))
    for progress in _looks(system, engine, seconds=aim.seconds):
        if specs and progress.studies < STUDIES_AT_ONCE:
            _create(client, specs)
        while to_come and to_come[0].progress * aim.trials <= progress.ended:
            system.suffer(to_come.popleft().fault)
        if progress.ended == aim.trials:
            break
    if to_come:
        system.log.wrong.append(f"{len(to_come)} faults were still to come when the time was up")
    system.proxy.calm()
    for progress in _looks(system, engine, seconds=REST_SECONDS):
        if progress.studies == 0 and system.is_whole:
            break


def _looks(system: System, engine: sa.Engine, *, seconds: float) -> Iterator[Progress]:
    """Do what is due, and give the progress every now and then, until the time is up."""
    deadline = time.monotonic() + seconds
    look_at = time.monotonic()
    while time.monotonic() < deadline:
        system.agenda.run_due()
        system.service.watch()
        time.sleep(TICK_SECONDS)
        if time.monotonic() >= look_at:
            look_at += LOOK_SECONDS
            system.crew.watch()
            # While the database is away there is no progress.
            with suppress(OperationalError), engine.connect() as connection:
                yield Progress(*connection.execute(_PROGRESS).one())


def _create(client: Client, specs: deque[StudySpec]) -> None:
    """Create the next study; where the service is away it stays the next one."""
    with suppress(*COMES_BACK):
        client.create_study(specs[0])
        specs.popleft()
