"""A browser of the tests: it holds cookies, sends no token, and shows where it is led."""

import re

import httpx2

from tests.service.served import TOKEN, Served

PAGE = {"Accept": "text/html"}


def browser_of(served: Served, url: str = "http://testserver") -> httpx2.Client:
    """Return one that nobody has signed in with."""
    return httpx2.Client(base_url=url, transport=served.http._transport, headers=PAGE, follow_redirects=False)


def signed_in(browser: httpx2.Client, token: str = TOKEN, **fields: str) -> httpx2.Response:
    return browser.post("/sign-in", data={"token": token, **fields})


def operators_browser(served: Served) -> httpx2.Client:
    """Return one that the operator has signed in with."""
    browser = browser_of(served)
    signed_in(browser)
    return browser


def form_key(page: httpx2.Response) -> str:
    """Return what the forms of a page carry."""
    found = re.search(r'name="form_key" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]
