"""The doctor: what ails a study, and the study that is prescribed."""

from collections.abc import Sequence

from trimtab.client.calls import Calls
from trimtab.diagnosis import Diagnosis, Prescription
from trimtab.protocol import Study
from trimtab.requests import Request, new_key, study_path
from trimtab.validation import built


class DoctorCalls(Calls):
    """What there is to ask the doctor."""

    def diagnosis(self, name: str, trial: int | None = None) -> Diagnosis:
        """Return what ails a study, or one of its trials, and which edits to the spec would help.

        Args:
            name: The study.
            trial: Its number; None: the best one, with what all the others add.

        Raises:
            StudyNotFound, TrialNotFound: There is no such study or trial.
            NoCompleteTrial, NoFeasibleTrial: Of the study none is best yet.
            SeveralObjectives: None of its objectives says alone which trial is best: name one.
        """
        path = study_path(name) if trial is None else f"{study_path(name)}/trials/{trial}"
        return self._call(Diagnosis, Request("GET", f"{path}/diagnosis"))

    def prescribe(self, name: str, *, called: str | None = None, edits: Sequence[str] | None = None) -> Study:
        """Create the next study: with the doctor's edits to the spec of this one, and its trials where they fit.

        Args:
            name: The study.
            called: The name of the new one; None: this one's with the next number.
            edits: The paths of those that are wanted; None: all.

        Raises:
            StudyNotFound: There is no such study.
            NothingToPrescribe: The doctor proposes no edits.
            NoCompleteTrial, NoFeasibleTrial, SeveralObjectives: As for a diagnosis.
            StudyExists: The wanted name is taken.
            Invalid: The doctor proposes no such edit.
        """
        wanted = built(Prescription, {"name": called, "edits": None if edits is None else tuple(edits)})
        body = wanted.model_dump_json()
        return self._call(Study, Request("POST", f"{study_path(name)}/prescriptions", body=body, key=new_key()))
