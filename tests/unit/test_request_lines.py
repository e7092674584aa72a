"""What a script that logs everything sees of the requests of its client."""

import logging
import threading

import httpx2
import pytest

from tests.unit import samples
from tests.unit.stub import Stub, said
from trimtab.client import Client


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged here; not by threads that others have left."""
    return [record.getMessage() for record in caplog.records if record.thread == threading.get_ident()]


def test_the_clients_own_requests_leave_no_lines_in_a_scripts_log(
    stub: Stub, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stub.answers(said(samples.study()))

    client.study("digits")

    assert lines(caplog) == []


def test_a_scripts_own_requests_keep_theirs(stub: Stub, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stub.answers(said(samples.study()), said(samples.study()))

    client.study("digits")
    httpx2.get(f"{stub.url}/of-the-script")

    (line,) = lines(caplog)
    assert "/of-the-script" in line


def test_whoever_asks_for_the_lines_of_requests_has_them(
    stub: Stub, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="httpx2")
    stub.answers(said(samples.study()))

    client.study("digits")

    (line,) = lines(caplog)
    assert "/v1/studies/digits" in line
