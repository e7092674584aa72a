"""What it costs a training to be read while it writes: a million lines, thrown away or on their way to the service.

`python -m benchmarks.output` prints the seconds of a process that does nothing but write, as a child of a worker does:
line by line.
"""

import subprocess
import sys
import time
from statistics import median

from workers.output import Output

LINES = 1_000_000
ROUNDS = 3

TRAINING = f"""
import sys, time
sys.stdout.reconfigure(line_buffering=sys.argv[1] == "line by line")
began_at = time.perf_counter()
for line in range({LINES}):
    print("epoch", line, "loss", 0.123456789)
sys.stdout.flush()
print(time.perf_counter() - began_at, file=sys.stderr)
"""


def main() -> None:
    """Measure, and print it."""
    alone, read = zip(*[(_thrown_away(), _read()) for _ in range(ROUNDS)], strict=True)
    each = 1e6 * (median(read) - median(alone)) / LINES
    print(f"thrown away {median(alone):.1f} s, read {median(read):.1f} s: {each:+.1f} microseconds a line")


def _thrown_away() -> float:
    command = [sys.executable, "-c", TRAINING, "as it likes"]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return float(ran.stderr)


def _read() -> float:
    command = [sys.executable, "-c", TRAINING, "line by line"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        output = Output(process.stdout)
        window = output.record()
        while process.poll() is None:
            time.sleep(1.0)
            window.take()
        output.stop()
        return float(process.stderr.read())


if __name__ == "__main__":
    main()
