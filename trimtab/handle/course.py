"""A study as it goes on: followed, waited for, shown."""

from collections.abc import Iterator

from rich.console import Console

from trimtab import notebooks
from trimtab.errors import NoCompleteTrial, NoFeasibleTrial, SeveralObjectives, TrimtabError
from trimtab.events import Event
from trimtab.handle.following import outlasting
from trimtab.handle.named import Named
from trimtab.html_view import study_html
from trimtab.markup import paragraph
from trimtab.protocol import BestTrial
from trimtab.waiting import Idle
from trimtab.watching import Progress, show


class CourseVerbs(Named):
    """Follow a study."""

    def watch(self) -> Iterator[Progress]:
        """Yield how far the study is, each second, until it has ended. A service that is away is waited for.

        Raises:
            StudyNotFound: It was deleted.
        """
        return outlasting(self.client, self.name, sleep=self._sleep)

    def events(self, last: int | None = None) -> Iterator[Event]:
        """Yield what happens in the study, as it happens, until it has ended or is deleted.

        Args:
            last: `last` of an event that was heard before: the trials that have ended since come first.

        Raises:
            Unreachable: There was no service for a minute.
            Unavailable: There was one, but its database was away.
        """
        return self.client.events(self.name, last)

    def wait(self, *, display: bool = True) -> Progress:
        """Wait until the study has ended, and show how it goes: in a notebook's cell, as a bar, or line by line.

        Args:
            display: Whether to show anything.

        Raises:
            StudyNotFound: It was deleted.
        """
        if not display:
            *_, last = self.watch()
            return last
        if notebooks.is_here():
            return notebooks.show(self.watch())
        return show(self.watch(), Console(highlight=False, markup=False, emoji=False), Idle(self.client))

    def _repr_html_(self) -> str:
        try:
            return study_html(self.client.study(self.name), self._best())
        except TrimtabError as error:
            return paragraph(str(error), title=self.name)

    def _best(self) -> BestTrial | None:
        try:
            return self.client.best_trial(self.name)
        except (NoCompleteTrial, NoFeasibleTrial, SeveralObjectives):
            return None
