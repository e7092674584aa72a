"""A loop that owns itself: it is given one trial of a study after another."""

import hashlib
import operator
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat, SupportsIndex

from trimtab.client import Client
from trimtab.own.held import HeldLease
from trimtab.own.offers import leases
from trimtab.own.outcomes import Pruned
from trimtab.requests import Figures
from trimtab.spec import StudySpec
from trimtab.states import Decision


def trials(study: str | StudySpec, *, client: Client | None = None) -> Iterator["LoopTrial"]:
    """Give trials of a study, one after another, until it has ended.

        for trial in trimtab.trials("digits"):
            with trial:
                for epoch in range(1, 31):
                    ...
                    trial.report(epoch, validation_error=error)

    The same loop on other machines works on the same trials.

    Args:
        study: Its name; or what it is, to be created where there is none of that name.
        client: To the service; None: the one that the settings name.

    Raises:
        StudyNotFound: There is no study of that name.
        StudyExists: There is another study of that name.
        RuntimeError: From the loop: a trial was passed over, without `with trial:`.
    """
    service = client or Client()
    found = service.create_study(study) if isinstance(study, StudySpec) else service.study(study)
    return _offered(service, found.name)


class LoopTrial:
    """A trial, to be trained in the block of `with trial:`, at whose end it is told how it went.

    Left at its end the block completes the trial with what was reported last, unless `complete` said more. Left by
    `Pruned`, which `report` raises, it ends the trial there, and the loop goes on. Left by any other exception the
    trial failed, or goes back to the queue where the program is interrupted, and the exception goes on.

    Args:
        held: Its lease.
    """

    def __init__(self, held: HeldLease) -> None:
        self._held = held
        self._step: int | None = None
        self._metrics: Figures = {}
        self._has_reported = False

    def __enter__(self) -> Self:
        if self._held.is_begun:
            raise RuntimeError(f"trial {self.number} was begun before: it has one block of `with trial:`")
        self._held.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        is_hidden = self._held.__exit__(kind, error, trace)
        if error is None and not self._held.is_told:
            self._held.complete(self._metrics, step=self._step)
        return is_hidden

    @property
    def number(self) -> int:
        """Which trial of the study it is, counted from 0."""
        return self._held.lease.trial

    @property
    def params(self) -> Mapping[str, Any]:
        """The point to train: numbers, texts, truth values, and a list where each layer has its own."""
        return self._held.lease.params

    @property
    def seed(self) -> int:
        """All the randomness of the training: the same for every attempt."""
        return self._held.lease.seed

    def report(self, step: SupportsIndex, /, **metrics: SupportsFloat | None) -> None:
        """Report the measurements at a step, counted from 1.

        Raises:
            Pruned: The trial is to end here.
            StepConflict: The step was reported with other metrics, or is behind one that was.
        """
        self._check_begun()
        verdict = self._held.report(step, metrics)
        self._step, self._metrics, self._has_reported = operator.index(step), metrics, True
        if verdict.verdict is Decision.STOP:
            raise Pruned(verdict.reason)

    def complete(self, **metrics: SupportsFloat | None) -> None:
        """Tell the final figures, where they are others than those that were reported last.

        Raises:
            Invalid: They lack a metric that the study needs.
        """
        self._check_begun()
        self._held.complete(metrics, step=self._step)

    def checkpoint(self, path: str | Path) -> None:
        """Send the state of the training after the step that was reported last: what another attempt goes on from.

        Raises:
            RuntimeError: Nothing was reported yet.
            BodyTooLarge: The file is over the service's limit.
            OSError: It cannot be read.
        """
        self._check_begun()
        step = self._step
        if step is None or not self._has_reported:
            raise RuntimeError(f"trial {self.number} has no step to go on from: report one before its checkpoint")
        with Path(path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._held.call(lambda client, lease: client.put_checkpoint(lease, Path(path), step=step, sha256=sha256))

    def resume(self, path: str | Path) -> int:
        """Fetch what an earlier attempt sent, into a file; return the step that it is from. 0: there is nothing.

        What was reported at that step is what the trial ends with, unless there is more to report.

        Raises:
            OSError: The file cannot be written.
        """
        self._check_begun()
        found = self._held.call(lambda client, lease: client.get_checkpoint(lease, Path(path)))
        if found is None:
            return 0
        self._step, self._metrics = found.step, self._measured(found.step)
        return found.step

    def _measured(self, step: int) -> Figures:
        """Return what was reported at a step, by the latest attempt that came to it."""
        past = self._held.call(lambda client, lease: client.trial(lease.study, lease.trial))
        return next((report.metrics for report in reversed(past.reports) if report.step == step), {})

    def _check_begun(self) -> None:
        if not self._held.is_begun:
            raise RuntimeError(f"trial {self.number} is not begun: train it in the block of `with trial:`")


def _offered(client: Client, study: str) -> Iterator[LoopTrial]:
    for lease in leases(client, study):
        held = HeldLease(client, lease)
        try:
            yield LoopTrial(held)
        finally:  # Whether the loop goes on or is left.
            if not held.is_begun:
                held.release()
        if not held.is_begun:
            raise RuntimeError(f"trial {lease.trial} was passed over: train each in the block of `with trial:`")
