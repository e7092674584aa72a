"""A checkpoint that is written but comes to nothing leaves no file; one of which that is not known keeps its file."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from service import checkpoints
from service.artifacts import Artifacts
from service.calls import Away, reference
from service.crowd import LIMIT
from service.database import Held
from service.files import Upload
from service.once import UNKEYED, Once, Replayed
from service.principals import OPERATOR
from service.replica import Replica
from service.storage import checkpoints as stored
from service.storage.checkpoints import StoredCheckpoint
from service.storage.keys import Key
from service.storage.leases import Reference
from tests.service import record
from tests.service.checkpointing import begun, files, lost, put
from tests.service.specs import METRIC
from trimtab.client import Client
from trimtab.errors import IdempotencyMismatch, LeaseEnded, LeaseLost, Unavailable
from trimtab.protocol import Lease

CONTENT = b"state"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ONCE = Once(Key(0, "PUT /checkpoint", "k", b"this request"))
ANOTHER = Once(Key(0, "PUT /checkpoint", "k", b"another request"))


def referred(lease: Lease) -> Reference:
    return reference(lease.id, lease.fence, OPERATOR)


def written(replica: Replica, lease: Lease) -> StoredCheckpoint:
    """Write a checkpoint that is not recorded yet."""
    upload = checkpoints.begin(replica, referred(lease), step=1, sha256=SHA256)
    assert isinstance(upload, Upload)
    upload.take(CONTENT)
    return StoredCheckpoint(1, **vars(upload.finish()))


def end(client: Client, lease: Lease, _: Replica) -> None:
    client.tell(lease, "complete", metrics={METRIC: 0.5})


def lose(client: Client, _: Lease, replica: Replica) -> None:
    lost(client, replica)


def keep_another(_: Client, lease: Lease, replica: Replica) -> None:
    checkpoints.keep(replica, referred(lease), written(replica, lease), once=ONCE)


@pytest.mark.parametrize(
    ("meanwhile", "once", "answer", "left"),
    [
        (end, UNKEYED, LeaseEnded, 0),
        (lose, UNKEYED, LeaseLost, 0),
        (keep_another, ONCE, Replayed, 1),
        (keep_another, ANOTHER, IdempotencyMismatch, 1),
    ],
)
def test_no_file_is_left_of_a_checkpoint_that_is_refused_when_it_is_written(
    client: Client,
    replica: Replica,
    store: Path,
    meanwhile: Callable[[Client, Lease, Replica], None],
    once: Once,
    answer: type[Exception],
    left: int,
) -> None:
    lease = begun(client, 0.5)
    late = written(replica, lease)
    meanwhile(client, lease, replica)

    with pytest.raises(answer):
        checkpoints.keep(replica, referred(lease), late, once=once)

    assert len(files(store)) == left


def test_no_file_is_left_of_a_checkpoint_whose_study_is_crowded(client: Client, replica: Replica, store: Path) -> None:
    lease = begun(client, 0.5)
    late = written(replica, lease)
    known = replica.memory.known(int(lease.id))
    assert known

    with ExitStack() as others:
        for _ in range(LIMIT):
            others.enter_context(known[0].crowd.joined())
        with pytest.raises(Held):
            checkpoints.keep(replica, referred(lease), late)

    assert files(store) == []


def test_no_file_is_left_of_a_checkpoint_that_finds_its_lease_away(
    client: Client, replica: Replica, engine: sa.Engine, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    late = written(replica, lease)
    record.be_away(engine, seconds=600)
    monkeypatch.setattr("service.liveness.renew", lambda _: None)

    with pytest.raises(Away):
        checkpoints.keep(replica, referred(lease), late)

    assert files(store) == []


def test_a_checkpoint_is_kept_though_nobody_was_there_while_it_was_sent(
    client: Client, replica: Replica, engine: sa.Engine, store: Path
) -> None:
    lease = begun(client, 0.5)
    late = written(replica, lease)
    record.be_away(engine, seconds=600)

    checkpoints.keep(replica, referred(lease), late)

    assert [path.read_bytes() for path in files(store)] == [CONTENT]


def test_the_file_of_a_checkpoint_stays_while_nobody_knows_whether_a_row_names_it(
    client: Client, replica: Replica, store: Path
) -> None:
    lease = begun(client, 0.5)
    late = written(replica, lease)

    def vanish(_: object) -> None:
        raise Unavailable("the connection to the database was lost", retry_after=1)

    sa.event.listen(replica.engine, "commit", vanish)
    with pytest.raises(Unavailable):
        checkpoints.keep(replica, referred(lease), late)

    assert len(files(store)) == 1


def test_a_key_that_is_used_is_answered_before_a_file_is_made(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    keep_another(client, lease, replica)
    made: list[str] = []
    monkeypatch.setattr(Artifacts, "create", lambda _, path: made.append(path))

    for once, answer in ((ONCE, Replayed), (ANOTHER, IdempotencyMismatch)):
        with pytest.raises(answer):
            checkpoints.begin(replica, referred(lease), step=1, sha256="0" * 64, once=once)

    assert made == []


def test_a_checkpoint_sent_twice_is_refused_if_its_lease_ends_just_then(
    client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    put(client, lease, 1, CONTENT)
    at = stored.at

    def then_end(connection: sa.Connection, lease_id: int, step: int) -> StoredCheckpoint | None:
        found = at(connection, lease_id, step)
        end(client, lease, replica)
        return found

    monkeypatch.setattr(stored, "at", then_end)

    with pytest.raises(LeaseEnded):
        checkpoints.begin(replica, referred(lease), step=1, sha256=SHA256)


def test_no_folder_is_left_of_checkpoints_that_are_gone(client: Client, store: Path) -> None:
    lease = begun(client, 0.5, 0.5, 0.5)

    for step in (1, 2, 3):
        put(client, lease, step, b"%d" % step)

    assert [path for path in store.rglob("*") if path.is_dir()] == [store / "checkpoints"]


def test_a_file_that_is_gone_already_keeps_no_other_from_being_deleted(store: Path) -> None:
    artifacts = Artifacts(store.as_uri())
    artifacts.create("checkpoints/1-1").close()

    artifacts.delete_all(["checkpoints/2-2", "checkpoints/1-1"])

    assert artifacts.paths() == []
