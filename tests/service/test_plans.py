"""The hot statements find their rows by an index, however large the tables."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from benchmarks import history
from service import asks, happenings, studies, trial_tables, workers
from service.replica import Replica
from service.storage.happenings import Look
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.protocol import Ask, Lease
from trimtab.states import TrialState

# Very many rows are written and looked at, and plans are noted while they are read.
pytestmark = pytest.mark.usefixtures("unhurried", "nothing_ahead")

TRIALS = 2_000
GROWING = (
    "trials",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_system_attributes",
    "trimtab_trials",
    "trimtab_leases",
    "trimtab_reports",
)

# As they would have been, had the trials been leased and reported, and come to rungs.
LEASES_AND_REPORTS = sa.text("""
    WITH lease AS (
      INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at, outcome, ended_at)
      SELECT study_id, trial_id, 1, 1, 'w', now(), outcome, now() FROM trimtab_trials
      RETURNING lease_id, trial_id
    ), rungs AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, 'completed_rung_' || rung || suffix, '1'
      FROM lease, generate_series(0, 2) AS rung, (VALUES (''), ('_step')) AS suffixes (suffix)
    )
    INSERT INTO trimtab_reports (lease_id, step, metrics, verdict)
    SELECT lease_id, step, '{}', 'continue' FROM lease, generate_series(1, 10) AS step
""")


# Half of them are paused, the others have ended; a limit of their own has none that goes on.
STUDIES = sa.text("""
    WITH study AS (
      INSERT INTO studies (study_name) SELECT 's' || n FROM generate_series(1, 4000) AS n RETURNING study_id
    )
    INSERT INTO trimtab_studies (study_id, spec, budget, state, ended_at)
    SELECT study_id, '{}', 10, CASE WHEN study_id % 2 = 0 THEN 'paused' ELSE 'complete' END,
      CASE WHEN study_id % 2 = 1 THEN now() END
    FROM study
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


def noted_plans(engine: sa.Engine) -> dict[str, str]:
    """Return the plan of each statement that is sent from now on."""
    plans: dict[str, str] = {}

    def note(connection: sa.Connection, cursor: DBAPICursor, statement: str, values: Any, *_: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "SET")):
            cursor.execute(f"EXPLAIN {statement}", values)
            plans[statement] = "\n".join(row[0] for row in cursor.fetchall())

    sa.event.listen(engine, "before_cursor_execute", note)
    return plans


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
        "renew": {"lease_seconds": 30.0, "lease_id": lease_id, "fence": 1, "token_id": None},
        "record": {
            "lease_seconds": 30.0, "step": 1, "best": 0.1, "stop_reason": None, "lease_id": lease_id, "fence": 1,
            "token_id": None, "known_step": 0, "known_finished": TRIALS, "metrics": "{}", "verdict": "continue",
            "value": 0.1,
        },
        "curve": {"lease_id": lease_id},
        "rungs": {"lease_id": lease_id},
        "rivals": {"study_id": study_id, "known": TRIALS - 1},
        "candidates": {"study_id": study_id, "any_task": False, "tasks": [], "purposes": ["search"]},
        "open": {"study_id": study_id},
        "finished": {"study_id": study_id, "known": TRIALS - 1},
        "lock_study": {"lease_id": lease_id},
        "close_told": {
            "outcome": "complete", "message": None, "told": "{}", "lease_id": lease_id, "fence": 1, "token_id": None,
        },
    }  # fmt: skip

    with engine.connect() as connection:
        plans = {name: explain(connection, name, values) for name, values in statements.items()}

    assert {name: plan for name, plan in plans.items() if scanned(plan)} == {}


def test_no_call_reads_a_growing_table_from_end_to_end(lease: Lease, served: Served) -> None:
    """As the one above, for all that the routes send on a small study beside a large one."""
    assert lease.study == "large"
    plans = noted_plans(served.replica.engine)
    call_everything(served)

    assert len(plans) > 20
    assert {statement: plan for statement, plan in plans.items() if scanned(plan)} == {}


def test_the_sweep_reads_no_study_without_a_limit_of_its_own(engine: sa.Engine, served: Served) -> None:
    with engine.begin() as connection:
        connection.execute(STUDIES)
    served.client.create_study(spec(budget={"device_seconds": 100.0}))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    plans = noted_plans(served.replica.engine)

    sweep(served.replica)

    (plan,) = [plan for statement, plan in plans.items() if "device_seconds_used" in statement]
    assert "Seq Scan on trimtab_studies" not in plan
    assert "ix_trimtab_studies_limited" in plan


def test_a_day_of_workers_reads_no_older_leases(engine: sa.Engine, lease: Lease, served: Served) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("UPDATE trimtab_leases SET ended_at = ended_at - interval '3 days'"))
        connection.execute(sa.text("VACUUM ANALYZE"))
    plans = noted_plans(served.replica.engine)

    assert [worker.name for worker in workers.lately(served.replica).workers] == ["w"]
    assert workers.day(served.replica, workers.lately(served.replica).workers).stretches["w"].trials == 1

    (plan,) = [plan for statement, plan in plans.items() if "range_agg" in statement]
    assert "ix_trimtab_leases_ended_at" in plan
    assert {statement: plan for statement, plan in plans.items() if scanned(plan)} == {}


def call_everything(served: Served) -> None:
    client = served.client
    client.create_study(spec(pruner=EAGER))
    client.tell(lease_of(client), "released")
    complete(client, [0.5, 0.5])
    report(client, lease_of(client), 1, 0.75)
    running = lease_of(client)
    client.heartbeat(running)
    client.keep_lines(running, ["text"], first=0)
    list(client.logs("study", running.trial, tail=1))
    watch(served.replica.engine)
    look_at_tables(served.replica)
    record.let_leases_run_out(served.replica.engine)
    sweep(served.replica)
    call_with_every_pruner(served)
    client.enqueue("study", {"x": 0.5})
    client.change_study("study", budget={"patience": 5, "epochs": 1000})
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.5}, curve={1: {METRIC: 0.5}})
    client.create_study(spec("heir", warm_start={"study": "study"}))
    client.change_study("study", budget={"target": 1.0})
    client.change_study("study", budget={"target": None})
    client.best_trial("study")
    client.trial("study", 0)
    client.study("study")
    list(client.workers())
    for table in ("trials", "reports"):
        list(client.exported("study", "csv", table=table))
    list(client.studies(tag="none", state="running"))
    served.http.get("/metrics")
    served.http.get("/")
    for part in ("", "/curves", "/plane"):
        assert served.http.get(f"/studies/study{part}").status_code == 200
    for sort in ("number", "-number"):
        served.http.get("/v1/studies/study/trials", params={"sort": sort, "state": "complete"})
    client.delete_study("study")


def watch(engine: sa.Engine) -> None:
    """Look at what has happened in a study, as who watches it lets the replica do."""
    study_id = happenings.study_of(engine, "study")
    happenings.opening(engine, study_id, last=0)
    happenings.since(engine, study_id, Look(finished=0, facts=("", 0), running={}, is_over=False))


def look_at_tables(replica: Replica) -> None:
    for key in ("number", "state", "duration", f"value.{METRIC}", "param.x"):
        for state in (None, TrialState.COMPLETE):
            trial_tables.page(replica, "study", trial_tables.Asked(state, key, is_descending=True, offset=0, limit=50))


def call_with_every_pruner(served: Served) -> None:
    for pruner in ("successive_halving", "patient", "wilcoxon"):
        served.client.create_study(spec(pruner, pruner={"name": pruner}))
        complete(served.client, [0.5, 0.25], pruner)
        served.client.tell(lease_of(served.client, pruner), "released")
        lease = lease_of(served.client, pruner)
        # Nothing is known of it: as after a restart.
        served.replica.memory.forget(int(lease.id))
        report(served.client, lease, 1, 0.75)
        served.client.replay(pruner)


def test_a_scan_is_noticed(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("EXPLAIN SELECT * FROM trial_params WHERE param_value = 3"))

        assert scanned("\n".join(rows.scalars())) == ["trial_params"]
