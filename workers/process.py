"""The child process of a slot, as its worker sees it."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Self

from trimtab.errors import Misconfigured
from trimtab.message import Message
from trimtab.protocol import DeviceMemory
from workers.messages import Answer, Begun, Ended, FromChild, FromTraining, Measured, Order, Ready, Unfit, from_child
from workers.output import Output

_GRACE_SECONDS = 5.0
"""Between the end of a pipe and the end of its process; it is next to nothing."""

_MAX_BYTES = 2**20
"""Of a message; the longest that a child of ours sends is a hundredth of it."""

_DROP_SECONDS = 2.0
"""For a trial to be dropped, between two batches; a new child takes as long to start."""

_OUT_OF_TURN = "the training process said what it should not"


class ChildDied(Exception):
    """The child process is gone, or of no use any more. The message says how it went."""


class ChildProcess:
    """A process that trains, one trial at a time.

    Args:
        device: `auto`, `cpu` or a CUDA device.
        slot: Which slot it runs in, counted from 0.
        folder: Holds its checkpoints. The child removes it when it finds that its worker was killed.
        environment: The worker's own; of Trimtab's settings the child gets none, so no token either.
        allowed: Tasks of the user's own that it imports.
    """

    def __init__(
        self, device: str, *, slot: int, folder: Path, environment: Mapping[str, str], allowed: Sequence[str] = ()
    ) -> None:
        self._pipe, others = Pipe()
        with others:
            told = (others.fileno(), device, slot, folder, *allowed)
            self._process = subprocess.Popen(  # noqa: S603  # this very interpreter, no shell
                [sys.executable, "-m", "workers.child", *map(str, told)],
                pass_fds=[others.fileno()],
                env={name: value for name, value in environment.items() if not name.startswith("TRIMTAB_")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C in a terminal is for the worker.
            )
        assert self._process.stdout is not None, "it is a pipe"
        self._output = Output(self._process.stdout)
        self._is_idle = False
        self._is_asking = False
        self._has_begun = False
        self._device_memory: DeviceMemory | None = None

    @property
    def device_memory(self) -> DeviceMemory | None:
        """Memory of its device as it was when it last became idle; None: the device has none of its own."""
        return self._device_memory

    @property
    def output(self) -> Output:
        """What it writes."""
        return self._output

    @property
    def has_begun(self) -> bool:
        """Whether it has heard its last order. One that dies before has not died of it."""
        return self._has_begun

    @property
    def is_idle(self) -> bool:
        """Whether it waits for an order. One that is gone does not."""
        return self._is_idle and self._process.poll() is None

    def wait_ready(self) -> Ready:
        """Return what the child can do, as soon as it has started.

        Raises:
            Misconfigured: It cannot train on its device, or cannot import a task.
            ChildDied: It ended while it started.
        """
        match self._receive():
            case Ready() as ready:
                self._is_idle = True
                self._device_memory = ready.device_memory
                return ready
            case Unfit(message=message):
                raise Misconfigured(message)
            case _:
                raise ChildDied(_OUT_OF_TURN)

    def order(self, order: Order) -> None:
        """Let an idle child train.

        Raises:
            ChildDied: It is gone.
        """
        self._is_idle = False
        self._has_begun = False
        self._send(order)

    def heard_within(self, seconds: float) -> bool:
        """Wait for the child to say something; return whether it did. A dead child counts as one that did."""
        return self._pipe.poll(seconds)

    def receive(self) -> FromTraining:
        """Return what a child that trains says next.

        Raises:
            ChildDied: It is gone.
        """
        said = self._receive()
        if isinstance(said, Ready | Unfit):
            raise ChildDied(_OUT_OF_TURN)
        self._has_begun = self._has_begun or isinstance(said, Begun)
        self._is_asking = isinstance(said, Measured)
        self._is_idle = isinstance(said, Ended) and not said.is_spent
        if isinstance(said, Ended):
            self._device_memory = said.device_memory
        return said

    def answer_go_on(self, *, save_to: Path | None = None) -> None:
        """Let a child that has measured train on, with `save_to` after it has written a checkpoint.

        Raises:
            ChildDied: It is gone.
        """
        self._is_asking = False
        self._send(Answer(go_on=True, save_to=None if save_to is None else str(save_to)))

    def drop(self) -> None:
        """Have a child that has measured drop its trial, and wait until it is idle again.

        It may train its next epoch. One that takes too long over a batch, or was told to train on, is not idle.
        """
        if not self._is_asking:
            return
        self._is_asking = False
        with suppress(ChildDied):
            self._send(Answer(go_on=False))
            if self.heard_within(_DROP_SECONDS):
                self.receive()

    def kill(self) -> None:
        """End the child, in whatever it is. From any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the child, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._output.settle()
        self._pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, message: Message) -> None:
        try:
            self._pipe.send_bytes(message.model_dump_json().encode())
        except OSError as error:
            raise self._died() from error

    def _receive(self) -> FromChild:
        try:
            return from_child(self._pipe.recv_bytes(_MAX_BYTES))
        except ValueError as error:
            raise ChildDied(_OUT_OF_TURN) from error
        except (EOFError, OSError) as error:
            raise self._died() from error

    def _died(self) -> ChildDied:
        self._is_idle = False
        try:
            code = self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return ChildDied("the training process closed its pipe")
        return ChildDied(how_it_ended(code))


def how_it_ended(code: int) -> str:
    """Return a process's exit code in words; a negative one is a signal's number."""
    if code >= 0:
        return f"the training process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the training process was killed by {name}"
