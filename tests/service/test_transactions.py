"""Each verb of a worker is one writing transaction, and not many statements.

PostgreSQL notes in each row which transaction wrote it (xmin): what a call has written, it has written at once if
one transaction is all that is new.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import spec
from trimtab.client import Client

SPACE = {f"x{n}": {"type": "float", "low": 0.0, "high": 1.0} for n in range(8)}


@pytest.fixture
def statements(nothing_ahead: None, replica: Replica) -> Iterator[list[str]]:
    """The statements that the replica sends, as they are sent."""
    with record.statements(replica.engine) as sent:
        yield sent


@contextmanager
def one_writing_transaction(engine: sa.Engine) -> Iterator[None]:
    """Fail unless all that is written meanwhile is written by one transaction."""
    before = record.transactions(engine)
    yield
    assert len(record.transactions(engine) - before) == 1


@pytest.fixture
def study(client: Client) -> None:
    """A study that has begun, so that the replica knows it."""
    client.create_study(spec(space=SPACE, pruner=EAGER))
    complete(client, [0.5, 0.5])


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("count", [1, 5])
def test_an_ask_writes_its_trials_with_all_parameters_and_leases_at_once(
    client: Client, engine: sa.Engine, statements: list[str], count: int
) -> None:
    statements.clear()

    with one_writing_transaction(engine):
        client.ask("worker", study="study", count=count)

    # Look for the key, find the study, look for candidates, read what is open and what is new; claim the key, a
    # statement for each trial, note the worker, keep the answer.
    assert len(statements) == 8 + count


@pytest.mark.usefixtures("study")
def test_an_ask_for_a_trial_that_waits_writes_at_once(client: Client, engine: sa.Engine) -> None:
    client.tell(lease_of(client), "released")

    with one_writing_transaction(engine):
        client.ask("worker", study="study")


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("error", [0.25, 0.75])
def test_a_report_is_one_statement_whatever_its_verdict(
    client: Client, engine: sa.Engine, statements: list[str], error: float
) -> None:
    report(client, lease_of(client), 1, 0.25)
    lease = lease_of(client)
    statements.clear()

    with one_writing_transaction(engine):
        report(client, lease, 1, error)

    assert len(statements) == 1


@pytest.mark.usefixtures("study")
def test_the_first_report_after_a_trial_ended_looks_at_it_and_writes_once(
    client: Client, engine: sa.Engine, statements: list[str]
) -> None:
    lease = lease_of(client)
    complete(client, [0.5])
    statements.clear()

    with one_writing_transaction(engine):
        report(client, lease, 1, 0.25)

    # Try, look, read the new curve, record.
    assert len(statements) == 4


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/studies", spec("another").model_dump(mode="json")),
        ("POST", "/v1/leases", {"worker": "w", "study": "study", "count": 3}),
        ("POST", "/v1/leases/{lease}/reports", {"step": 1, "metrics": {"error": 0.25}}),
        ("POST", "/v1/leases/{lease}/heartbeat", None),
        ("PUT", "/v1/leases/{lease}/result", {"outcome": "complete", "metrics": {"error": 0.5}}),
    ],
)
def test_the_answer_to_a_key_is_written_with_the_effect(
    client: Client, http: httpx2.Client, engine: sa.Engine, method: str, path: str, body: dict[str, object] | None
) -> None:
    lease = lease_of(client)
    headers = {"Idempotency-Key": "a-key", "Trimtab-Fence": str(lease.fence)}

    with one_writing_transaction(engine):
        answer = http.request(method, path.format(lease=lease.id), json=body, headers=headers)

    kept = record.value(engine, "SELECT body FROM trimtab_keys WHERE key = 'a-key'")
    assert isinstance(kept, memoryview)
    assert bytes(kept) == answer.content


@pytest.mark.usefixtures("study")
def test_a_heartbeat_is_one_statement(client: Client, engine: sa.Engine, statements: list[str]) -> None:
    lease = lease_of(client)
    statements.clear()

    with one_writing_transaction(engine):
        client.heartbeat(lease)

    assert len(statements) == 1


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("outcome", ["complete", "pruned", "error", "released"])
def test_a_tell_ends_lease_and_trial_and_counts_it_at_once(
    client: Client, engine: sa.Engine, statements: list[str], outcome: str
) -> None:
    lease = lease_of(client)
    statements.clear()

    with one_writing_transaction(engine):
        client.tell(lease, outcome, metrics={"error": 0.5})

    # Lock the study, end the lease, end the trial.
    assert len(statements) == 3


@pytest.mark.usefixtures("study")
def test_the_end_of_a_lost_lease_is_written_at_once(client: Client, replica: Replica, engine: sa.Engine) -> None:
    lease_of(client)
    record.let_leases_run_out(engine)

    with one_writing_transaction(engine):
        sweep(replica)


def test_a_study_is_created_at_once(client: Client, engine: sa.Engine) -> None:
    with one_writing_transaction(engine):
        client.create_study(spec())


@pytest.mark.usefixtures("study")
def test_reading_writes_nothing(client: Client, engine: sa.Engine) -> None:
    before = record.transactions(engine)

    client.study("study")
    list(client.studies())
    list(client.trials("study"))
    client.trial("study", 0)
    client.best_trial("study")
    list(client.workers())

    assert record.transactions(engine) == before
