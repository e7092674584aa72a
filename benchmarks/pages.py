"""What pages cost: to whoever waits for one, on the wire, and to the service that keeps many of them alive.

    python -m benchmarks.pages [--trials 10000] [--rows 100000] [--pages 50]

The real service on an embedded PostgreSQL, and this machine's chromium. First a study with so many finished trials,
opened by a browser that has seen nothing yet; then the table of a study with so many rows; then a study that runs:
how long what a worker reports takes to reach an open page, and what so many open pages cost the service.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psutil
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, Request

from benchmarks import events, history
from benchmarks.running import TOKEN, service
from service import embedded
from service.migrate import migrate
from tests.pages.browsing import browsing
from trimtab.client import Client

LOADS = 5
REPORTS = 20
SECONDS = 10.0
ROUNDS = 2
LARGE = "large"
LONG = "long"
RUNNING = events.STUDY
KILOBYTE = 1e3
PATIENCE_MS = 300_000

# Of the page that is open, in ms; null until then.
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
FIRST_ANSWER = "() => performance.getEntriesByType('navigation')[0].responseStart"
NOTE_REPORTS = """() => {
    window.heard = {};
    document.addEventListener("trimtab:report", ({ detail }) => { window.heard[detail.step] ??= Date.now() / 1000; });
}"""


def main() -> None:
    """Measure, and print what came out."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="trimtab-benchmark-") as folder, ExitStack() as ending:
        # As root the embedded PostgreSQL runs as another user, who has to get there.
        Path(folder).chmod(0o711)
        database = ending.enter_context(embedded.start(Path(folder))).url
        migrate(database)
        server = ending.enter_context(service(database))
        client = ending.enter_context(Client(server, TOKEN))
        for name, trials in ((LARGE, given.trials), (LONG, given.rows)):
            _fill(client, database, name, trials)
        visitor = Visitor(ending.enter_context(browsing()), server)
        for path in (f"/studies/{LARGE}", "/", *_tables(LONG)):
            print(f"{path}: {visitor.loads(path)}", flush=True)
        print(f"curves: {visitor.bytes_of(f'/studies/{LARGE}/curves') / KILOBYTE:.0f} kB")
        client.create_study(events.spec())
        print(f"a report reaches a page: {_delays(client, visitor)}")
        with events.trials(client):
            for path in (f"/studies/{RUNNING}", "/"):
                print(f"{given.pages} pages of {path}: {_cost_of(visitor, path, given.pages)}", flush=True)


class Visitor:
    """Somebody who signed in, with a browser that has seen nothing yet whenever it opens a page.

    Args:
        browser: To look with.
        server: The URL of the service.
    """

    def __init__(self, browser: Browser, server: str) -> None:
        self._browser = browser
        self.server = server
        with self._fresh(signed_in=False) as page:
            page.goto("/sign-in")
            page.get_by_label("Token").fill(TOKEN)
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="Studies").wait_for()
            self._session = page.context.storage_state()

    @contextmanager
    def pages(self, path: str, count: int) -> Iterator[list[Page]]:
        """Open so many pages, each in a browser of its own: one browser has six connections for all of its pages."""
        with ExitStack() as closing:
            pages = [closing.enter_context(self._fresh()) for _ in range(count)]
            for page in pages:
                page.goto(path, timeout=PATIENCE_MS)
            yield pages

    def loads(self, path: str) -> str:
        """Return how long it takes to see something, what it costs, and how much is sent for it, in the median."""
        service = events.process_of(self.server)
        self._load(path)
        before = events.seconds_of(service)
        answered, painted, sent = zip(*(self._load(path) for _ in range(LOADS)), strict=True)
        spent = (events.seconds_of(service) - before) / LOADS
        return (
            f"answered after {median(answered):.0f} ms, painted after {median(painted):.0f} ms "
            f"({max(painted):.0f} at most), {1000 * spent:.0f} ms of the service's processor time, "
            f"{median(sent) / KILOBYTE:.0f} kB without plotly.js"
        )

    def bytes_of(self, path: str) -> int:
        """Return how large an answer is."""
        with self._fresh() as page:
            return len(page.context.request.get(path).body())

    def _load(self, path: str) -> tuple[float, float, float]:
        with self._fresh() as page:
            sizes: list[int] = []
            page.on("requestfinished", lambda request: sizes.append(_size(request)))
            answer = page.goto(path)
            assert answer is not None
            assert answer.ok, path
            page.wait_for_function(FIRST_PAINT)
            # What is drawn by scripts is fetched after that; what is sent live never finishes.
            page.wait_for_timeout(1000)
            return page.evaluate(FIRST_ANSWER), page.evaluate(FIRST_PAINT), sum(sizes)

    @contextmanager
    def _fresh(self, *, signed_in: bool = True) -> Iterator[Page]:
        session = self._session if signed_in else None
        context = self._browser.new_context(base_url=self.server, storage_state=session)
        yield context.new_page()
        context.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000, help="finished ones, of the study that is opened")
    parser.add_argument("--rows", type=int, default=100_000, help="of the table of trials")
    parser.add_argument("--pages", type=int, default=50, help="that are open at once")
    return parser.parse_args()


def _fill(client: Client, database: str, study: str, trials: int) -> None:
    """Create a study with so many finished trials."""
    client.create_study(history.spec(study, trials + 1))
    # Not the service's own connections: their statements have two seconds.
    engine = sa.create_engine(database)
    history.fill(engine, study, history.random_history(trials, seed=1))
    history.fill_ours(engine, study)
    engine.dispose()


def _size(request: Request) -> int:
    sizes = request.sizes()
    return 0 if "plotly" in request.url else sizes["responseHeadersSize"] + sizes["responseBodySize"]


def _delays(client: Client, visitor: Visitor) -> str:
    """Return how long after a worker has sent a report a page that shows its study hears of it."""
    (lease,) = client.ask("worker", study=RUNNING).leases
    sent = {}
    with visitor.pages(f"/studies/{RUNNING}", 1) as (page,):
        page.evaluate(NOTE_REPORTS)
        for step in range(1, REPORTS + 1):
            # At another point of the service's looks each time.
            time.sleep(1.0 + 0.13 * step % 0.7)
            sent[str(step)] = time.time()
            client.report(lease, step=step, metrics={history.METRIC: 1 / step})
        page.wait_for_function(f"() => window.heard[{REPORTS}]")
        heard = page.evaluate("() => window.heard")
    client.tell(lease, "complete", metrics={history.METRIC: 0.5})
    seconds = [heard[step] - sent[step] for step in sent]
    return f"after {median(seconds):.2f} s, {max(seconds):.2f} s at most"


def _cost_of(visitor: Visitor, path: str, pages: int) -> str:
    """Return what pages cost the service, over what the study costs that runs."""
    server = events.process_of(visitor.server)
    alone, watched = [], []
    for _ in range(ROUNDS):
        alone.append(_share(server))
        with visitor.pages(path, pages):
            time.sleep(SECONDS)
            watched.append(_share(server))
    return f"{median(watched) - median(alone):.1f} % of a core over {median(alone):.1f} %"


def _share(process: psutil.Process) -> float:
    """Return the share of a core that the service takes, in percent."""
    before, began_at = events.seconds_of(process), time.monotonic()
    time.sleep(SECONDS)
    return 100 * (events.seconds_of(process) - before) / (time.monotonic() - began_at)


def _tables(study: str) -> Iterator[str]:
    """Give the table of trials: as it is first seen, sorted, and far down."""
    table = f"/studies/{study}/trials"
    yield table
    yield f"{table}?sort=param.learning_rate"
    yield f"{table}?page=100"


if __name__ == "__main__":
    main()
