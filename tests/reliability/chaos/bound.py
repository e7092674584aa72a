"""`python -m tests.reliability.chaos.bound`: `python -m service`, which goes when whoever started it goes."""

import ctypes
import runpy
import sys
from signal import SIGKILL

_PR_SET_PDEATHSIG = 1


def bind() -> None:
    """Let this process be killed when its parent ends, where the system can do that: Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, SIGKILL)


if __name__ == "__main__":
    bind()
    runpy.run_module("service", run_name="__main__", alter_sys=True)
