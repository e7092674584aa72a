"""The final model of a study: confirm, make, read, fetch; and, for workers, send."""

import hashlib
from pathlib import Path

from trimtab import answers
from trimtab.client.calls import Calls
from trimtab.client.leases import DOWNLOADS
from trimtab.errors import Damaged
from trimtab.finals import Confirm, Confirmation, FinalModel, FinalRequest, ModelFile
from trimtab.protocol import Lease
from trimtab.requests import Request, fence_of, new_key, study_path
from trimtab.validation import built


class FinalCalls(Calls):
    """What there is to do at the end of a search."""

    def confirm(self, name: str, *, top: int = 3, repeats: int = 5) -> Confirmation:
        """Have the best trials of a study trained again, with fresh seeds on the same split.

        Args:
            name: The study.
            top: How many of its trials.
            repeats: Trainings of each.

        Raises:
            StudyNotFound: There is no such study.
            NoCompleteTrial: It has no complete trial that keeps its constraints.
            SeveralObjectives: None of its objectives says alone which trial is best.
            ConfirmationRunning: Another confirmation of it has not ended.
            Conflict: It has no task, or is none that searches.
        """
        body = built(Confirm, {"top": top, "repeats": repeats}).model_dump_json()
        return self._call(Confirmation, Request("POST", f"{study_path(name)}/confirmation", body=body, key=new_key()))

    def confirmation(self, name: str) -> Confirmation:
        """Return the newest confirmation of a study.

        Raises:
            StudyNotFound: There is no such study.
            NotFound: It has none.
        """
        return self._call(Confirmation, Request("GET", f"{study_path(name)}/confirmation"))

    def make_final(self, name: str, *, confirm: Confirm | None = None, override: str | None = None) -> FinalModel:
        """Have the final model of a study trained on training and validation data, and its test set read, once.

        Args:
            name: The study.
            confirm: What comes before it, and says which trial is best.
            override: Why the test set is to be read again; it is recorded.

        Raises:
            StudyNotFound, NoCompleteTrial, SeveralObjectives, ConfirmationRunning, Conflict: As `confirm`.
            TestSetRead: The test set was read before, and there is no override.
        """
        fields = {"confirm": confirm, "override": override is not None, "reason": override}
        body = built(FinalRequest, fields).model_dump_json()
        return self._call(FinalModel, Request("POST", f"{study_path(name)}/final", body=body, key=new_key()))

    def final(self, name: str) -> FinalModel:
        """Return the final model of a study, as far as it is.

        Raises:
            StudyNotFound: There is no such study.
            FinalNotFound: None was asked for.
        """
        return self._call(FinalModel, Request("GET", f"{study_path(name)}/final"))

    def fetch_model(self, name: str, path: Path) -> ModelFile:
        """Fetch the final model of a study, for `trimtab.load_model`.

        Args:
            name: The study.
            path: Where to; the file is there when it is whole.

        Raises:
            StudyNotFound: There is no such study.
            ModelNotFound: It has no final model, or not yet.
            Damaged: What came is not what was written, each time.
            OSError: The file cannot be written.
        """
        request = Request("GET", f"{study_path(name)}/final/model")
        for _ in range(DOWNLOADS):
            part = path.with_name(f"{path.name}.{new_key()}")
            try:
                response = self._connection.download(request, part)
                answers.check(response)
                found = _described(part)
                if response.headers.get("ETag") == f'"{found.sha256}"':
                    part.replace(path)
                    return found
            finally:
                part.unlink(missing_ok=True)
        raise Damaged("the model arrived damaged, each time")

    def put_model(self, lease: Lease, path: Path, *, sha256: str) -> ModelFile:
        """Send the file of a final model, and renew the lease. Twice is as once.

        Args:
            lease: Of the trial that made it.
            path: The file.
            sha256: Of the file, in hexadecimal.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
            Conflict: The study of the lease is not for a final model.
            BodyTooLarge: The file is over the service's limit.
            Invalid: The file is not the one of that SHA-256.
            OSError: It cannot be read.
        """
        address = f"/v1/leases/{lease.id}/model"
        request = Request("PUT", address, query={"sha256": sha256}, headers=fence_of(lease), file=path)
        return self._call(ModelFile, request)


def _described(path: Path) -> ModelFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelFile(sha256=sha256, size=path.stat().st_size)
