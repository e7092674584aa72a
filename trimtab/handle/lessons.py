"""What a study has taught: the doctor's words, importances, rounds, replays."""

from collections.abc import Mapping, Sequence
from typing import Self

from trimtab.checks import Check
from trimtab.diagnosis import Diagnosis
from trimtab.handle.named import Named
from trimtab.learned import ImportanceMethod, Importances, Progress
from trimtab.message import Value
from trimtab.protocol import Round
from trimtab.replay import Replay


class LessonVerbs(Named):
    """Ask what a study has taught, and make the next one of it."""

    def diagnosis(self, trial: int | None = None) -> Diagnosis:
        """Return what ails it, or one of its trials, and which edits to the spec would help.

        Args:
            trial: Its number; None: the best one, with what all the others add.

        Raises:
            NoCompleteTrial, NoFeasibleTrial: None is best yet.
            SeveralObjectives: None of its objectives says alone which trial is best: name one.
        """
        return self.client.diagnosis(self.name, trial)

    def prescribe(self, *, called: str | None = None, edits: Sequence[str] | None = None) -> Self:
        """Create the next study, with the doctor's edits; return a handle on that.

        Args:
            called: The name of the new one; None: this one's with the next number.
            edits: The paths of those that are wanted; None: all.

        Raises:
            NothingToPrescribe: The doctor proposes no edits.
            StudyExists: The wanted name is taken.
            Invalid: The doctor proposes no such edit.
        """
        created = self.client.prescribe(self.name, called=called, edits=edits)
        return type(self)(self.client, created.name, sleep=self._sleep)

    def check_gradients(self, params: Mapping[str, Value] | None = None) -> Check:
        """Have the gradients of its task checked by a worker that has the task.

        Raises:
            Conflict: It has no task, or follows another study itself.
        """
        return self.client.check_gradients(self.name, params)

    def checks(self, limit: int | None = None) -> list[Check]:
        """Return its gradient checks, the newest first; at most `limit`."""
        return list(self.client.checks(self.name, limit))

    def importances(
        self, method: ImportanceMethod | str = ImportanceMethod.PED_ANOVA, *, metric: str | None = None
    ) -> Importances:
        """Return how much each parameter mattered, as far as the complete trials tell.

        Raises:
            Invalid: It has no such objective, or the service lacks what the method needs.
        """
        return self.client.importances(self.name, method, metric=metric)

    def progress(self) -> Progress:
        """Return how it went on: the best so far by trial and by seconds, and its sampler's gain over chance."""
        return self.client.progress(self.name)

    def rounds(self) -> list[Round]:
        """Return the rounds that have begun, where it goes from coarse to fine."""
        return self.client.rounds(self.name)

    def replay(self) -> Replay:
        """Return what each pruner would have stopped, what it would have saved and lost."""
        return self.client.replay(self.name)
