"""`python -m tests.reliability.chaos --kills N --seconds S --seed X`: faults of every kind, and what came of them.

Prints the figures, the last line as JSON; ends with 1 if anything is not as promised.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.reliability.chaos.aim import Aim
from tests.reliability.chaos.run import run

TRIALS_FOR_EACH_KILL = 10
SHOWN = 20

INTERRUPTED = 130
"""As a shell has it."""


def main() -> int:
    """Run the command line; return the exit code."""
    aim = _aim()
    # Who terminates it wants all of it to end: PostgreSQL and the replicas too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="trimtab-chaos-"))
    folder.chmod(0o711)
    _say(f"seed {aim.seed}: {aim.kills} kills over {aim.trials} trials within {aim.seconds:g} s, in {folder}")
    try:
        found = run(aim, folder)
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        return INTERRUPTED
    for name, figure in found.figures.items():
        _say(f"  {name:30} {figure}")
    for breach in found.breaches[:SHOWN]:
        _say(f"  NOT AS PROMISED: {breach}")
    if found.breaches:
        _say(f"seed {aim.seed}: {len(found.breaches)} breaches; all that there is to look at is in {folder}")
    else:
        shutil.rmtree(folder)
    _say(json.dumps({**found.figures, "breaches": len(found.breaches)}))
    return 1 if found.breaches else 0


def _aim() -> Aim:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="workers to be killed")
    parser.add_argument("--seconds", type=float, default=180.0, help="in which all has to be done")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn")
    parser.add_argument("--trials", type=int, help="by default ten for each kill")
    given = parser.parse_args()
    return Aim(given.kills, given.seconds, given.seed, given.trials or TRIALS_FOR_EACH_KILL * given.kills)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the command's output


if __name__ == "__main__":
    sys.exit(main())
