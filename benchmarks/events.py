"""What watching costs a service: its processor time with nobody, with one and with fifty who watch a study that runs.

`python -m benchmarks.events` prints a line for each, of the service's process and of PostgreSQL's; and how long a
change that is made through another replica takes to arrive.
"""

import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psutil

from benchmarks.running import TOKEN, service
from service import embedded
from service.migrate import migrate
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.spec import StudySpec
from trimtab.validation import built

STUDY = "watched"
TRIALS = 8
"""That run at once; each reports twice a second, and ends after ten reports."""

TRIALS_IN_ALL = 1_000_000
PAUSE_SECONDS = 0.5
REPORTS = 10
SECONDS = 10.0
ROUNDS = 6
WATCHERS = (0, 1, 50)
CHANGES = 20


def main() -> None:
    """Measure, and print it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        Path(folder).chmod(0o711)
        url = ending.enter_context(embedded.start(Path(folder))).url
        migrate(url)
        server, other = (ending.enter_context(service(url)) for _ in range(2))
        client = ending.enter_context(Client(server, TOKEN))
        client.create_study(spec())
        ending.enter_context(trials(client))
        processes = process_of(server), _postgres(Path(folder))
        rounds = [[_cost_of(server, watchers, processes) for watchers in WATCHERS] for _ in range(ROUNDS)]
        for watchers, costs in zip(WATCHERS, zip(*rounds, strict=True), strict=True):
            print(f"{watchers} watch: {_shown([median(each) for each in zip(*costs, strict=True)])}")
        print(f"through another replica: {_delays(client, ending.enter_context(Client(other, TOKEN)))}")


def spec() -> StudySpec:
    """Return the study that is watched."""
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    body = {
        "name": STUDY,
        "task": None,
        "space": space,
        "budget": {"trials": TRIALS_IN_ALL},
        "pruner": {"name": "none"},
    }
    return built(StudySpec, body)


@contextmanager
def trials(client: Client) -> Iterator[None]:
    """Run trials until the end of the block."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            (lease,) = client.ask("worker", study=STUDY).leases
            _train(client, lease, is_over)

    threads = [threading.Thread(target=run) for _ in range(TRIALS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _train(client: Client, lease: Lease, is_over: threading.Event) -> None:
    for step in range(1, REPORTS + 1):
        is_over.wait(PAUSE_SECONDS)
        client.report(lease, step=step, metrics={"validation_error": 1 / step})
    client.tell(lease, "complete", metrics={"validation_error": 0.1})


@contextmanager
def _watched(server: str, watchers: int) -> Iterator[None]:
    """Read so many streams, and throw away what comes."""
    host, _, port = server.removeprefix("http://").partition(":")
    asked = f"GET /v1/studies/{STUDY}/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    is_over = threading.Event()
    with ExitStack() as ending, selectors.DefaultSelector() as selector:
        for _ in range(watchers):
            connection = ending.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(asked.encode())
            selector.register(connection, selectors.EVENT_READ)
        reader = threading.Thread(target=_read, args=(selector, is_over))
        reader.start()
        yield
        is_over.set()
        reader.join()


def _read(selector: selectors.BaseSelector, is_over: threading.Event) -> None:
    while not is_over.is_set():
        for key, _ in selector.select(timeout=0.1):
            assert isinstance(key.fileobj, socket.socket)
            assert key.fileobj.recv(2**16), "a stream has ended"


def _cost_of(server: str, watchers: int, processes: tuple[psutil.Process, psutil.Process]) -> list[float]:
    with _watched(server, watchers):
        return _cost(processes)


def _cost(processes: tuple[psutil.Process, psutil.Process]) -> list[float]:
    """Return the share of a core that the service and PostgreSQL take, in percent."""
    before = [seconds_of(process) for process in processes]
    began_at = time.monotonic()
    time.sleep(SECONDS)
    passed = time.monotonic() - began_at
    return [100 * (seconds_of(process) - seconds) / passed for process, seconds in zip(processes, before, strict=True)]


def seconds_of(process: psutil.Process) -> float:
    """Return the processor time of a process and of those that it started."""
    members = [process, *process.children(recursive=True)]
    return sum(sum(member.cpu_times()[:2]) for member in members)


def _shown(cost: list[float]) -> str:
    return f"service {cost[0]:.2f} %, PostgreSQL {cost[1]:.2f} % of a core"


def process_of(server: str) -> psutil.Process:
    """Return the process that serves there, one of those that this one has started."""
    port = int(server.rpartition(":")[2])
    for process in psutil.Process().children():
        if any(one.laddr.port == port for one in process.net_connections() if one.status == psutil.CONN_LISTEN):
            return process
    raise LookupError(server)


def _postgres(folder: Path) -> psutil.Process:
    """Return the server whose files are in a folder."""
    (noted,) = folder.rglob("postmaster.pid")
    return psutil.Process(int(noted.read_text().splitlines()[0]))


def _delays(client: Client, other: Client) -> str:
    """Return how long changes through the other replica take to be told here."""
    arrived = threading.Semaphore(0)

    def hear() -> None:
        for event in client.events(STUDY):
            if event.study and event.study.spec.budget.trials != budget:
                arrived.release()
                return

    seconds: list[float] = []
    for budget in range(TRIALS_IN_ALL, TRIALS_IN_ALL - CHANGES, -1):
        listener = threading.Thread(target=hear)
        listener.start()
        time.sleep(1.0)
        began_at = time.monotonic()
        other.change_study(STUDY, budget=budget - 1)
        arrived.acquire(timeout=10)
        seconds.append(time.monotonic() - began_at)
        listener.join()
    return f"median {median(seconds):.2f} s, at most {max(seconds):.2f} s"


if __name__ == "__main__":
    main()
