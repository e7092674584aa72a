"""A browser on this machine, and people who look at pages with it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from service.sessions import COOKIE
from tests.pages.guard import Guard
from trimtab.client import Client
from trimtab.states import TokenKind

PATIENCE_MS = 120_000
"""Until what is waited for will never come: a page that has met a service away asks again after up to 30 s."""

PHONE = {"width": 375, "height": 700}
DESKTOP = {"width": 1280, "height": 900}
_FROZEN_AT_SECONDS = 3600
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of this machine's chromium; None: there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start this machine's chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), timeout=PATIENCE_MS)
        yield browser
        browser.close()


def freeze(page: Page) -> None:
    """Let no time pass on a page but what is let pass by its clock."""
    page.clock.install(time=0)
    page.clock.pause_at(_FROZEN_AT_SECONDS)


@dataclass(frozen=True)
class People:
    """Who holds a token of each kind, signed in once."""

    browser: Browser
    url: str
    client: Client
    sessions: dict[TokenKind, StorageState] = field(default_factory=dict)

    def session(self, kind: TokenKind) -> StorageState:
        """Return what the browser of one who signed in holds."""
        if kind not in self.sessions:
            self.sessions[kind] = self._sign_in(self.client.make_token(kind, f"of-{kind}").token)
        return self.sessions[kind]

    def _sign_in(self, token: str) -> StorageState:
        context = self.browser.new_context(base_url=self.url)
        context.set_default_timeout(PATIENCE_MS)
        context.request.post("/sign-in", form={"token": token}, max_redirects=0)
        state = context.storage_state()
        context.close()
        assert any(cookie["name"] == COOKIE for cookie in state["cookies"])
        return state


@dataclass(frozen=True)
class Windows:
    """Opens pages of one service, and closes them all in the end."""

    people: People
    guard: Guard
    closing: ExitStack

    def open(self, path: str = "/", kind: TokenKind | None = TokenKind.ADMIN, **options: Any) -> Page:
        """Open a page.

        Args:
            path: Of the page.
            kind: Of the token of whoever looks at it; None: nobody has signed in.
            options: Of the browser's context: its size, zone, colours.
        """
        context = self.people.browser.new_context(
            base_url=self.people.url,
            storage_state=self.people.session(kind) if kind else None,
            **{"viewport": DESKTOP, "timezone_id": "Etc/UTC", "locale": "en-GB"} | options,
        )
        self.closing.callback(context.close)
        context.set_default_timeout(PATIENCE_MS)
        self.guard.look_at(context)
        page = context.new_page()
        page.goto(path)
        return page


@contextmanager
def windows(people: People) -> Iterator[Windows]:
    """Open pages that may do nothing that no page may do.

    Raises:
        AssertionError: One did.
    """
    guard = Guard(urlsplit(people.url).netloc)
    with ExitStack() as closing:
        yield Windows(people, guard, closing)
    assert not guard.unexpected, "\n".join(guard.unexpected)
