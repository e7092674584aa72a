"""Checkpoints: kept while a trial runs, given to its next attempt, and never a torn one."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service.artifacts import Artifacts
from service.litter import ORPHAN_SECONDS, clear
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Serve, Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, Invalid, LeaseEnded, LeaseLost, Misconfigured, StepConflict, StudyDeleted
from trimtab.protocol import Checkpoint, Lease

Put = Callable[..., Checkpoint]


@pytest.fixture
def store(served: Served, tmp_path: Path) -> Path:
    """The folder that the replica keeps its files in."""
    object.__setattr__(served.replica, "artifacts", Artifacts(tmp_path.joinpath("store").as_uri()))
    return tmp_path / "store"


@pytest.fixture
def put(client: Client, store: Path, tmp_path: Path) -> Put:
    """Send a checkpoint."""

    def send(lease: Lease, step: int, content: bytes = b"state", sha256: str | None = None) -> Checkpoint:
        path = tmp_path / "sent"
        path.write_bytes(content)
        return client.put_checkpoint(lease, path, step=step, sha256=sha256 or hashlib.sha256(content).hexdigest())

    return send


def begun(client: Client, *errors: float, **changes: Any) -> Lease:
    """A trial that has reported so much."""
    client.create_study(spec(**changes))
    lease = lease_of(client)
    for step, error in enumerate(errors, start=1):
        report(client, lease, step, error)
    return lease


def files(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*") if path.is_file())


def lost(client: Client, replica: Replica) -> Lease:
    """Let all leases run out; return the next attempt's."""
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    return lease_of(client)


def curve(client: Client, engine: sa.Engine) -> object:
    """The curve of the one trial, as Optuna sees it."""
    return record.value(
        engine,
        "SELECT array_agg(ARRAY[step, intermediate_value] ORDER BY step) FROM trial_intermediate_values",
    )


def test_the_next_attempt_goes_on_from_the_newest_checkpoint(
    client: Client, replica: Replica, engine: sa.Engine, put: Put, tmp_path: Path
) -> None:
    lease = begun(client, 0.5, 0.25, 0.75)
    put(lease, 1, b"one")
    sent = put(lease, 2, b"two")

    again = lost(client, replica)

    assert again.checkpoint == sent == Checkpoint(step=2, sha256=hashlib.sha256(b"two").hexdigest(), size=3)
    assert curve(client, engine) == [[1.0, 0.5], [2.0, 0.25]]
    assert client.get_checkpoint(again, tmp_path / "got") == sent
    assert (tmp_path / "got").read_bytes() == b"two"
    with pytest.raises(StepConflict):
        report(client, again, 2, 0.25)
    assert report(client, again, 3, 0.125).recorded


def test_a_trial_that_was_released_goes_on_too(client: Client, put: Put) -> None:
    lease = begun(client, 0.5)
    sent = put(lease, 1)
    client.tell(lease, "released")

    again = lease_of(client)

    assert (again.checkpoint, again.attempt) == (sent, 1)


def test_without_a_checkpoint_it_starts_again(
    client: Client, replica: Replica, engine: sa.Engine, tmp_path: Path
) -> None:
    begun(client, 0.5, 0.25)

    again = lost(client, replica)

    assert again.checkpoint is None
    assert curve(client, engine) is None
    assert client.get_checkpoint(again, tmp_path / "got") is None
    assert not (tmp_path / "got").exists()


def test_a_resumed_trial_is_judged_by_the_best_of_its_whole_curve(client: Client, replica: Replica, put: Put) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5, 0.5, 0.5])
    lease = lease_of(client)
    report(client, lease, 1, 0.25)
    put(lease, 1)

    again = lost(client, replica)

    assert report(client, again, 2, 0.75).verdict == "continue"


def test_through_another_replica_the_curve_goes_on_where_it_was_cut(
    client: Client, replica: Replica, put: Put, start_replica: Serve
) -> None:
    lease = begun(client, 0.5, 0.25)
    put(lease, 1)
    again = lost(client, replica)
    other = start_replica().client

    with pytest.raises(StepConflict):
        report(other, again, 1, 0.5)

    assert report(other, again, 2, 0.25).recorded


def test_two_checkpoints_of_a_trial_are_kept(client: Client, put: Put, store: Path, engine: sa.Engine) -> None:
    lease = begun(client, 0.5, 0.5, 0.5)

    for step in (1, 2, 3):
        put(lease, step, b"%d" % step)

    assert record.value(engine, "SELECT array_agg(step ORDER BY step) FROM trimtab_checkpoints") == [2, 3]
    assert [path.read_bytes() for path in files(store)] == [b"2", b"3"]


def spoil(path: Path) -> None:
    path.write_bytes(b"x" + path.read_bytes()[1:])


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [spoil, shorten, Path.unlink])
def test_a_checkpoint_that_is_not_what_was_written_gives_way_to_the_one_before(
    client: Client,
    replica: Replica,
    engine: sa.Engine,
    put: Put,
    store: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    lease = begun(client, 0.25, 0.5, 0.125)
    first = put(lease, 1, b"first")
    put(lease, 3, b"second")
    again = lost(client, replica)
    damage(files(store)[1])

    found = client.get_checkpoint(again, tmp_path / "got")

    assert found == first
    assert (tmp_path / "got").read_bytes() == b"first"
    assert curve(client, engine) == [[1.0, 0.25]]
    assert record.value(engine, "SELECT best FROM trimtab_leases WHERE ended_at IS NULL") == 0.25
    assert report(client, again, 2, 0.5).recorded


def test_where_no_checkpoint_is_whole_the_trial_starts_again(
    client: Client, replica: Replica, engine: sa.Engine, put: Put, store: Path, tmp_path: Path
) -> None:
    lease = begun(client, 0.25, 0.5)
    put(lease, 1)
    put(lease, 2)
    again = lost(client, replica)
    for path in files(store):
        spoil(path)

    found = client.get_checkpoint(again, tmp_path / "got")

    assert found is None
    assert curve(client, engine) is None
    assert files(store) == []
    assert report(client, again, 1, 0.25).recorded


def test_a_checkpoint_sent_twice_is_kept_once(client: Client, put: Put, store: Path, engine: sa.Engine) -> None:
    lease = begun(client, 0.5)
    first = put(lease, 1)
    before = record.rows(engine)

    again = put(lease, 1)

    assert again == first
    assert record.rows(engine) == before
    assert len(files(store)) == 1


def test_a_checkpoint_renews_the_lease(client: Client, put: Put, engine: sa.Engine) -> None:
    lease = begun(client, 0.5)
    record.execute(engine, "UPDATE trimtab_leases SET expires_at = clock_timestamp() + interval '5 s'")

    put(lease, 1)

    left = record.value(engine, "SELECT extract(epoch FROM expires_at - clock_timestamp()) > 20 FROM trimtab_leases")
    assert left is True


def test_a_checkpoint_that_is_not_the_one_announced_is_refused(client: Client, put: Put, store: Path) -> None:
    lease = begun(client, 0.5)

    for content, sha256 in ((b"state", "0" * 64), (b"", hashlib.sha256(b"").hexdigest())):
        with pytest.raises(Invalid, match="sha256"):
            put(lease, 1, content, sha256)

    assert files(store) == []


@pytest.mark.parametrize("step", [2, 7])
def test_a_checkpoint_of_a_step_that_was_not_reported_is_refused(
    client: Client, put: Put, store: Path, step: int
) -> None:
    lease = begun(client, 0.5)

    with pytest.raises(StepConflict):
        put(lease, step)

    assert files(store) == []


def test_a_checkpoint_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    served: Served, client: Client, put: Put, store: Path
) -> None:
    object.__setattr__(served.replica, "max_checkpoint_bytes", 10)
    lease = begun(client, 0.5)
    address = f"/v1/leases/{lease.id}/checkpoint?step=1&sha256={'0' * 64}"

    with pytest.raises(BodyTooLarge):
        put(lease, 1, b"x" * 11)
    unsaid = served.http.put(address, content=iter([b"x" * 6] * 2), headers={"Trimtab-Fence": str(lease.fence)})

    assert (unsaid.status_code, unsaid.json()["code"]) == (413, "body_too_large")
    assert files(store) == []


def test_a_checkpoint_over_the_limit_of_other_bodies_is_taken(client: Client, put: Put, store: Path) -> None:
    lease = begun(client, 0.5)

    sent = put(lease, 1, b"x" * 3_000_000)

    assert sent.size == 3_000_000
    assert [path.stat().st_size for path in files(store)] == [3_000_000]


def test_a_zombie_writes_no_checkpoint_and_reads_none(
    client: Client, replica: Replica, put: Put, store: Path, tmp_path: Path
) -> None:
    lease = begun(client, 0.5)
    put(lease, 1)
    lost(client, replica)

    with pytest.raises(LeaseLost):
        put(lease, 1, b"other")
    with pytest.raises(LeaseLost):
        client.get_checkpoint(lease, tmp_path / "got")

    assert len(files(store)) == 1


def test_an_ended_trial_takes_no_checkpoint(client: Client, put: Put) -> None:
    lease = begun(client, 0.5)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    with pytest.raises(LeaseEnded):
        put(lease, 1)


def test_a_checkpoint_of_a_deleted_study_is_refused(client: Client, put: Put) -> None:
    lease = begun(client, 0.5)
    client.delete_study("study")

    with pytest.raises(StudyDeleted):
        put(lease, 1)


def test_a_checkpoint_with_a_key_is_kept_once_and_answered_alike(
    http: httpx2.Client, client: Client, store: Path
) -> None:
    lease = begun(client, 0.5)
    address = f"/v1/leases/{lease.id}/checkpoint?step=1&sha256={hashlib.sha256(b'state').hexdigest()}"
    headers = {"Trimtab-Fence": str(lease.fence), "Idempotency-Key": "k"}

    answers = [http.put(address, content=b"state", headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert len(files(store)) == 1


def test_of_finished_trials_only_the_best_keeps_its_checkpoints(
    client: Client, replica: Replica, put: Put, store: Path
) -> None:
    client.create_study(spec())
    for number, error in enumerate((0.5, 0.25, 0.75)):
        lease = lease_of(client)
        report(client, lease, 1, error)
        put(lease, 1, b"%d" % number)
        client.tell(lease, "complete", metrics={METRIC: error})
    running = lease_of(client)
    report(client, running, 1, 0.5)
    put(running, 1, b"running")

    clear(replica)

    assert {path.read_bytes() for path in files(store)} == {b"1", b"running"}


def test_files_that_nothing_names_go_after_a_day(
    client: Client, replica: Replica, put: Put, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    put(lease, 1, b"named")
    orphan = store / "checkpoints/9/9/9" / files(store)[0].name
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"orphan")
    foreign = store / "README"
    foreign.write_bytes(b"not ours")
    clear(replica)
    young = orphan.exists()

    old = orphan.with_name(f"{int(orphan.name.partition('-')[0]) - int(ORPHAN_SECONDS) - 1}-x")
    orphan.rename(old)
    clear(replica)

    assert young
    assert {path.read_bytes() for path in files(store)} == {b"named", b"not ours"}


def test_what_cannot_be_a_store_is_said_at_the_start() -> None:
    for url in ("nosuch://bucket", "s3://bucket"):
        with pytest.raises(Misconfigured, match="TRIMTAB_ARTIFACTS"):
            Artifacts(url)
