"""Trials: read them, the best of them, give and stop them."""

from collections.abc import Iterator, Mapping

import httpx2

from trimtab import answers
from trimtab.client.calls import PAGE, Calls
from trimtab.given import GivenTrial
from trimtab.protocol import BestTrial, Page, Trial, TrialHistory
from trimtab.requests import Figures, Request, best_trial_request, finite, new_key, study_path
from trimtab.space import Parameter
from trimtab.states import TrialState
from trimtab.validation import built


class TrialCalls(Calls):
    """What there is to do with trials."""

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
        return list(self._items(Page[BestTrial], f"{study_path(name)}/best-trials", PAGE))

    def trials(self, name: str, state: TrialState | str | None = None) -> Iterator[Trial]:
        """Return the trials of a study by number; with `state` only those in it.

        Raises:
            StudyNotFound: There is no such study.
        """
        query = {} if state is None else {"state": str(state)}
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
        parameters: Mapping[str, Parameter] | None = None,
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
            parameters: Where params could lie that no trial of a study without a space has asked for yet.

        Raises:
            StudyNotFound: There is no such study.
        """
        points = tuple({"step": at, "metrics": finite(measured)} for at, measured in (curve or {}).items())
        fields = {"state": state, "metrics": finite(metrics or {}), "curve": points, "step": step}
        return self._give(name, {"params": dict(params), **fields, "parameters": dict(parameters or {})})

    def _give(self, name: str, fields: Mapping[str, object]) -> Trial:
        trial = built(GivenTrial, fields)
        # The default type of a parameter has to be said all the same: it tells the kinds apart.
        body = trial.model_dump_json(exclude_defaults=not trial.parameters)
        return self._call(Trial, Request("POST", f"{study_path(name)}/trials", body=body, key=new_key()))

    def stop_trial(self, name: str, number: int) -> Trial:
        """Stop a trial. Its worker hears so at its next call; one that waits for its next attempt is pruned at once.

        Raises:
            StudyNotFound: There is no such study.
            TrialNotFound: It has no trial of that number.
            TrialEnded: The trial has ended.
        """
        return self._call(Trial, Request("POST", f"{study_path(name)}/trials/{int(number)}/stop", key=new_key()))
