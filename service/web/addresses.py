"""Addresses of ours that something outside names: nobody is led elsewhere."""

from urllib.parse import quote

from fastapi import Request


def inside(path: str) -> str:
    """Return a path of this service, whatever is asked for."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"


def sign_in(wanted: str) -> str:
    """Return where to sign in, and then go on to what is wanted."""
    return f"/sign-in?next={quote(wanted, safe='/')}"


def asked_for(request: Request) -> str:
    """Return the path that is asked for, with its query."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def came_from(request: Request) -> str:
    """Return the page that a form was sent from; the first of all if that is not told, or none of ours."""
    _, _, place = request.headers.get("referer", "").partition("://")
    host, slash, path = place.partition("/")
    return inside(slash + path) if host == request.headers.get("host") else "/"
