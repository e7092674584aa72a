"""A chaos run from its beginning to its end: everything started, the plan carried out, everything stopped, counted."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from service.database import connect
from tests.ports import held_port
from tests.reliability.auditor import patient
from tests.reliability.chaos.agenda import Agenda
from tests.reliability.chaos.aim import LEASE_SECONDS, REPLICAS, STEPS, WORKERS, Aim
from tests.reliability.chaos.crew import Crew
from tests.reliability.chaos.figures import Result, result
from tests.reliability.chaos.log import Log
from tests.reliability.chaos.play import play
from tests.reliability.chaos.proxy import Proxy
from tests.reliability.chaos.remains import remains
from tests.reliability.chaos.replicas import Replica
from tests.reliability.chaos.service import Service
from tests.reliability.chaos.system import System
from tests.reliability.chaos.worker import Habits
from tests.reliability.postgres import Postgres, postgres
from trimtab.client import Client

TOKEN = "ttk_of-the-chaos-and-of-nobody-else"
START_SECONDS = 60.0

TIMEOUT_SECONDS = 1.5
"""Of a request: it is sent again well within a lease."""


def run(aim: Aim, folder: Path) -> Result:
    """Run it in `folder`, which PostgreSQL's account has to be able to reach."""
    begin = time.monotonic()
    log = Log()
    with postgres(folder) as database:
        engine = connect(database.url)
        with (
            _started(database, aim, folder, log) as (system, server),
            Client(server, TOKEN, timeout=TIMEOUT_SECONDS, sleep=lambda _: None) as client,
        ):
            play(system, aim, engine, client)
        engine.dispose()
        engine = patient(database.url)
        left = remains(engine, _journals(folder), aim, log, system.proxy, seconds=time.monotonic() - begin)
        engine.dispose()
    return result(left)


@contextmanager
def _started(database: Postgres, aim: Aim, folder: Path, log: Log) -> Iterator[tuple[System, str]]:
    """Start all that is not there yet; give it, and the URL that workers call. At the end nothing of it is left."""
    agenda = Agenda()
    environment = _environment(database, folder)
    with ExitStack() as closing:
        ports = [closing.enter_context(held_port()) for _ in range(REPLICAS)]
        replicas = [Replica(port, environment, folder / "replicas.log") for port in ports]
        proxy = Proxy(ports, Random(f"{aim.seed} proxy"))
        service = closing.enter_context(Service(replicas, agenda, log))
        server = f"http://127.0.0.1:{closing.enter_context(proxy).port}"
        wait_until(lambda: service.is_whole, agenda, seconds=START_SECONDS)
        crew = closing.enter_context(Crew(_habits(aim, server, folder), WORKERS, log, folder / "workers.log"))
        chance = Random(f"{aim.seed} victims")
        yield System(database.cluster, service, proxy, crew, agenda, log, chance), server


def wait_until(is_so: Callable[[], bool], agenda: Agenda, *, seconds: float) -> bool:
    """Do what is due until something is so; return whether that was in time."""
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        agenda.run_due()
        time.sleep(0.01)
    return is_so()


def _environment(database: Postgres, folder: Path) -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    return ours | {
        "TRIMTAB_DATABASE_URL": database.url,
        "TRIMTAB_DATA_DIR": str(folder),
        "TRIMTAB_ADMIN_TOKEN": TOKEN,
        "TRIMTAB_LEASE_SECONDS": str(LEASE_SECONDS),
    }


def _habits(aim: Aim, server: str, folder: Path) -> Habits:
    journals = _journals(folder)
    journals.mkdir()
    return Habits(server, TOKEN, str(journals), STEPS, aim.epoch_seconds, aim.late_writes, TIMEOUT_SECONDS)


def _journals(folder: Path) -> Path:
    return folder / "journals"
