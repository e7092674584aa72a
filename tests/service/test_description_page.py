"""The description of the API as a page: for everybody, and from this service alone."""

import re

import httpx2
import pytest

from tests.service.browsing import browser_of
from tests.service.served import Served

ADDRESS = re.compile(r'(?:src|href)="([^"]*)"')


@pytest.fixture
def stranger(served: Served) -> httpx2.Client:
    return browser_of(served)


def test_it_is_open_and_whatever_it_loads_is_served_here(stranger: httpx2.Client) -> None:
    page = stranger.get("/docs")

    addresses = [address for address in ADDRESS.findall(page.text) if address != "/"]
    assert len(addresses) > 4
    assert {address: stranger.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert "//" not in page.text.replace("<!doctype html>", "")


def test_its_policy_lets_nothing_else_in(stranger: httpx2.Client) -> None:
    policy = stranger.get("/docs").headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


def test_swagger_ui_is_kept_for_ever_under_an_address_of_its_content(stranger: httpx2.Client) -> None:
    (script,) = [address for address in ADDRESS.findall(stranger.get("/docs").text) if "bundle" in address]

    assert "immutable" in stranger.get(script).headers["Cache-Control"]
