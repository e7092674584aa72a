"""The routes of an application, also those that the description of its API leaves out: pages, their parts and forms."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Route


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Return the verb and path of each."""
    found: list[tuple[str, str]] = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        assert isinstance(route, Route), f"{context.path} is of a kind that nobody looks at"
        found += [(verb.lower(), str(context.path)) for verb in sorted((route.methods or set()) - {"HEAD"})]
    return found
