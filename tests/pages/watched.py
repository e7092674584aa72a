"""A study that runs as slowly as a test wants: nobody trains it but the test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.pages.guard import Guard
from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.protocol import Lease
from trimtab.spec import StudySpec

WATCHED = "watched"
METRIC = "validation_error"


@dataclass(frozen=True)
class Followed:
    """A study and who trains it."""

    client: Client
    name: str

    def ask(self) -> Lease:
        (lease,) = self.client.ask("of-the-test", study=self.name).leases
        return lease

    def report(self, lease: Lease, step: int, error: float) -> None:
        self.client.report(lease, step=step, metrics={METRIC: error, "training_error": error / 2})

    def complete(self, lease: Lease, error: float) -> None:
        self.client.tell(lease, "complete", metrics={METRIC: error, "training_error": error / 2})


@contextmanager
def follow(client: Client, name: str = WATCHED, *, guard: Guard | None = None, **changes: object) -> Iterator[Followed]:
    """Have a study until the end of the block, for the test to train.

    Args:
        client: Creates it.
        name: Of the study.
        guard: Of pages that may still look at it in the end.
        changes: Of its spec.
    """
    body = {
        "name": name,
        "task": None,
        "space": {"learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"}},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
        "budget": {"trials": 10},
    }
    client.create_study(StudySpec.model_validate_json(json.dumps(body | changes)))
    try:
        yield Followed(client, name)
    finally:
        if guard:
            guard.gone.add(name)
        with suppress(TrimtabError):
            client.delete_study(name)
