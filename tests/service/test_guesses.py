"""Who sends wrong tokens has to wait, and nobody else."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from service.guesses import BURST, SECONDS_EACH, Guesses
from service.recognition import Recognition
from service.sessions import COOKIE
from tests.clocks import Clock
from tests.service.browsing import PAGE, signed_in
from tests.service.served import Served
from trimtab.errors import TooManyRequests, Unauthorized, Unavailable

HERE, THERE = "10.0.0.1", "10.0.0.2"


def guess(guesses: Guesses, address: str, error: type[Exception] = Unauthorized) -> None:
    with suppress(error), guesses.one(address):
        raise error("no")


def test_after_a_few_wrong_tokens_an_address_waits_for_each() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(BURST):
        guess(guesses, HERE)

    with pytest.raises(TooManyRequests) as refused:
        guess(guesses, HERE)
    clock.now += SECONDS_EACH
    guess(guesses, HERE)

    assert refused.value.retry_after == SECONDS_EACH
    with pytest.raises(TooManyRequests):
        guess(guesses, HERE)
    guess(guesses, THERE)


def test_what_is_no_wrong_token_does_not_count() -> None:
    guesses = Guesses(Clock())

    for _ in range(3 * BURST):
        guess(guesses, HERE, Unavailable)
        with guesses.one(HERE):
            pass


def test_those_that_come_at_the_same_time_count() -> None:
    guesses = Guesses(Clock())

    def at_once(more: int) -> None:
        with guesses.one(HERE):
            if more:
                at_once(more - 1)

    at_once(BURST - 1)
    with pytest.raises(TooManyRequests):
        at_once(BURST)


def test_all_addresses_that_somebody_has_by_ipv6_are_one() -> None:
    guesses = Guesses(Clock())
    for host in range(BURST):
        guess(guesses, str(ip_address("2001:db8::") + host * 2**32))

    with pytest.raises(TooManyRequests):
        guess(guesses, "2001:db8::ffff:0:0:1")
    guess(guesses, "2001:db8:0:1::")


def test_an_address_of_ipv4_is_the_same_one_by_ipv6_and_no_other() -> None:
    guesses = Guesses(Clock())
    for _ in range(BURST):
        guess(guesses, f"::ffff:{HERE}")

    with pytest.raises(TooManyRequests):
        guess(guesses, HERE)
    guess(guesses, f"::ffff:{THERE}")


Sitting = Callable[[str], httpx2.Client]


@pytest.fixture
def sitting(served: Served, portal: BlockingPortal) -> Sitting:
    """Sit down at a browser of an address."""
    served.app.state.guesses = Guesses(Clock())

    def sit(address: str) -> httpx2.Client:
        http = TestClient(served.app, headers=PAGE, client=(address, 50_000), follow_redirects=False)
        http.portal = portal
        return http

    return sit


def test_who_guesses_is_told_when_to_go_on_and_the_others_get_in(sitting: Sitting) -> None:
    guesser, other = sitting(HERE), sitting(THERE)
    statuses = [signed_in(guesser, f"wrong{number}").status_code for number in range(BURST)]

    refused = signed_in(guesser)

    assert statuses == [401] * BURST
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert "Too many wrong tokens came from this address: wait 5 s." in refused.text
    assert COOKIE not in guesser.cookies
    assert signed_in(other).status_code == 303


def test_a_guess_too_many_costs_no_look(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    guesser = sitting(HERE)
    for number in range(BURST):
        signed_in(guesser, f"wrong{number}")
    looks: list[str] = []
    monkeypatch.setattr(Recognition, "at_once", lambda _, token: looks.append(token))

    signed_in(guesser, "one more")

    assert looks == []
