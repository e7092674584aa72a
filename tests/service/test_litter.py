"""Files that nobody needs any more go, and no others."""

from pathlib import Path

import pytest

from service.litter import ORPHAN_SECONDS, forget
from service.replica import Replica
from tests.service.checkpointing import begun, files, put
from tests.service.runs import lease_of, report
from tests.service.specs import METRIC, spec
from trimtab.client import Client


def test_of_finished_trials_only_the_best_keeps_its_checkpoints(client: Client, replica: Replica, store: Path) -> None:
    client.create_study(spec())
    for number, error in enumerate((0.5, 0.25, 0.75)):
        lease = lease_of(client)
        report(client, lease, 1, error)
        put(client, lease, 1, b"%d" % number)
        client.tell(lease, "complete", metrics={METRIC: error})
    running = lease_of(client)
    report(client, running, 1, 0.5)
    put(client, running, 1, b"running")

    forget(replica)

    assert {path.read_bytes() for path in files(store)} == {b"1", b"running"}


def test_files_that_nothing_names_go_after_a_day(
    client: Client, replica: Replica, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    put(client, lease, 1, b"named")
    (named,) = files(store)
    orphan = named.with_name(f"{named.name}9")
    orphan.write_bytes(b"orphan")
    foreign = store / "README"
    foreign.write_bytes(b"not ours")
    forget(replica)
    young = orphan.exists()

    old = orphan.with_name(f"{int(orphan.name.partition('-')[0]) - int(ORPHAN_SECONDS) - 1}-x")
    orphan.rename(old)
    forget(replica)

    assert young
    assert {path.read_bytes() for path in files(store)} == {b"named", b"not ours"}
