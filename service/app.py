"""The composition root: chooses the real parts and puts the application together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import health, leases, problems, studies, workers
from service.api.dependencies import authorized
from service.replica import Replica
from service.settings import MAX_BODY_BYTES
from service.sweep import Sweep
from service.tokens import Tokens
from trimtab.protocol import Problem

_DESCRIPTION = "Studies by REST; workers ask for trials, report after every epoch and hear whether to go on."


def create_app(replica: Replica, tokens: Tokens) -> FastAPI:
    """Return the application of one replica. Its sweep runs while the application does."""
    app = FastAPI(
        title="Trimtab",
        description=_DESCRIPTION,
        version=version("trimtab"),
        lifespan=_lifespan,
        max_body_size=MAX_BODY_BYTES,
        responses=problems.EVERYWHERE,
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
    )
    app.state.replica = replica
    app.state.tokens = tokens
    problems.install(app)
    app.include_router(health.router)
    for router in (studies.router, leases.router, workers.router):
        app.include_router(router, dependencies=[Depends(authorized)])
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    replica: Replica = app.state.replica
    sweep = Sweep(replica)
    sweep.start()
    yield
    sweep.stop()
    replica.engine.dispose()


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the description of the API, with our problems where FastAPI puts its own errors."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        app.openapi_schema = schema
    return app.openapi_schema
