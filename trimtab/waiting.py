"""Who is missing where a study runs and nobody trains it, and what to do."""

import time
from collections.abc import Callable

from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.installation import command_for, left, missing_task
from trimtab.protocol import Study
from trimtab.states import StudyState

PATIENCE_SECONDS = 3.0
"""Without a running trial, until it is asked who could train one; a worker that is there asks within a second."""


class Idle:
    """Finds out who is missing where a study runs and none of its trials does.

    Args:
        client: Of its service.
        clock: In seconds.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asks_at = clock() + PATIENCE_SECONDS
        self._waits: str | None = None

    def waits(self, study: Study) -> str | None:
        """Return what a study waits for; it is asked only now and then."""
        now = self._clock()
        if study.counts.running or study.state is not StudyState.RUNNING:
            self._asks_at, self._waits = now + PATIENCE_SECONDS, None
        elif now >= self._asks_at:
            self._asks_at, self._waits = now + PATIENCE_SECONDS, nobody(self._client, study)
        return self._waits


def missing_worker(client: Client, study: Study) -> str | None:
    """Return what to do where no worker that is alive can train a study; None: one can, or that is not to be seen."""
    try:
        task = missing_task(study, client.workers())
    except TrimtabError:
        return None
    return None if task is None else f"no worker that is alive has the task {task}: {command_for(task)}"


def nobody(client: Client, study: Study) -> str | None:
    """Return the same of a study that runs already: one without a task has somebody who asks, had, or is to have."""
    if study.spec.task is not None:
        return missing_worker(client, study)
    try:
        found = left(study, client.workers())
    except TrimtabError:
        return None
    return f"{found.text}: {found.remedy}" if found else None
