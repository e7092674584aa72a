"""The hot statements find their rows by an index, however large the tables."""

import re

import pytest
import sqlalchemy as sa

from benchmarks import history
from service import asks, studies
from service.replica import Replica
from trimtab.protocol import Ask, Lease

TRIALS = 2_000
GROWING = (
    "trials",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trimtab_trials",
    "trimtab_leases",
    "trimtab_reports",
)

# As they would have been, had the trials been leased and reported.
LEASES_AND_REPORTS = sa.text("""
    WITH lease AS (
      INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at, outcome, ended_at)
      SELECT study_id, trial_id, 1, 1, 'w', now(), outcome, now() FROM trimtab_trials
      RETURNING lease_id
    )
    INSERT INTO trimtab_reports (lease_id, step, metrics, verdict)
    SELECT lease_id, step, '{}', 'continue' FROM lease, generate_series(1, 10) AS step
""")


@pytest.fixture
def lease(engine: sa.Engine) -> Lease:
    """A lease of a study that has many finished trials."""
    replica = Replica(engine, 30.0)
    studies.create(replica, history.spec("large", TRIALS + 10))
    history.fill(engine, "large", history.random_history(TRIALS, seed=0))
    history.fill_ours(engine, "large")
    with engine.begin() as connection:
        connection.execute(LEASES_AND_REPORTS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    return asks.ask(replica, Ask(worker="w", study="large")).leases[0]


def scanned(plan: str) -> list[str]:
    """The growing tables that a plan reads from end to end."""
    return [table for table in re.findall(r"Seq Scan on (\w+)", plan) if table in GROWING]


def explain(connection: sa.Connection, name: str, values: dict[str, object]) -> str:
    arguments = ", ".join(f":{parameter}" for parameter in values)
    rows = connection.execute(sa.text(f"EXPLAIN EXECUTE trimtab_{name} ({arguments})"), values)
    return "\n".join(rows.scalars())


def test_no_hot_statement_reads_a_growing_table_from_end_to_end(engine: sa.Engine, lease: Lease) -> None:
    lease_id = int(lease.id)
    with engine.connect() as connection:
        study_id = connection.execute(sa.text("SELECT study_id FROM trimtab_studies")).scalar_one()
    statements: dict[str, dict[str, object]] = {
        "look": {"step": 1, "lease_id": lease_id},
        "renew": {"lease_seconds": 30.0, "lease_id": lease_id, "fence": 1},
        "record": {
            "lease_seconds": 30.0, "step": 1, "best": 0.1, "stop_reason": None, "lease_id": lease_id, "fence": 1,
            "known_step": 0, "known_finished": TRIALS, "metrics": "{}", "verdict": "continue", "value": 0.1,
        },
        "candidates": {"study_id": study_id, "any_task": False, "tasks": []},
        "open": {"study_id": study_id},
        "finished": {"study_id": study_id, "known": TRIALS - 1},
        "lock_study": {"lease_id": lease_id},
        "close_told": {"outcome": "complete", "message": None, "told": "{}", "lease_id": lease_id, "fence": 1},
    }  # fmt: skip

    with engine.connect() as connection:
        plans = {name: explain(connection, name, values) for name, values in statements.items()}

    assert {name: plan for name, plan in plans.items() if scanned(plan)} == {}


def test_a_scan_is_noticed(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("EXPLAIN SELECT * FROM trial_params WHERE param_value = 3"))

        assert scanned("\n".join(rows.scalars())) == ["trial_params"]
