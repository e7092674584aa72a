"""The demo does what the README says of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from tests.e2e.running import is_gone, wait_for

ROOT = Path(__file__).parents[2]


def servers(folder: Path) -> list[psutil.Process]:
    """The processes of PostgreSQL in a folder, where they work. A server is nobody's child."""
    return [one for one in psutil.process_iter(["cwd"]) if (one.info["cwd"] or "").startswith(str(folder.resolve()))]


def test_the_demo_finds_a_good_network_and_leaves_nothing_running(data_dir: Path) -> None:
    seen: set[psutil.Process] = set()
    output = ""
    served = 0
    command, environment = [sys.executable, "-m", "examples.demo"], os.environ | {"TMPDIR": str(data_dir)}

    with psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        for line in demo.stdout:
            output += line
            seen |= set(demo.children(recursive=True))
            served += len(servers(data_dir))

    assert demo.returncode == 0, output
    assert len(seen) > 2, "a service and two workers, at least"
    assert served > 0, "a database"
    # Who has been told that all is over may be about to end when the demo has ended.
    wait_for(lambda: all(map(is_gone, seen)) and not servers(data_dir))
    assert "digits complete: 40/40 finished" in output
    (error,) = re.findall(r"^validation_error +([0-9.e-]+)", output, re.MULTILINE)
    assert float(error) <= 0.03
    assert re.search(r"The doctor:\n\ndigits, trial [0-9]+: (healthy|high variance|neither)", output)
    assert re.search(r"^training .* \(bias\)", output, re.MULTILINE)
    assert re.search(r"The pruner saved [1-9][0-9]?% of the training", output)
