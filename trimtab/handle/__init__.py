"""A study as people have it in their hands: `trimtab.study("digits")`, and every verb on it."""

from collections.abc import Iterable, Mapping

from trimtab.client import Client
from trimtab.errors import Invalid
from trimtab.handle.course import CourseVerbs
from trimtab.handle.finals import FinalVerbs
from trimtab.handle.frames import FrameVerbs
from trimtab.handle.lessons import LessonVerbs
from trimtab.handle.state import StateVerbs
from trimtab.handle.trials import TrialVerbs
from trimtab.message import Message
from trimtab.nearness import did_you_mean
from trimtab.protocol import FieldProblem
from trimtab.spec import StudySpec
from trimtab.validation import built


class StudyHandle(StateVerbs, TrialVerbs, CourseVerbs, LessonVerbs, FinalVerbs, FrameVerbs):
    """A study of a service, and every verb on it. Nothing is kept: each answer is as things are when it is asked for.

    Each method raises `Unreachable` where nothing answers, `StudyNotFound` where the study was deleted, a `Refused`
    where the service says no, and what the method names.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def study(name: str, *, client: Client | None = None) -> StudyHandle:
    """Return a handle on a study that is there.

    Args:
        name: What it is called.
        client: Of its service; None: one of TRIMTAB_SERVER and TRIMTAB_TOKEN.

    Raises:
        StudyNotFound: There is no such study.
        Misconfigured: There is no token, or the server is no URL.
    """
    there = client or Client()
    return StudyHandle(there, there.study(name).name)


def create_study(
    name: str,
    *,
    task: str | Mapping[str, object] | Message | None = "mlp",
    data: str | None = None,
    trials: int | None = None,
    client: Client | None = None,
    **others: object,
) -> StudyHandle:
    """Create a study and return a handle on it. The same study again is the study as it is.

    Args:
        name: What to call it.
        task: How trials are trained: the name of a task, all of a `TaskSpec`, or None: anybody asks and tells.
        data: The data set, where the task is a name; None: digits.
        trials: How many; None: 100, or what `budget` says.
        client: Of the service; None: one of TRIMTAB_SERVER and TRIMTAB_TOKEN.
        others: What else a `StudySpec` has, as its class or as plain values; a sampler or pruner by its name will do.

    Raises:
        Invalid: That is no study; the errors say which field is at fault.
        StudyExists: The name is taken by a study of another spec.
    """
    _check_names(others)
    fields = {"name": name, "task": _task(task, data), **{key: _named(key, value) for key, value in others.items()}}
    if trials is not None:
        if "budget" in others:
            raise Invalid("give either trials or a budget, which has its own")
        fields["budget"] = {"trials": trials}
    spec = built(StudySpec, fields)
    there = client or Client()
    return StudyHandle(there, there.create_study(spec).name)


def _check_names(others: Iterable[str]) -> None:
    """Refuse what neither a spec nor `create_study` itself knows, with a name of either that is near."""
    known = {*StudySpec.model_fields, "data", "trials", "client"}
    unknown = [name for name in others if name not in known]
    if unknown:
        problems = [FieldProblem(field=name, message=f"is unknown{did_you_mean(name, known)}") for name in unknown]
        raise Invalid("not valid", errors=problems)


def _task(task: object, data: str | None) -> object:
    if data is None:
        return {"name": task} if isinstance(task, str) else task
    if isinstance(task, str):
        return {"name": task, "data": {"dataset": data}}
    raise Invalid("data goes with the name of a task; a TaskSpec has its own, and a study without a task has none")


def _named(key: str, value: object) -> object:
    return {"name": value} if key in {"sampler", "pruner"} and isinstance(value, str) else value
