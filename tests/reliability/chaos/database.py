"""How PostgreSQL crashes: in one of three ways, after two of which somebody has to start it again."""

from pathlib import Path
from random import Random
from signal import SIGKILL, SIGQUIT

import psutil

_PATIENCE_SECONDS = 30.0


def crash(folder: Path, chance: Random) -> str:
    """Crash the server in `folder`; return how.

    It is told to end at once, or its first process is killed: all of its processes are gone when this returns. Or the
    process of a session is killed: the first one ends all others and recovers.
    """
    first = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    processes = [first, *first.children()]
    ways = [("ended at once", first, SIGQUIT), ("killed", first, SIGKILL)]
    ways += [("a session was killed", process, SIGKILL) for process in processes if _is_session(process)][:1]
    how, victim, signal = chance.choice(ways)
    try:
        victim.send_signal(signal)
    except psutil.NoSuchProcess:  # The session has ended by itself.
        return crash(folder, chance)
    psutil.wait_procs(processes if victim is first else [victim], timeout=_PATIENCE_SECONDS)
    return how


def _is_session(process: psutil.Process) -> bool:
    try:
        return "[local]" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
