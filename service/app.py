"""The composition root: chooses the real parts and puts the application together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import health, idempotency, leases, problems, studies, workers
from service.api.dependencies import bearer
from service.api.gate import Gate
from service.api.limits import BodyLimit
from service.liveness import Liveness
from service.replica import Replica
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
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
    )
    app.state.replica = replica
    app.add_middleware(BodyLimit)
    app.add_middleware(Gate, tokens=tokens)
    problems.install(app)
    idempotency.install(app)
    app.include_router(health.router)
    for router in (studies.router, leases.router, workers.router):
        app.include_router(router, dependencies=[Depends(bearer)], responses=problems.EVERYWHERE)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    replica: Replica = app.state.replica
    threads: list[Liveness | Sweep] = [Liveness(replica.engine), Sweep(replica)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.stop()
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
