"""Many who want the same at the same moment, through two replicas, and what is then to complain of."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from tests.reliability.auditor import audit
from tests.service.served import Served
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Refused

AT_ONCE = 8
ROUNDS = 10


def complaint_of_asking_at_once(replicas: Sequence[Served]) -> str | None:
    """Ask for the last trial of a study from many threads, time and again; return what is wrong with the record."""
    clients = [one.client for one in replicas] * (AT_ONCE // len(replicas))
    failures: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as executor:
        for number in range(ROUNDS):
            study = f"study-{number}"
            clients[0].create_study(spec(study, budget={"trials": 1}))
            failures += filter(None, executor.map(partial(_ask, study, Barrier(AT_ONCE)), clients))
    return "; ".join([*failures, *map(str, audit(replicas[0].replica.engine))]) or None


def _ask(study: str, barrier: Barrier, client: Client) -> str | None:
    barrier.wait()
    try:
        client.ask("worker", study=study)
    except Refused:
        return None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is no refusal
        return repr(error)
    return None
