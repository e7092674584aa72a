"""The demo does what the README says of it."""

import re
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def is_left(process: psutil.Process) -> bool:
    """Whether a process still runs; one that has ended and that nobody has asked about does not."""
    return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE


def servers() -> list[list[str]]:
    """The command lines of PostgreSQL servers of demos. A server is nobody's child."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if "trimtab-demo-" in " ".join(line)]


def test_the_demo_finds_a_good_network_and_leaves_nothing_running() -> None:
    seen: set[psutil.Process] = set()
    output = ""
    served = 0

    with psutil.Popen([sys.executable, "-m", "examples.demo"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        for line in demo.stdout:
            output += line
            seen |= set(demo.children(recursive=True))
            served += len(servers())

    assert demo.returncode == 0, output
    assert len(seen) > 2, "a service and two workers, at least"
    assert served > 0, "a database"
    assert [process for process in seen if is_left(process)] == []
    assert servers() == []
    assert "digits complete: 40/40 finished" in output
    (error,) = re.findall(r"^validation_error +([0-9.e-]+)", output, re.MULTILINE)
    assert float(error) <= 0.03
    assert re.search(r"The doctor:\n\ndigits, trial [0-9]+: (healthy|high variance|neither)", output)
    assert re.search(r"^training .* \(bias\)", output, re.MULTILINE)
    assert re.search(r"The pruner saved [1-9][0-9]?% of the training", output)
