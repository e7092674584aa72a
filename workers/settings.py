"""What `python -m workers` was told."""

import os
import re
import socket
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.errors import Misconfigured
from trimtab.names import worker_name
from workers import devices

DEFAULT_CHECKPOINT_SECONDS = 60.0
"""What a worker that is killed can lose of a trial; its files are at most written and sent so often."""

_MAX_SLOTS = 256
_OWN_TASK = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")
_MAX_SECONDS = 1_000_000
"""No more than a thread can wait for: on some systems 49 days."""


@dataclass(frozen=True)
class Settings:
    """What `python -m workers` was told, and where it runs.

    Args:
        slots: Trials at a time.
        device: `auto`, `cpu` or a CUDA device.
        allowed: Tasks of the user's own that may be imported.
        exit_when_idle: Seconds without work after which the worker ends; None: it never does.
        checkpoint_seconds: From the beginning of a trial to its first checkpoint, and to the next at least.
        name: Who asks.
        host: The machine.
    """

    slots: int
    device: str
    allowed: tuple[str, ...]
    exit_when_idle: float | None
    checkpoint_seconds: float
    name: str
    host: str

    @classmethod
    def from_arguments(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Settings":
        """Read the command line, which like that of every command ends with exit code 2 where it is wrong.

        Raises:
            Misconfigured: A setting in the environment is wrong.
        """
        given = _parser().parse_args(arguments)
        host = socket.gethostname()
        return cls(
            slots=given.slots,
            device=given.device,
            allowed=tuple(given.allow),
            exit_when_idle=given.exit_when_idle,
            checkpoint_seconds=_checkpoint_seconds(environment),
            name=worker_name(host, os.getpid()),
            host=host,
        )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m workers", description="Trimtab's trainers: pull trials until stopped.")
    parser.add_argument("--slots", type=_slots, default=1, metavar="N", help="trials at a time (default: 1)")
    parser.add_argument("--device", type=_device, default="auto", help="auto (default), cpu, or cuda:0 and so on")
    parser.add_argument(
        "--allow",
        type=_own_task,
        action="append",
        default=[],
        metavar="MODULE:ATTRIBUTE",
        help="train this task of your own too; may be repeated (default: built-in tasks only)",
    )
    parser.add_argument(
        "--exit-when-idle", type=_seconds, metavar="SECONDS", help="end after this long without work (default: never)"
    )
    return parser


def _slots(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= _MAX_SLOTS:
        raise ArgumentTypeError(f"not an integer from 1 to {_MAX_SLOTS}: {given!r}")
    return int(given)


def _device(given: str) -> str:
    try:
        return devices.checked(given)
    except Misconfigured as error:
        raise ArgumentTypeError(str(error)) from error


def _own_task(given: str) -> str:
    if not _OWN_TASK.fullmatch(given):
        raise ArgumentTypeError(f"not module:attribute: {given!r}")
    return given


def _seconds(given: str) -> float:
    if (seconds := _positive(given)) is None:
        raise ArgumentTypeError(f"not a number of seconds above 0, at most {_MAX_SECONDS}: {given!r}")
    return seconds


def _checkpoint_seconds(environment: Mapping[str, str]) -> float:
    given = environment.get("TRIMTAB_CHECKPOINT_SECONDS") or str(DEFAULT_CHECKPOINT_SECONDS)
    if (seconds := _positive(given)) is None:
        raise Misconfigured(f"TRIMTAB_CHECKPOINT_SECONDS is a number above 0, at most {_MAX_SECONDS}: {given!r}")
    return seconds


def _positive(given: str) -> float | None:
    try:
        seconds = float(given)
    except ValueError:
        return None
    return seconds if 0 < seconds <= _MAX_SECONDS else None
