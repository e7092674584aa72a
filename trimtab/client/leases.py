"""The worker's verbs: ask, report, tell, and checkpoints."""

import operator
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import SupportsIndex

from trimtab import answers
from trimtab.client.calls import PAGE, Calls
from trimtab.errors import CheckpointNotFound, Damaged, LeaseEnded, LeaseLost, Refused, StudyDeleted, from_problem
from trimtab.protocol import (
    Ask,
    Checkpoint,
    DeviceMemory,
    Lease,
    LeaseReport,
    LeaseReports,
    Leases,
    Page,
    Problem,
    Report,
    Tell,
    Told,
    Verdict,
    Verdicts,
    Worker,
)
from trimtab.requests import REPLAYED, Figures, Request, checkpoint_path, fence_of, finite, new_key, on_lease, whole
from trimtab.states import ALIKE, NoLease, Outcome, Purpose
from trimtab.validation import built

DOWNLOADS = 3
"""Of a file that arrives damaged."""


class LeaseCalls(Calls):
    """What a worker has to say."""

    def workers(self) -> Iterator[Worker]:
        """Return the workers that have asked for trials."""
        return self._items(Page[Worker], "/v1/workers", PAGE)

    def ask(  # noqa: PLR0913  # a keyword for each field of the request
        self,
        worker: str,
        *,
        tasks: Iterable[str] = (),
        study: str | None = None,
        count: int = 1,
        wait: float = 0.0,
        host: str | None = None,
        device: str | None = None,
        device_memory: DeviceMemory | None = None,
        purposes: Iterable[Purpose] = ALIKE,
        key: str | None = None,
    ) -> Leases:
        """Ask for trials. The same key again gives the same leases, but those that were lost meanwhile.

        Args:
            worker: Who asks.
            tasks: The tasks that it can train. Empty: only studies without a task, unless `study` is named.
            study: Only trials of this study.
            count: How many leases at most.
            wait: Seconds to wait for a trial where there is none now.
            host: The machine that the worker runs on, for people.
            device: What it trains on, for people.
            device_memory: Of that device, as far as it is known.
            purposes: Only trials of these, unless `study` is named.
            key: Names this ask; None: a new one.

        Raises:
            StudyNotFound: There is no study of the name given.
        """
        wanted = built(
            Ask,
            {
                "worker": worker,
                "tasks": tuple(tasks),
                "study": study,
                "count": count,
                "wait": float(wait),
                "host": host,
                "device": device,
                "device_memory": device_memory,
                "purposes": tuple(purposes),
            },
        )
        request = Request("POST", "/v1/leases", body=wanted.model_dump_json(), wait=wait, key=key or new_key())
        response = self._connection.send(request).response
        found = answers.parsed(response, Leases)
        return self._renewed(found) if REPLAYED in response.headers else found

    def report(self, lease: Lease, *, step: SupportsIndex, metrics: Figures) -> Verdict:
        """Report the measurements at a step, renew the lease and hear whether to go on. Twice is the same as once.

        Raises:
            LeaseLost: The lease ran out, or the trial was given to another worker.
            LeaseEnded: It was told before.
            StepConflict: The step was reported with other metrics, or is behind one that was.
            StudyDeleted: The study is gone.
        """
        report = built(Report, {"step": whole(step), "metrics": finite(metrics)})
        return self._call(Verdict, on_lease(lease, "POST", "reports", report))

    def report_many(self, reports: Iterable[LeaseReport]) -> list[Verdict | Refused]:
        """Report on many leases in one request; return a verdict or a refusal for each, in their order."""
        body = built(LeaseReports, {"reports": tuple(reports)}).model_dump_json()
        found = self._call(Verdicts, Request("POST", "/v1/reports", body=body)).results
        return [from_problem(result) if isinstance(result, Problem) else result for result in found]

    def heartbeat(self, lease: Lease) -> Verdict:
        """Renew the lease between reports and hear whether to go on.

        Raises:
            LeaseLost: The lease ran out, or the trial was given to another worker.
            LeaseEnded: It was told before.
            StudyDeleted: The study is gone.
        """
        return self._call(Verdict, on_lease(lease, "POST", "heartbeat"))

    def tell(
        self,
        lease: Lease,
        outcome: Outcome | str,
        *,
        metrics: Figures | None = None,
        step: SupportsIndex | None = None,
        message: str | None = None,
        split: str | None = None,
    ) -> Told:
        """Tell how the lease ended; return what became of the trial. Twice is the same as once.

        Args:
            lease: The lease.
            outcome: What happened. `complete` needs the metric of each objective.
            metrics: The final figures: those of the weights that were kept.
            step: The step that they belong to; None: the last one reported.
            message: What went wrong, for people.
            split: SHA-256 of who trained, who validated and who is kept for the test; None: that is not known.

        Raises:
            LeaseLost: The lease ran out, or the trial was given to another worker.
            LeaseEnded: It was told otherwise before.
            StudyDeleted: The study is gone.
        """
        figures = finite(metrics or {})
        fields = {"outcome": outcome, "metrics": figures, "step": whole(step), "message": message, "split": split}
        return self._call(Told, on_lease(lease, "PUT", "result", built(Tell, fields)))

    def put_checkpoint(self, lease: Lease, path: Path, *, step: SupportsIndex, sha256: str) -> Checkpoint:
        """Send the state of the training after a step, for the next attempt, and renew the lease. Twice is as once.

        Args:
            lease: The lease.
            path: The file.
            step: A step that was reported.
            sha256: Of the file, in hexadecimal.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
            StepConflict: The step was not reported on this lease.
            BodyTooLarge: The file is over the service's limit.
            Invalid: The file is not the one of that SHA-256.
            OSError: It cannot be read.
        """
        query: dict[str, str | int] = {"step": operator.index(step), "sha256": sha256}
        request = Request("PUT", checkpoint_path(lease), query=query, headers=fence_of(lease), file=path)
        return self._call(Checkpoint, request)

    def get_checkpoint(self, lease: Lease, path: Path) -> Checkpoint | None:
        """Fetch what the attempt goes on from: the newest checkpoint of the trial that is whole.

        Args:
            lease: The lease.
            path: Where to; the file is there when it is whole.

        Returns:
            Which one it is; None: there is none, and the attempt starts at the beginning.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
            Damaged: What came is not what was written, each time.
            OSError: The file cannot be written.
        """
        request = Request("GET", checkpoint_path(lease), headers=fence_of(lease))
        for _ in range(DOWNLOADS):
            response = self._connection.download(request, path)
            try:
                answers.check(response)
            except CheckpointNotFound:
                return None
            if found := answers.checkpoint(response, path):
                return found
        raise Damaged("the checkpoint arrived damaged, each time")

    def _renewed(self, found: Leases) -> Leases:
        """Return those leases of an old answer that are still alive; from now on they live as long as new ones."""
        alive = [lease for lease in found.leases if self._is_renewed(lease)]
        return Leases(leases=alive, reason=None if alive else NoLease.NOTHING_NOW)

    def _is_renewed(self, lease: Lease) -> bool:
        try:
            self.heartbeat(lease)
        except (LeaseLost, LeaseEnded, StudyDeleted):
            return False
        return True
