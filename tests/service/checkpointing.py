"""Trials with checkpoints, and the files that a replica keeps."""

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Checkpoint, Lease


def begun(client: Client, *errors: float, **changes: Any) -> Lease:
    """A trial that has reported so much."""
    client.create_study(spec(**changes))
    lease = lease_of(client)
    for step, error in enumerate(errors, start=1):
        report(client, lease, step, error)
    return lease


def put(client: Client, lease: Lease, step: int, content: bytes = b"state", sha256: str | None = None) -> Checkpoint:
    """Send a checkpoint."""
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        announced = sha256 or hashlib.sha256(content).hexdigest()
        return client.put_checkpoint(lease, Path(file.name), step=step, sha256=announced)


def files(store: Path) -> list[Path]:
    """Return the files of checkpoints, by their steps."""
    # Their names end with the step.
    return sorted(filter(Path.is_file, store.rglob("*")), key=lambda path: path.name.rpartition("-")[2])


def lost(client: Client, replica: Replica) -> Lease:
    """Let all leases run out; return the next attempt's."""
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    return lease_of(client)
