"""A database that was restored from a backup: what was given since is never given again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal

from tests.conftest import fresh_database
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import lease_of
from tests.service.served import Served, serve
from tests.service.specs import METRIC, spec
from trimtab.errors import LeaseNotFound
from trimtab.states import Decision

PAGE = Path(__file__).parents[2] / "docs/how-to/operate.md"
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = :database AND backend_type = 'client backend'"


@pytest.fixture
def statements() -> list[str]:
    """What the page says to run after a restore."""
    (block,) = re.findall(r"```sql[^\n]*\n-- restored.sql.*?\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    return [line for line in block.splitlines() if line]


@pytest.fixture
def before(postgres: sa.Engine, template: str, portal: BlockingPortal) -> Iterator[Served]:
    with fresh_database(postgres, template) as url, serve(url, portal) as served:
        yield served


def test_who_holds_a_lease_from_after_the_backup_is_told_so_and_disturbs_nobody(
    postgres: sa.Engine, before: Served, portal: BlockingPortal, statements: list[str]
) -> None:
    before.client.create_study(spec())
    kept = lease_of(before.client)
    copied = str(before.replica.engine.url.database)
    before.replica.engine.dispose()
    wait_until(lambda: record.value(postgres, CONNECTED, database=copied) == 0)
    with fresh_database(postgres, copied) as backup, serve(backup, portal) as after:
        gone = lease_of(before.client)

        for statement in statements:
            record.execute(after.replica.engine, statement)
        given = lease_of(after.client)

        with pytest.raises(LeaseNotFound):
            after.client.report(gone, step=1, metrics={METRIC: 0.5})
        assert int(given.id) > int(gone.id)
        assert after.client.report(kept, step=1, metrics={METRIC: 0.5}).verdict is Decision.CONTINUE
