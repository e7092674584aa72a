"""Checkpoints: kept while a trial runs, given to its next attempt, and never a torn one."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.replica import Replica
from tests.service import record
from tests.service.checkpointing import begun, files, lost, put
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import StepConflict
from trimtab.protocol import Checkpoint


def curve(client: Client, engine: sa.Engine) -> object:
    """The curve of the one trial, as Optuna sees it."""
    return record.value(
        engine,
        "SELECT array_agg(ARRAY[step, intermediate_value] ORDER BY step) FROM trial_intermediate_values",
    )


def test_the_next_attempt_goes_on_from_the_newest_checkpoint(
    client: Client, replica: Replica, engine: sa.Engine, tmp_path: Path
) -> None:
    lease = begun(client, 0.5, 0.25, 0.75)
    put(client, lease, 1, b"one")
    sent = put(client, lease, 2, b"two")

    again = lost(client, replica)

    assert again.checkpoint == sent == Checkpoint(step=2, sha256=hashlib.sha256(b"two").hexdigest(), size=3)
    assert curve(client, engine) == [[1.0, 0.5], [2.0, 0.25]]
    assert client.get_checkpoint(again, tmp_path / "got") == sent
    assert (tmp_path / "got").read_bytes() == b"two"
    with pytest.raises(StepConflict):
        report(client, again, 2, 0.25)
    assert report(client, again, 3, 0.125).recorded


def test_a_trial_that_was_released_goes_on_too(client: Client) -> None:
    lease = begun(client, 0.5)
    sent = put(client, lease, 1)
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


def test_a_resumed_trial_is_judged_by_the_best_of_its_whole_curve(client: Client, replica: Replica) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5, 0.5, 0.5])
    lease = lease_of(client)
    report(client, lease, 1, 0.25)
    put(client, lease, 1)

    again = lost(client, replica)

    assert report(client, again, 2, 0.75).verdict == "continue"


def test_through_another_replica_the_curve_goes_on_where_it_was_cut(
    client: Client, replica: Replica, start_replica: Serve
) -> None:
    lease = begun(client, 0.5, 0.25)
    put(client, lease, 1)
    again = lost(client, replica)
    other = start_replica().client

    with pytest.raises(StepConflict):
        report(other, again, 1, 0.5)

    assert report(other, again, 2, 0.25).recorded


def test_two_checkpoints_of_a_trial_are_kept(client: Client, store: Path, engine: sa.Engine) -> None:
    lease = begun(client, 0.5, 0.5, 0.5)

    for step in (1, 2, 3):
        put(client, lease, step, b"%d" % step)

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
    store: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    lease = begun(client, 0.25, 0.5, 0.125)
    first = put(client, lease, 1, b"first")
    put(client, lease, 3, b"second")
    again = lost(client, replica)
    damage(files(store)[1])

    found = client.get_checkpoint(again, tmp_path / "got")

    assert found == first
    assert (tmp_path / "got").read_bytes() == b"first"
    assert curve(client, engine) == [[1.0, 0.25]]
    assert record.value(engine, "SELECT best FROM trimtab_leases WHERE ended_at IS NULL") == 0.25
    assert report(client, again, 2, 0.5).recorded


def test_where_no_checkpoint_is_whole_the_trial_starts_again(
    client: Client, replica: Replica, engine: sa.Engine, store: Path, tmp_path: Path
) -> None:
    lease = begun(client, 0.25, 0.5)
    put(client, lease, 1)
    put(client, lease, 2)
    again = lost(client, replica)
    for path in files(store):
        spoil(path)

    found = client.get_checkpoint(again, tmp_path / "got")

    assert found is None
    assert curve(client, engine) is None
    assert files(store) == []
    assert report(client, again, 1, 0.25).recorded
