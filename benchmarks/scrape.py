"""What it costs to be watched: `python -m benchmarks.scrape` reads /metrics beside 100,000 trials, and times requests.

A study has all the finished trials, a hundred others one that runs each, by a worker of its own; every route has been
called. The best of many is what it costs; the median is longer on a machine that is busy.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import httpx2
import sqlalchemy as sa
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.history import spec
from service import asks, embedded, gauges, studies
from service.api.watched import Watched
from service.app import create_app
from service.database import connect
from service.meters import Meters
from service.migrate import migrate
from service.replica import Replica
from service.tokens import Tokens
from trimtab.protocol import Ask

TRIALS = 100_000
RUNNING = 100
SCRAPES = 50
REQUESTS = 5_000

# As they would be, had they been leased and told.
_TRIALS = sa.text("""
    WITH study AS (
      UPDATE trimtab_studies SET created = :trials, finished = :trials
      WHERE study_id = (SELECT study_id FROM studies WHERE study_name = 'large') RETURNING study_id
    ), made AS (
      INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)
      SELECT study_id, number, 'COMPLETE', now(), now() FROM study, generate_series(0, :trials - 1) AS number
      RETURNING trial_id, study_id, number
    ), ours AS (
      INSERT INTO trimtab_trials (trial_id, study_id, number, sampled_for, fence, outcome, finish_order)
      SELECT trial_id, study_id, number, number, 1, 'complete', number + 1 FROM made
      RETURNING trial_id, study_id
    )
    INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at, outcome, ended_at)
    SELECT study_id, trial_id, 1, 1, 'w', now(), 'complete', now() FROM ours
""")


def main() -> None:
    """Measure, and print it."""
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder)) as database:
            migrate(database.url)
            _scrape(Replica(connect(database.url), 3600.0))
    print(f"a request that is watched: {1e6 * _watching():.1f} us")


def _scrape(replica: Replica) -> None:
    http = TestClient(create_app(replica, Tokens("t")), headers={"Authorization": "Bearer t"})
    _fill(replica, http)
    gauges.KEPT_SECONDS = 0.0
    text = http.get("/metrics").text
    seconds = [_timed(lambda: http.get("/metrics")) for _ in range(SCRAPES)]
    lines = text.count("\n")
    print(f"a scrape of {lines} lines: {1e3 * min(seconds):.1f} ms, median {1e3 * median(seconds):.1f} ms")
    looked = gauges.Gauges(replica.engine, lease_seconds=replica.lease_seconds)
    print(f"of it in the database: {1e3 * min(_timed(lambda: list(looked.collect())) for _ in range(SCRAPES)):.1f} ms")
    replica.engine.dispose()


def _fill(replica: Replica, http: httpx2.Client) -> None:
    engine = replica.engine
    studies.create(replica, spec("large", 2 * TRIALS))
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(_TRIALS, {"trials": TRIALS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    for number in range(RUNNING):
        studies.create(replica, spec(f"small-{number}", 10))
        asks.ask(replica, Ask(worker=f"worker-{number}", study=f"small-{number}"))
    for path, verbs in http.get("/openapi.json").json()["paths"].items():
        for verb in verbs:
            http.request(verb, path)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _watching() -> float:
    """Return the seconds that a request takes longer for being watched."""
    watched = Watched(_answer, Meters())
    return min(_each(watched) - _each(_answer) for _ in range(9))


def _each(app: ASGIApp) -> float:
    async def call() -> None:
        for _ in range(REQUESTS):
            headers = [(b"host", b"h"), (b"authorization", b"Bearer t"), (b"trimtab-fence", b"1"), (b"accept", b"*/*")]
            await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, _nothing, _ignore)

    return _timed(lambda: asyncio.run(call())) / REQUESTS


async def _answer(scope: Scope, _: Receive, send: Send) -> None:
    scope["route"] = SimpleNamespace(path="/v1/leases/{lease_id}/reports")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _ignore(_: Message) -> None:
    return


if __name__ == "__main__":
    main()
