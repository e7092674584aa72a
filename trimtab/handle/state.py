"""How a study is, and how it is to be. Each answer is as things are when it is asked for."""

from collections.abc import Mapping, Sequence

from trimtab.handle.named import Named
from trimtab.protocol import Counts, Study
from trimtab.spec import StudySpec
from trimtab.states import StudyState


class StateVerbs(Named):
    """Read, pause, resume, stop, change and delete a study."""

    def read(self) -> Study:
        """Return all that there is to say about the study now."""
        return self.client.study(self.name)

    @property
    def spec(self) -> StudySpec:
        """What the study was asked to be, with every default filled in; its budget and limits as they are now."""
        return self.read().spec

    @property
    def state(self) -> StudyState:
        """Where it is in its life."""
        return self.read().state

    @property
    def counts(self) -> Counts:
        """Its trials by state."""
        return self.read().counts

    def pause(self) -> Study:
        """Hand out no trials until it is resumed; those that run go on to their end.

        Raises:
            Conflict: It has ended.
        """
        return self.client.change_study(self.name, state=StudyState.PAUSED)

    def resume(self) -> Study:
        """Hand out trials again.

        Raises:
            Conflict: It is complete: give it a larger budget, or bounds with other points where every one was tried.
        """
        return self.client.change_study(self.name, state=StudyState.RUNNING)

    def stop(self) -> Study:
        """End it here; trials that run go on to their end.

        Raises:
            Conflict: It is complete.
        """
        return self.client.change_study(self.name, state=StudyState.STOPPED)

    def change(
        self,
        *,
        budget: int | Mapping[str, float | None] | None = None,
        limits: Mapping[str, float | None] | None = None,
        space: Mapping[str, Mapping[str, float]] | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
    ) -> Study:
        """Change it; what is not given stays as it is.

        Args:
            budget: Trials in all, or some of the limits by name; None takes one away. More reopens a complete study.
            limits: `trial_seconds`, `step_seconds` or both; None takes a limit away.
            space: `low`, `high` or both, by parameter.
            tags: Those that it has from now on.
            priority: Trials of studies of a higher one are handed out first.

        Raises:
            Invalid: What is given does not go with the study.
        """
        return self.client.change_study(
            self.name, budget=budget, limits=limits, space=space, tags=tags, priority=priority
        )

    def delete(self) -> None:
        """Delete it with all its trials. Workers on it learn at their next call."""
        self.client.delete_study(self.name)
