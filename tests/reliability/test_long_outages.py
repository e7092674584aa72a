"""PostgreSQL, all replicas, or both are away for longer than a lease: the same leases go on, and the dead stay dead."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.migrate import migrate
from tests.e2e.running import TOKEN, wait_for
from tests.reliability.load import patiently
from tests.reliability.postgres import Postgres, postgres
from tests.reliability.services import Service, services
from tests.service import record
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.states import TrialState

LEASE_SECONDS = 10
AWAY_SECONDS = 1.25 * LEASE_SECONDS

LOST = "SELECT count(*) FROM trimtab_leases WHERE outcome = 'lost'"
SECONDS_LEFT = """
    SELECT CAST(extract(epoch FROM expires_at - clock_timestamp()) AS float8) FROM trimtab_leases
    WHERE lease_id = :lease
"""
RUN_OUT = "UPDATE trimtab_leases SET expires_at = clock_timestamp() WHERE lease_id = :lease"


@dataclass(frozen=True)
class House:
    """Two replicas and their database."""

    server: Postgres
    pair: tuple[Service, Service]

    def freeze_replicas(self) -> None:
        """Let both stand still."""
        for each in self.pair:
            each.process.send_signal(signal.SIGSTOP)

    def thaw_replicas(self) -> None:
        """Let both go on, as if no time had passed."""
        for each in self.pair:
            each.process.send_signal(signal.SIGCONT)


@pytest.fixture
def house(data_dir: Path, tmp_path: Path) -> Iterator[House]:
    with postgres(data_dir) as server, services(tmp_path) as replicas:
        migrate(server.url)
        pair = [replicas.start(server.url, lease_seconds=LEASE_SECONDS) for _ in range(2)]
        for each in pair:
            wait_for(each.is_ready, seconds=120)
        yield House(server, (pair[0], pair[1]))


def database_away(house: House) -> None:
    house.server.cluster.stop()
    pass_time()
    house.server.cluster.start()


def replicas_away(house: House) -> None:
    house.freeze_replicas()
    pass_time()
    house.thaw_replicas()


def both_away(house: House) -> None:
    house.freeze_replicas()
    house.server.cluster.stop()
    pass_time()
    house.server.cluster.start()
    house.thaw_replicas()


def pass_time() -> None:
    """Let an outage last for longer than a lease."""
    time.sleep(AWAY_SECONDS)


OUTAGES: dict[str, Callable[[House], None]] = {
    "database": database_away,
    "replicas": replicas_away,
    "both": both_away,
}


@pytest.mark.parametrize("be_away", OUTAGES.values(), ids=OUTAGES)
def test_after_an_outage_longer_than_a_lease_the_same_leases_go_on_and_the_dead_ones_run_out(
    house: House, be_away: Callable[[House], None]
) -> None:
    with ExitStack() as closing:
        administrator = closing.enter_context(house.server.administrator())
        one, other = (closing.enter_context(Client(each.url, TOKEN)) for each in house.pair)
        one.create_study(spec())
        (living,), (dead,) = one.ask("living").leases, one.ask("dead").leases

        be_away(house)
        verdict = patiently(lambda: other.report(living, step=1, metrics={METRIC: 0.5}))
        lost = record.value(administrator, LOST)
        left = record.value(administrator, SECONDS_LEFT, lease=int(dead.id))
        record.execute(administrator, RUN_OUT, lease=int(dead.id))
        wait_for(lambda: other.heartbeat(living) and is_waiting(one, dead.trial))
        told = one.tell(living, "complete", metrics={METRIC: 0.5})

    assert verdict.recorded
    assert lost == 0
    assert isinstance(left, float)
    assert 0 < left <= LEASE_SECONDS, "it has what it had left, and no more"
    assert told.state is TrialState.COMPLETE


def is_waiting(client: Client, trial: int) -> bool:
    return client.trial("study", trial).state is TrialState.WAITING
