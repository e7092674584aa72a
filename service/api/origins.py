"""Where what a browser sends comes from: a page of ours, or one of another site in the name of who signed in."""

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from service.sessions import Session, Sessions, cookie_name

SAFE = frozenset({"GET", "HEAD"})

OF_PROGRAMS = ("/v1/", "/metrics", "/healthz", "/readyz", "/openapi.json")
"""How paths begin that programs ask for, and that are answered to programs; the others are pages and their parts."""

_OURS = frozenset({"same-origin", "none"})


def session_of(scope: Scope, sessions: Sessions) -> Session | None:
    """Return the session that a request has the cookie of."""
    if not (header := Headers(scope=scope).get("cookie")):
        return None
    cookie = cookie_parser(header).get(cookie_name(scope["scheme"]))
    return sessions.read(cookie) if cookie else None


def is_from_here(headers: Headers) -> bool:
    """Return whether the browser says that nobody but its reader, or a page of ours, leads here."""
    return headers.get("sec-fetch-site") in _OURS


def is_foreign(headers: Headers) -> bool:
    """Return whether a page of another origin sends this, be it one of the same host at another port.

    What no browser sends comes from no page. Browsers say it by TLS and on this machine (W3C, Fetch Metadata Request
    Headers); by plain HTTP they name the origin only, and not where a page is merely looked at.
    """
    if "sec-fetch-site" in headers:
        return not is_from_here(headers)
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def is_visit(scope: Scope) -> bool:
    """Return whether somebody goes to a page, which a link of any site may lead to."""
    is_page = scope["method"] in SAFE and not scope["path"].startswith(OF_PROGRAMS)
    return is_page and Headers(scope=scope).get("sec-fetch-mode", "navigate") == "navigate"
