"""The composition root: chooses the real parts and puts the application together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib import metadata

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from service import children, finals, litter, liveness, sweep, web
from service.api import (
    checkpoints,
    checks,
    datasets,
    diagnosis,
    events,
    exports,
    health,
    idempotency,
    leases,
    metrics,
    problems,
    scopes,
    studies,
    suggestions,
    tokens,
    trial_logs,
    version,
    workers,
)
from service.api import finals as final_routes
from service.api import models as model_routes
from service.api.dependencies import bearer
from service.api.description import describe
from service.api.gate import Gate
from service.api.limits import BodyLimit
from service.api.watched import Watched
from service.database import connect
from service.feeds import Feeds
from service.gauges import Gauges
from service.pace import Pace
from service.periodic import Periodic
from service.recognition import Recognition
from service.replica import Replica
from service.sessions import Sessions
from service.tokens import Tokens
from service.web.refusals import refuse
from service.web.shield import Shield

_DESCRIPTION = "Studies by REST; workers ask for trials, report after every epoch and hear whether to go on."


def create_app(replica: Replica, operator: Tokens, *, requests_per_second: int = 0) -> FastAPI:
    """Return the application of one replica. Its sweep runs while the application does.

    Args:
        replica: What it serves with.
        operator: The operator's own token; the others are in the database.
        requests_per_second: That a token may make of this replica for ever; 0: as many as it likes.

    Raises:
        RuntimeError: A route does not say which right it needs.
    """
    app = FastAPI(
        title="Trimtab",
        description=_DESCRIPTION,
        version=metadata.version("trimtab"),
        lifespan=_lifespan,
        # A path that is none of ours is not found: nobody is sent on to another one.
        redirect_slashes=False,
        # FastAPI's own load scripts of another host: see service.web.description.
        docs_url=None,
        redoc_url=None,
        routes=[*_routes()],
        separate_input_output_schemas=False,
    )
    app.state.replica = replica
    app.state.feeds = Feeds(replica.engine, replica.streams)
    app.add_middleware(BodyLimit)
    recognition, sessions = Recognition(operator, replica.engine, now=replica.clock.now), Sessions(operator)
    app.add_middleware(Gate, recognition=recognition, sessions=sessions, pace=Pace(requests_per_second))
    app.add_middleware(Shield)
    app.add_middleware(Watched, meters=replica.meters)
    replica.meters.registry.register(Gauges(replica.engine, lease_seconds=replica.lease_seconds))
    problems.install(app, refuse)
    idempotency.install(app)
    web.install(app, recognition, sessions)
    scopes.check(app)
    app.openapi = cache(lambda: describe(app))  # type: ignore[method-assign]  # as FastAPI documents it
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """Return the routes, the same in every application: FastAPI takes a tenth of a second to read their signatures."""
    router = APIRouter(generate_unique_id_function=lambda route: route.name)
    router.include_router(health.router)
    for each in (
        studies.router,
        events.router,
        exports.router,
        diagnosis.router,
        checks.router,
        leases.router,
        suggestions.router,
        trial_logs.router,
        checkpoints.router,
        final_routes.router,
        model_routes.router,
        workers.router,
        tokens.router,
        datasets.router,
        version.router,
        metrics.router,
    ):
        router.include_router(each, dependencies=[Depends(bearer)], responses=problems.EVERYWHERE)
    web.include(router)
    return router.routes


def _renew(replica: Replica, alone: sa.Engine) -> None:
    replica.meters.was_away(liveness.renew(alone))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    replica: Replica = app.state.replica
    # Of its own: whatever takes all connections of the pool, a replica that is there says so.
    alone = connect(replica.engine.url, size=1)
    background = [
        Periodic("liveness", partial(_renew, replica, alone), seconds=liveness.INTERVAL_SECONDS),
        Periodic("sweep", partial(sweep.sweep, replica), seconds=sweep.INTERVAL_SECONDS),
        Periodic("children", replica.memory.children.reap, seconds=children.REAP_SECONDS),
        Periodic("dashboard", replica.dashboard.reap, seconds=children.REAP_SECONDS),
        Periodic("finals", partial(finals.make_due, replica), seconds=finals.INTERVAL_SECONDS),
        Periodic("litter", partial(litter.forget, replica), seconds=litter.INTERVAL_SECONDS),
    ]
    for work in background:
        work.start()
    yield
    for work in background:
        work.stop()
    for engine in (replica.engine, alone):
        engine.dispose()
