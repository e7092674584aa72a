"""What runs in a slot: `python -m workers.child FD DEVICE SLOT FOLDER TASK...` trains what it is ordered to.

That is one trial after the other, of built-in tasks and of those of the user's own that are named, which it imports.
It talks to its worker alone, over the pipe, and knows neither the service nor a token. It ends with the pipe and takes
the folder of its checkpoints along: a worker that is killed leaves nothing behind.
"""

import faulthandler
import io
import logging
import math
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

import torch

from trimtab import logs
from trimtab.errors import Misconfigured
from trimtab.message import Message, Metrics
from trimtab.states import Outcome
from workers import devices, memory
from workers.messages import Begun, Ended, Measured, Order, Ready, Saved, Unfit, Unsaved, WrittenModel, clipped
from workers.reporting import Dropped, Inbox, Reporting, Say
from workers.soundness import Soundness
from workers.tasks import BUILDS, begin, own
from workers.tasks.export import export
from workers.training import checkpoints
from workers.training.determinism import be_deterministic
from workers.training.errors import CheckpointUnusable, Diverged
from workers.training.final import Final
from workers.training.steps import Epoch, Steps

_log = logging.getLogger(__name__)

THREADS = 1
"""Of torch, in each slot. Figures depend on it in their last digits, so it is the same everywhere; networks that are
small enough for a CPU train fastest so, and slots use the other cores."""

_OUTDATED = "; the code was changed since this trial's process had imported it, the next trial imports it anew"

Begin = Callable[..., Steps]
"""`workers.tasks.begin` with all that is the same for each order."""


def main() -> None:
    """Serve the worker at the other end of the pipe until it closes it."""
    # Whoever stops the worker may signal all its processes. How a trial ends is the worker's decision.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    faulthandler.enable()  # A fault of a library says where it was, too.
    _write_line_by_line()
    descriptor, wanted, slot, folder, *own_tasks = sys.argv[1:]
    os.set_inheritable(int(descriptor), False)
    logs.configure({}, slot=slot)  # Lines for people, whatever the worker's are: they are the trial's.
    pipe = Connection(int(descriptor))
    inbox = _received(pipe, Path(folder))

    def say(message: Message) -> None:
        pipe.send_bytes(message.model_dump_json().encode())

    try:
        device = _usable_device(wanted, slot=int(slot))
        allowed = {name: own.load(name) for name in own_tasks}
    except Misconfigured as error:
        say(Unfit(message=str(error)))
        return
    torch.set_num_threads(THREADS)
    memory_now = partial(memory.of, device)
    say(Ready(tasks=(*BUILDS, *allowed), device=_described(device), device_memory=memory_now()))
    begin_here = partial(begin, device=device, allowed=allowed)
    sources = own.Sources.of(allowed)
    while True:
        order, sound = Order.model_validate_json(inbox.get()), Soundness.of(device)
        ended = serve(order, begin_here, say=say, inbox=inbox)
        ended = ended.model_copy(update={"device_memory": memory_now(), "is_spent": is_spent_by(ended.outcome, sound)})
        say(outdated(ended) if ended.outcome is Outcome.ERROR and sources.are_changed else ended)


def serve(order: Order, begin_here: Begin, *, say: Say, inbox: Inbox) -> Ended:
    """Train as ordered; say what each epoch led to, return how it ended. What goes wrong is returned, not raised."""
    say(Begun())
    reporting = Reporting(say, inbox)
    split = None
    try:
        training = _training(order, begin_here)
        split = training.split
        ended = _trained(order, training, reporting, say)
    except Dropped:
        ended = Ended(outcome=Outcome.RELEASED)
    except Exception as error:  # noqa: BLE001  # whatever a trial raises is its outcome and no more
        ended = ended_by(error, task=order.task.name)
        with suppress(Dropped):
            reporting.settle()  # So that what is heard next is the next order.
    _write_out()
    return ended.model_copy(update={"split": split})


def _trained(order: Order, training: Steps, reporting: Reporting, say: Say) -> Ended:
    for epoch in training.epochs(reporting.heed):
        save_to = reporting.report(_measured(epoch, training.split))
        if save_to and not training.is_over:
            say(_saved(training, Path(save_to), step=epoch.step, belongs_to=order.identity))
    reporting.settle()
    return _complete(order, training)


def _complete(order: Order, training: Steps) -> Ended:
    """Return what a training came to; a final model is written to its file."""
    ended = _ended(Outcome.COMPLETE, training.result)
    if order.model is None or not isinstance(training, Final):
        return ended
    path = Path(order.model.path)
    written = export(training, order.task, study=order.model.study, trial=order.model.trial, path=path)
    return ended.model_copy(update={"model": WrittenModel(path=str(path), sha256=written.sha256)})


def ended_by(error: Exception, *, task: str) -> Ended:
    """Return what an error of the training means for its trial; one in a user's code says where."""
    if isinstance(error, Diverged):
        finite = {name: figure for name, figure in error.metrics.items() if math.isfinite(figure)}
        return _ended(Outcome.DIVERGED, Epoch(error.step, finite), message=clipped(str(error)))
    _log.error("the training failed", exc_info=error)
    place = own.place(error, task)
    said = clipped(f"{type(error).__name__}: {error}" + (f" ({place})" if place else ""))
    return Ended(outcome=Outcome.OUT_OF_MEMORY if _is_out_of_memory(error) else Outcome.ERROR, message=said)


def is_spent_by(outcome: Outcome, before: Soundness) -> bool:
    """Return whether no other training is to be trusted to this process after one that ended so."""
    if outcome is Outcome.ERROR:
        return not before.is_kept
    # Where memory ran out, what is left of it may be in pieces.
    return outcome is Outcome.OUT_OF_MEMORY or not before.has_same_settings


def outdated(ended: Ended) -> Ended:
    """Return an end that came of code that is no longer what the files say: the next process imports them anew."""
    return ended.model_copy(update={"message": clipped(f"{ended.message}{_OUTDATED}"), "is_spent": True})


def _ended(outcome: Outcome, result: Epoch, *, message: str | None = None) -> Ended:
    return Ended(outcome=outcome, step=result.step, metrics=_as_json(result.metrics), message=message)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU's allocator and some of CUDA's libraries have no class for it.
    said = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)


def _training(order: Order, begin_here: Begin) -> Steps:
    """Return the training where its checkpoint left it, or at its beginning."""
    training = _begun(order, begin_here)
    if order.checkpoint is None:
        return training
    try:
        file = Path(order.checkpoint.path)
        training.restore(checkpoints.read(file, sha256=order.checkpoint.sha256, belongs_to=order.identity))
    except CheckpointUnusable as error:
        _log.warning("training from the first epoch on: %s", error)
        return _begun(order, begin_here)
    return training


def _begun(order: Order, begin_here: Begin) -> Steps:
    files = {name: Path(path) for name, path in order.files.items()}
    return begin_here(
        order.task,
        order.params,
        seed=order.seed,
        purpose=order.purpose,
        files=files,
        is_checked_first=order.is_checked_first,
    )


def _saved(training: Steps, path: Path, *, step: int, belongs_to: str) -> Saved | Unsaved:
    try:
        written = checkpoints.write(training.state(), path, belongs_to=belongs_to)
    except OSError as error:
        return Unsaved(message=clipped(str(error)))
    return Saved(path=str(path), step=step, sha256=written.sha256, size=written.size)


def _measured(epoch: Epoch, split: str | None) -> Measured:
    return Measured(step=epoch.step, metrics=_as_json(epoch.metrics), split=split)


def _as_json(metrics: Mapping[str, float]) -> Metrics:
    """Return metrics as JSON can have them: null for what is not finite."""
    return {name: figure if math.isfinite(figure) else None for name, figure in metrics.items()}


def _write_line_by_line() -> None:
    """Let each line out at once: what a process wrote before it was killed says most of all why."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def _write_out() -> None:
    """Let out what was written so far. Whatever a training made of its streams is its own."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _received(pipe: Connection, folder: Path) -> Inbox:
    """Return a queue of what comes through the pipe. When it is closed this process ends, in an epoch or not.

    It is closed by the death of the worker alone, which kills a child that it has done with: so the folder is nobody's.
    """
    inbox: Inbox = SimpleQueue()

    def receive() -> None:
        try:
            while True:
                inbox.put(pipe.recv_bytes())
        except (EOFError, OSError):
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)

    threading.Thread(target=receive, name="pipe", daemon=True).start()
    return inbox


def _usable_device(wanted: str, *, slot: int) -> torch.device:
    """Return the device of this slot, after a step of training on it: torch imports a part of itself at the first one.

    Raises:
        Misconfigured: It is not there, or does not work.
    """
    device = torch.device(devices.device_of(wanted, slot=slot, cuda_devices=torch.cuda.device_count()))
    be_deterministic(device)
    try:
        weight = torch.ones(1, device=device, requires_grad=True)
        weight.sum().backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD([weight], lr=0.1).step()
        weight.item()
    except RuntimeError as error:
        raise Misconfigured(f"{device} does not work: {str(error).partition(chr(10))[0]}") from error
    return device


def _described(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


if __name__ == "__main__":
    main()
