"""The trials of a study: read them, the best of them, give and stop them."""

from collections.abc import Iterator, Mapping

from trimtab.handle.named import Named
from trimtab.handle.trial_list import TrialList
from trimtab.protocol import BestTrial, Trial, TrialHistory
from trimtab.requests import Figures
from trimtab.space import Parameter
from trimtab.states import TrialState
from trimtab.trial_logs import LogLine


class TrialVerbs(Named):
    """Read, give and stop the trials of a study."""

    def best_trial(self, *, wait: float = 0.0) -> BestTrial:
        """Return the best complete trial so far. Without one it is waited for, `wait` seconds at most.

        Raises:
            NoCompleteTrial: None is complete yet.
            NoFeasibleTrial: None that is complete keeps the constraints.
            SeveralObjectives: None of the study's objectives says alone which is best: see `best_trials`.
        """
        return self.client.best_trial(self.name, wait=wait)

    def best_trials(self) -> list[BestTrial]:
        """Return the trials that no other beats in every objective, by number; with one objective the best one."""
        return self.client.best_trials(self.name)

    def trials(self, state: TrialState | str | None = None) -> TrialList:
        """Return the trials by number; with `state` only those in it."""
        return TrialList(self.client.trials(self.name, state))

    def trial(self, number: int) -> TrialHistory:
        """Return a trial with every report and every attempt.

        Raises:
            TrialNotFound: There is none of that number.
        """
        return self.client.trial(self.name, number)

    def enqueue(self, params: Mapping[str, object]) -> Trial:
        """Give it a point to be trained: it is handed out before new ones, and counts for the budget.

        Args:
            params: Some of its parameters or all. Those left out are drawn by chance.

        Raises:
            Conflict: It has ended, or its budget has no room.
        """
        return self.client.enqueue(self.name, params)

    def add_trial(
        self,
        params: Mapping[str, object],
        state: str = "complete",
        *,
        metrics: Figures | None = None,
        curve: Mapping[int, Figures] | None = None,
        step: int | None = None,
        parameters: Mapping[str, Parameter] | None = None,
    ) -> Trial:
        """Give it a trial that was trained elsewhere; the budget does not count it. `Client.add_trial` says more."""
        return self.client.add_trial(
            self.name, params, state, metrics=metrics, curve=curve, step=step, parameters=parameters
        )

    def stop_trial(self, number: int) -> Trial:
        """Stop a trial. Its worker hears so at its next call; one that waits is pruned at once.

        Raises:
            TrialNotFound: There is none of that number.
            TrialEnded: It has ended.
        """
        return self.client.stop_trial(self.name, number)

    def logs(self, number: int, *, tail: int | None = None, attempt: int | None = None) -> list[LogLine]:
        """Return what the trainings of a trial wrote.

        Args:
            number: Of the trial.
            tail: So many lines at the end; None: all that are kept.
            attempt: Only of this one; None: of all.

        Raises:
            TrialNotFound: There is none of that number.
        """
        return list(self.client.logs(self.name, number, tail=tail, attempt=attempt))

    def follow_logs(self, number: int, *, tail: int | None = None, attempt: int | None = None) -> Iterator[LogLine]:
        """Yield what the trainings of a trial wrote and go on to write, until it has ended.

        Args:
            number: Of the trial.
            tail: Begin so many lines before the end; None: with the first.
            attempt: Only of this one; None: of all.

        Raises:
            TrialNotFound: There is none of that number.
        """
        return self.client.follow_logs(self.name, number, tail=tail, attempt=attempt)
