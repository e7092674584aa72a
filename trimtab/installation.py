"""Whether all that a study needs is in place: what is found of an installation, judged, with what to do."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from trimtab.message import Lax, Message
from trimtab.protocol import Study, Version, Worker
from trimtab.states import StudyState, TokenKind
from trimtab.tasks import TASKS

CLOCK_SECONDS = 5.0
"""By which clocks may differ: the service's is read to the second, and no two are quite alike."""

_NAMED = 3
"""Studies that wait for the same: who looks needs one of them, and that there are others."""


class Standing(StrEnum):
    """How well something is.

    ok      as it should be
    look    works, or may be meant so
    wrong   nothing will come of a study before it is mended
    """

    OK = "ok"
    LOOK = "look"
    WRONG = "wrong"


class Left(NamedTuple):
    """What is said of a study without a task that nobody asks for: whoever trains it is no worker that could be named.

    Args:
        text: What is missing.
        remedy: What to do.
    """

    text: str
    remedy: str


UNASKED = Left("no task, and no code of yours has asked for its trials yet", "start that code: docs/how-to/own-code.md")
ALONE = Left("nobody asks for its trials", "start the script again")


class Inspected(Message):
    """One thing that was looked at.

    Args:
        what: It is.
        standing: How well it is.
        text: What was found.
        remedy: What to do; None: nothing.
    """

    what: str
    standing: Annotated[Standing, Lax]
    text: str
    remedy: str | None = None


def ok(what: str, text: str) -> Inspected:
    """Return that something is as it should be."""
    return Inspected(what=what, standing=Standing.OK, text=text)


def look(what: str, text: str, remedy: str) -> Inspected:
    """Return that somebody should have a look at something."""
    return Inspected(what=what, standing=Standing.LOOK, text=text, remedy=remedy)


def wrong(what: str, text: str, remedy: str) -> Inspected:
    """Return that something has to be mended."""
    return Inspected(what=what, standing=Standing.WRONG, text=text, remedy=remedy)


def of_token(token: str, source: str) -> Inspected:
    """Judge a token that the service takes.

    Args:
        token: All but the operator's own say their kind: ttk_worker_…
        source: Where it is from.
    """
    prefix, _, rest = token.partition("_")
    kind = rest.partition("_")[0]
    known = prefix == "ttk" and kind in set(TokenKind)
    return ok("token", f"of kind {kind if known else TokenKind.ADMIN}, from {source}")


def of_versions(here: str, there: Version) -> Iterator[Inspected]:
    """Judge the release of this client, and what serves. Where their protocols differ, the service says so itself."""
    serving = f"service {there.service}, protocol {there.protocol}, client {here}"
    if there.service != here:
        yield look("versions", serving, f"they understand each other; to have the same: trimtab {there.service}")
    else:
        yield ok("versions", serving)
    schemas = f"schema {there.schema_version}, Optuna's {there.optuna_schema}"
    yield ok("database", f"PostgreSQL {there.postgresql}, {schemas}")


def of_clock(ahead: float) -> Inspected:
    """Judge the clock here.

    Args:
        ahead: Of the service's, in seconds.
    """
    if abs(ahead) <= CLOCK_SECONDS:
        return ok("clock", "as the service's")
    return look(
        "clock",
        f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's: times shown are off by that",
        "set both by NTP; no lease depends on it",
    )


def of_training(studies: Iterable[Study], workers: Sequence[Worker]) -> Iterator[Inspected]:
    """Judge who trains, and what waits for them: that nobody is there is said once."""
    alive = [worker for worker in workers if worker.is_alive]
    waiting = list(of_studies(studies, workers))
    if not alive and not any(each.standing is Standing.WRONG for each in waiting):
        yield look("workers", "none is alive", "nothing is trained before one is: python -m workers")
    for worker in alive:
        tasks = ", ".join(worker.tasks) or "none: it serves studies without a task, or one that it names"
        yield ok("worker", f"{worker.name} on {worker.device or 'a device that it does not say'}; tasks: {tasks}")
    yield from waiting


def of_studies(studies: Iterable[Study], workers: Sequence[Worker]) -> Iterator[Inspected]:
    """Judge the studies that wait for somebody to train them: those that wait for the same in one line."""
    running = [study for study in studies if study.state is StudyState.RUNNING]
    missing = [(missing_task(study, workers), study.name) for study in running]
    for task in dict.fromkeys(task for task, _ in missing if task):
        names = [name for lacks, name in missing if lacks == task]
        yield wrong("study", f"{_wait(names)}: no worker that is alive has the task {task}", command_for(task))
    alone = [(left(study, workers), study.name) for study in running]
    for said in (UNASKED, ALONE):
        if names := [name for found, name in alone if found == said]:
            yield look("study", f"{_wait(names)}: {said.text}", said.remedy)


def _wait(names: Sequence[str]) -> str:
    """Return who waits; of many the first ones."""
    if len(names) == 1:
        return f"{names[0]} waits"
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{others} wait"


def missing_task(study: Study, workers: Iterable[Worker]) -> str | None:
    """Return the task of a study if no worker that is alive has it; None: one has it, or it is none."""
    task = study.spec.task.name if study.spec.task else None
    alive = (worker for worker in workers if worker.is_alive)
    return None if task is None or any(task in worker.tasks for worker in alive) else task


def left(study: Study, workers: Iterable[Worker]) -> Left | None:
    """Return what to say of a study without a task that nobody asks for, as far as that is to be seen; None: not so."""
    askers = (worker for worker in workers if worker.is_alive and not worker.tasks)
    if study.spec.task is not None or study.counts.running or any(askers):
        return None
    return UNASKED if study.used.seconds is None else ALONE


def command_for(task: str) -> str:
    """Return the command that starts a worker with a task."""
    return "python -m workers" if task in TASKS else f"python -m workers --allow {task}"
