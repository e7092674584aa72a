"""The end of a search: confirm the best trials, train one of them for good, fetch the model."""

from pathlib import Path

from trimtab.finals import Confirm, Confirmation, FinalModel, ModelFile
from trimtab.handle.named import Named


class FinalVerbs(Named):
    """Confirm, make and fetch the final model of a study."""

    def confirm(self, *, top: int = 3, repeats: int = 5) -> Confirmation:
        """Have the best trials trained again, with fresh seeds on the same split.

        Args:
            top: How many of them.
            repeats: Trainings of each.

        Raises:
            NoCompleteTrial, SeveralObjectives: None is best.
            ConfirmationRunning: Another confirmation has not ended.
            Conflict: It has no task, or is none that searches.
        """
        return self.client.confirm(self.name, top=top, repeats=repeats)

    def confirmation(self) -> Confirmation:
        """Return the newest confirmation.

        Raises:
            NotFound: There is none.
        """
        return self.client.confirmation(self.name)

    def make_final(self, *, confirm: Confirm | None = None, override: str | None = None) -> FinalModel:
        """Have the final model trained on training and validation data, and the test set read, once.

        Args:
            confirm: What comes before it, and says which trial is best.
            override: Why the test set is to be read again; it is recorded.

        Raises:
            NoCompleteTrial, SeveralObjectives, ConfirmationRunning, Conflict: As `confirm`.
            TestSetRead: The test set was read before, and there is no override.
        """
        return self.client.make_final(self.name, confirm=confirm, override=override)

    def final(self) -> FinalModel:
        """Return the final model, as far as it is.

        Raises:
            FinalNotFound: None was asked for.
        """
        return self.client.final(self.name)

    def fetch_model(self, path: str | Path) -> ModelFile:
        """Write the file of the final model, for `trimtab.load_model`.

        Raises:
            ModelNotFound: There is none, or not yet.
            OSError: The file cannot be written.
        """
        return self.client.fetch_model(self.name, Path(path))
