"""The client: each verb of the service as a method, each answer as the protocol's class, each refusal raised."""

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

import httpx2

from trimtab import answers, settings
from trimtab.connection import Connection
from trimtab.errors import (
    CheckpointNotFound,
    LeaseEnded,
    LeaseLost,
    NotFound,
    Refused,
    StudyDeleted,
    StudyNotFound,
    TokenNotFound,
    Unreachable,
    from_problem,
)
from trimtab.given import GivenTrial
from trimtab.learned import ImportanceMethod, Importances
from trimtab.message import Message
from trimtab.protocol import (
    Ask,
    BestTrial,
    Checkpoint,
    Lease,
    LeaseReport,
    LeaseReports,
    Leases,
    MadeToken,
    NewToken,
    Page,
    Problem,
    Report,
    Round,
    Study,
    StudyChange,
    Tell,
    Token,
    Told,
    Trial,
    TrialHistory,
    Verdict,
    Verdicts,
    Worker,
)
from trimtab.replay import Replay
from trimtab.requests import (
    REPLAYED,
    Figures,
    Request,
    best_trial_request,
    checkpoint_path,
    fence_of,
    finite,
    new_key,
    on_lease,
    study_path,
)
from trimtab.states import NoLease, Outcome, StudyState, TokenKind, TrialState
from trimtab.study import StudySpec
from trimtab.validation import built

PAGE = 100
"""Items of a list that are read at once."""

DOWNLOADS = 3
"""Of a file that arrives damaged."""

Answer = TypeVar("Answer", bound=Message)
Item = TypeVar("Item", bound=Message)


class Client:
    """A service and the right to call it. May be shared by threads.

    Requests are sent again where the service is away for a moment: each is the same twice as once.

    Args:
        server: URL of the service; None: TRIMTAB_SERVER.
        token: None: TRIMTAB_TOKEN, TRIMTAB_TOKEN_FILE or TRIMTAB_DATA_DIR/token.
        timeout: Seconds until a request that makes no headway is given up. A long poll has its wait on top.
        transport: What carries requests; None: the network.
        sleep: Waits between tries, in seconds.
        chance: Draws from [0, 1); spreads the tries.

    Raises:
        Misconfigured: There is no token, or the server is no URL.

    Each method raises `Unreachable` where nothing answers, or nothing of ours, and a `Refused` where the service
    says no: `Unauthorized`, `Invalid` and `Unavailable` everywhere, and what the method names.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 10.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connection = Connection(
            settings.server(os.environ) if server is None else server,
            settings.token(os.environ) if token is None else token,
            timeout=timeout,
            transport=transport,
            sleep=sleep,
            chance=chance,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the network."""
        self._connection.close()

    # -- studies ----------------------------------------------------------------------------------------

    def create_study(self, spec: StudySpec) -> Study:
        """Create a study. The same name and spec again: the study as it is.

        Raises:
            StudyExists: The name is taken by a study of another spec.
        """
        return self._call(Study, Request("POST", "/v1/studies", body=spec.model_dump_json(), key=new_key()))

    def study(self, name: str) -> Study:
        """Return a study as it is.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Study, Request("GET", study_path(name)))

    def studies(self, limit: int | None = None) -> Iterator[Study]:
        """Return the studies, the newest first; at most `limit`."""
        return islice(self._items(Page[Study], "/v1/studies", limit or PAGE), limit)

    def change_study(
        self,
        name: str,
        *,
        state: StudyState | str | None = None,
        budget: int | Mapping[str, float | None] | None = None,
        limits: Mapping[str, float | None] | None = None,
    ) -> Study:
        """Change a study; what is not given stays as it is. Twice is the same as once.

        Args:
            name: The study.
            state: `paused`, `running` or `stopped`.
            budget: Trials in all, or some of the limits by name; None takes one away. More reopens a complete study.
            limits: `trial_seconds`, `step_seconds` or both; None takes a limit away.

        Raises:
            StudyNotFound: There is no such study.
            Conflict: The study cannot be brought from its state into the other.
        """
        limited = {"trials": budget} if isinstance(budget, int) else budget
        change = built(StudyChange, {"state": state, "budget": limited, "limits": limits})
        body = change.model_dump_json(exclude_unset=True)
        return self._call(Study, Request("PATCH", study_path(name), body=body))

    def delete_study(self, name: str) -> None:
        """Delete a study with all its trials. Workers on it learn at their next call.

        Raises:
            StudyNotFound: There is no such study.
        """
        self._delete(study_path(name), StudyNotFound)

    # -- trials -----------------------------------------------------------------------------------------

    def best_trial(self, name: str, *, wait: float = 0.0) -> BestTrial:
        """Return the best complete trial of a study so far. Without one it is waited for, `wait` seconds at most.

        Raises:
            StudyNotFound: There is no such study.
            NoCompleteTrial: None is complete yet.
            NoFeasibleTrial: None that is complete keeps the constraints.
            SeveralObjectives: None of the study's objectives says alone which is best.
        """
        return self._call(BestTrial, best_trial_request(name, etag=None, wait=wait))

    def better_trial(self, name: str, etag: str | None = None, *, wait: float = 0.0) -> tuple[BestTrial, str] | None:
        """Return the best trial and its ETag as soon as that is not `etag` any more; None: it still is.

        Args:
            name: The study.
            etag: What the last call returned; None: whatever is best now will do.
            wait: Seconds to wait for a better trial, or for the end of the study.

        Raises:
            StudyNotFound, NoCompleteTrial, NoFeasibleTrial, SeveralObjectives: As for the best trial.
        """
        response = self._connection.send(best_trial_request(name, etag=etag, wait=wait)).response
        if response.status_code == httpx2.codes.NOT_MODIFIED:
            return None
        return answers.parsed(response, BestTrial), response.headers.get("ETag", "")

    def best_trials(self, name: str) -> list[BestTrial]:
        """Return the trials that no other beats in every objective, by number; with one objective the best one.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Page[BestTrial], Request("GET", f"{study_path(name)}/best-trials")).items

    def replay(self, name: str) -> Replay:
        """Return what each pruner would have stopped of a study, what it would have saved and lost.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Replay, Request("GET", f"{study_path(name)}/replay"))

    def importances(
        self, name: str, method: ImportanceMethod | str = ImportanceMethod.PED_ANOVA, *, metric: str | None = None
    ) -> Importances:
        """Return how much each parameter of a study mattered, as far as its complete trials tell.

        Args:
            name: The study.
            method: `ped_anova` or `fanova`.
            metric: The objective; None: the first.

        Raises:
            StudyNotFound: There is no such study.
            Invalid: It has no such objective, or the service lacks what the method needs.
        """
        query = {"method": str(method)} | ({} if metric is None else {"metric": metric})
        return self._call(Importances, Request("GET", f"{study_path(name)}/importances", query=query))

    def rounds(self, name: str) -> list[Round]:
        """Return the rounds that have begun of a study that goes from coarse to fine; none where there are no rounds.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Page[Round], Request("GET", f"{study_path(name)}/rounds")).items

    def trials(self, name: str, state: TrialState | None = None) -> Iterator[Trial]:
        """Return the trials of a study by number; with `state` only those in it.

        Raises:
            StudyNotFound: There is no such study.
        """
        query = {"state": state.value} if state else {}
        return self._items(Page[Trial], f"{study_path(name)}/trials", PAGE, query)

    def trial(self, name: str, number: int) -> TrialHistory:
        """Return a trial with every report and every attempt.

        Raises:
            StudyNotFound: There is no such study.
            TrialNotFound: It has no trial of that number.
        """
        return self._call(TrialHistory, Request("GET", f"{study_path(name)}/trials/{int(number)}"))

    def enqueue(self, name: str, params: Mapping[str, object]) -> Trial:
        """Give a study a point to be trained: it is handed out before new ones, and counts for the budget.

        Args:
            name: The study.
            params: Some of its parameters or all. Those left out are drawn by chance.

        Raises:
            StudyNotFound: There is no such study.
            Conflict: It has ended, or its budget has no room.
        """
        return self._give(name, {"params": dict(params)})

    def add_trial(
        self,
        name: str,
        params: Mapping[str, object],
        state: str = "complete",
        *,
        metrics: Figures | None = None,
        curve: Mapping[int, Figures] | None = None,
        step: int | None = None,
    ) -> Trial:
        """Give a study a trial that was trained elsewhere: it teaches sampler and pruner, and may be the best.

        The budget does not count it.

        Args:
            name: The study.
            params: All that exist at this point.
            state: How it ended: `complete`, `pruned` or `fail`.
            metrics: The final figures. `complete` needs each metric that is optimised or bound.
            curve: What was measured at each step, each with the metric that stops trials.
            step: The step that the final figures belong to; None: the last one of the curve.

        Raises:
            StudyNotFound: There is no such study.
        """
        points = tuple({"step": at, "metrics": finite(measured)} for at, measured in (curve or {}).items())
        fields = {"state": state, "metrics": finite(metrics or {}), "curve": points, "step": step}
        return self._give(name, {"params": dict(params), **fields})

    def _give(self, name: str, fields: Mapping[str, object]) -> Trial:
        body = built(GivenTrial, fields).model_dump_json(exclude_defaults=True)
        return self._call(Trial, Request("POST", f"{study_path(name)}/trials", body=body, key=new_key()))

    def stop_trial(self, name: str, number: int) -> Trial:
        """Stop a trial. Its worker hears so at its next call; one that waits for its next attempt is pruned at once.

        Raises:
            StudyNotFound: There is no such study.
            TrialNotFound: It has no trial of that number.
            TrialEnded: The trial has ended.
        """
        return self._call(Trial, Request("POST", f"{study_path(name)}/trials/{int(number)}/stop", key=new_key()))

    # -- tokens -----------------------------------------------------------------------------------------

    def make_token(self, kind: TokenKind | str, name: str) -> MadeToken:
        """Make a token. It is in the answer, and nowhere else.

        Args:
            kind: What its holder may do.
            name: For people.

        Raises:
            Forbidden: The token of this client is no administrator's.
            TokenAlreadyShown: It was made, and the answer was lost. Revoke it and make another.
        """
        body = built(NewToken, {"kind": kind, "name": name}).model_dump_json()
        return self._call(MadeToken, Request("POST", "/v1/tokens", body=body, key=new_key()))

    def tokens(self) -> Iterator[Token]:
        """Return the tokens, the oldest first, revoked ones among them.

        Raises:
            Forbidden: The token of this client is no administrator's.
        """
        return self._items(Page[Token], "/v1/tokens", PAGE)

    def revoke_token(self, token_id: str) -> None:
        """Revoke a token. When this returns no replica takes it any more. Twice is the same as once.

        Raises:
            Forbidden: The token of this client is no administrator's.
            TokenNotFound: There is none of that id.
        """
        self._delete(f"/v1/tokens/{int(token_id)}", TokenNotFound)

    # -- workers ----------------------------------------------------------------------------------------

    def workers(self) -> Iterator[Worker]:
        """Return the workers that have asked for trials."""
        return self._items(Page[Worker], "/v1/workers", PAGE)

    def ask(
        self,
        worker: str,
        *,
        tasks: Iterable[str] = (),
        study: str | None = None,
        count: int = 1,
        wait: float = 0.0,
        host: str | None = None,
        device: str | None = None,
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
            },
        )
        request = Request("POST", "/v1/leases", body=wanted.model_dump_json(), wait=wait, key=key or new_key())
        response = self._connection.send(request).response
        found = answers.parsed(response, Leases)
        return self._renewed(found) if REPLAYED in response.headers else found

    def report(self, lease: Lease, *, step: int, metrics: Figures) -> Verdict:
        """Report the measurements at a step, renew the lease and hear whether to go on. Twice is the same as once.

        Raises:
            LeaseLost: The lease ran out, or the trial was given to another worker.
            LeaseEnded: It was told before.
            StepConflict: The step was reported with other metrics, or is behind one that was.
            StudyDeleted: The study is gone.
        """
        report = built(Report, {"step": step, "metrics": finite(metrics)})
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
        step: int | None = None,
        message: str | None = None,
    ) -> Told:
        """Tell how the lease ended; return what became of the trial. Twice is the same as once.

        Args:
            lease: The lease.
            outcome: What happened. `complete` needs the metric of each objective.
            metrics: The final figures: those of the weights that were kept.
            step: The step that they belong to; None: the last one reported.
            message: What went wrong, for people.

        Raises:
            LeaseLost: The lease ran out, or the trial was given to another worker.
            LeaseEnded: It was told otherwise before.
            StudyDeleted: The study is gone.
        """
        fields = {"outcome": outcome, "metrics": finite(metrics or {}), "step": step, "message": message}
        return self._call(Told, on_lease(lease, "PUT", "result", built(Tell, fields)))

    def put_checkpoint(self, lease: Lease, path: Path, *, step: int, sha256: str) -> Checkpoint:
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
        query: dict[str, str | int] = {"step": step, "sha256": sha256}
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
            Unreachable: What came is not what was written, each time.
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
        raise Unreachable("the checkpoint arrived damaged, each time")

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

    # -- how --------------------------------------------------------------------------------------------

    def _call(self, answer: type[Answer], request: Request) -> Answer:
        return answers.parsed(self._connection.send(request).response, answer)

    def _delete(self, path: str, absent: type[NotFound]) -> None:
        reply = self._connection.send(Request("DELETE", path))
        try:
            answers.check(reply.response)
        except absent:
            # Not there at a second try: the answer to the first one was lost.
            if reply.tries == 1:
                raise

    def _items(
        self, page: type[Page[Item]], path: str, size: int, query: Mapping[str, str] | None = None
    ) -> Iterator[Item]:
        """Return what a list holds. The first page is read at once, so that the caller sees a refusal."""
        asked: dict[str, str | int] = {**(query or {}), "limit": min(size, PAGE)}
        first = self._call(page, Request("GET", path, query=asked))
        return self._from(first, path, asked)

    def _from(self, page: Page[Item], path: str, asked: Mapping[str, str | int]) -> Iterator[Item]:
        yield from page.items
        while page.next is not None:
            page = self._call(type(page), Request("GET", path, query={**asked, "cursor": page.next}))
            yield from page.items
