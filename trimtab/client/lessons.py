"""What a study has taught: importances, rounds, replays."""

from trimtab.client.calls import Calls
from trimtab.learned import ImportanceMethod, Importances, Progress
from trimtab.protocol import Page, Round
from trimtab.replay import Replay
from trimtab.requests import Request, study_path


class LessonCalls(Calls):
    """What there is to learn from a study."""

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

    def progress(self, name: str) -> Progress:
        """Return how a study went on: the best so far by trial and by seconds, and its sampler's gain over chance.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Progress, Request("GET", f"{study_path(name)}/progress"))

    def rounds(self, name: str) -> list[Round]:
        """Return the rounds that have begun of a study that goes from coarse to fine; none where there are no rounds.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Page[Round], Request("GET", f"{study_path(name)}/rounds")).items
