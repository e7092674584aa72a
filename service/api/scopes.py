"""Which right each route needs. A route that does not say so lets the application not start."""

from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from service.api.bodies import ExactRequest
from service.api.gate import OPEN
from service.api.queries import check_query
from service.principals import Principal, Scope
from trimtab.errors import Forbidden
from trimtab.states import TokenKind

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_SCOPE = "__scope__"


def needs(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """Declare the right that a route needs."""

    def declared(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _SCOPE, scope)
        return endpoint

    return declared


class ScopedRoute(APIRoute):
    """A route that asks for its right before it reads anything else, and reads address and body exactly."""

    @property
    def scope(self) -> Scope | None:
        """The right that it needs; None: it does not say."""
        return getattr(self.endpoint, _SCOPE, None)

    @cached_property
    def known(self) -> list[str]:
        """The parameters that its address may have, its dependencies' among them."""
        return list(_query(self.dependant))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            principal: Principal = request.scope["principal"]
            if self.scope is None or not principal.may(self.scope):
                raise Forbidden(f"a token of kind {principal.kind} has no right to this{_instead(self.scope)}")
            check_query(request.query_params, self.known)
            return await handler(ExactRequest(request.scope, request.receive))

        return guarded


def check(app: FastAPI) -> None:
    """Return if every route says which right it needs.

    Raises:
        RuntimeError: One does not.
    """
    if bare := [str(route.path) for route in iter_route_contexts(app.routes) if not _is_declared(route)]:
        raise RuntimeError(f"these routes declare no scope: {', '.join(bare)}")


def _instead(scope: Scope | None) -> str:
    kinds = [kind for kind in TokenKind if scope and Principal(kind).may(scope)]
    return f": it takes one of kind {' or '.join(kinds)}" if kinds else ""


def _query(dependant: Dependant) -> Iterator[str]:
    """Yield the parameters that a route, or what it depends on, takes from an address."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query(inner)


def _is_declared(context: RouteContext) -> bool:
    route = context.original_route
    return context.path in OPEN or (isinstance(route, ScopedRoute) and route.scope is not None)
