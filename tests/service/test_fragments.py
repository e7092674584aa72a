"""Parts of pages that many ask for again and again are made once in a while."""

from itertools import count

import pytest
from fastapi import Request

from service.web.fragments import HOLDS_SECONDS, MOST, Fragments
from service.web.sparklines import sparkline
from tests.clocks import Clock


def request(tag: str = "") -> Request:
    return Request({"type": "http", "headers": [(b"if-none-match", tag.encode())]})


def test_many_who_ask_are_given_one_fragment_for_a_while() -> None:
    clock, made = Clock(), count(1)
    fragments = Fragments(clock)

    def ask(key: str) -> bytes:
        return bytes(fragments.answer(request(), key, lambda: f"the {next(made)}.").body)

    assert [ask("a"), ask("a"), ask("b")] == [b"the 1.", b"the 1.", b"the 2."]
    clock.now += HOLDS_SECONDS
    assert ask("a") == b"the 3."


def test_what_failed_to_be_made_is_made_by_the_next_who_asks() -> None:
    fragments = Fragments()

    with pytest.raises(ZeroDivisionError):
        fragments.answer(request(), "a", lambda: str(1 / 0))

    assert fragments.answer(request(), "a", lambda: "made").body == b"made"


def test_what_changed_is_sent_and_what_did_not_is_not() -> None:
    clock, parts = Clock(), iter(["one", "one", "two"])
    fragments = Fragments(clock)
    tag = fragments.answer(request(), "a", lambda: next(parts)).headers["ETag"]
    clock.now += HOLDS_SECONDS
    same = fragments.answer(request(tag), "a", lambda: next(parts))
    clock.now += HOLDS_SECONDS
    other = fragments.answer(request(tag), "a", lambda: next(parts))

    assert (same.status_code, same.body) == (304, b"")
    assert (other.status_code, other.body) == (200, b"two")


def test_what_nobody_asked_for_lately_is_forgotten() -> None:
    fragments, made = Fragments(), count(1)
    for key in range(MOST + 1):
        fragments.answer(request(), key, lambda: str(next(made)))

    assert fragments.answer(request(), MOST, lambda: "anew").body == str(MOST + 1).encode()
    assert fragments.answer(request(), 0, lambda: "anew").body == b"anew"


def test_a_sparkline_goes_down_as_the_error_does_and_holds_to_the_end() -> None:
    line = sparkline([(1, 0.5), (3, 0.25), (4, 0.0)], finished=5)

    assert line is not None
    assert line.path == "M0.0 2.0H50.0V12.0H75.0V22.0H100"
    assert (line.first, line.last) == (0.5, 0.0)


def test_one_value_is_a_line_in_the_middle() -> None:
    line = sparkline([(1, 0.5)], finished=1)

    assert line is not None
    assert line.path == "M0.0 12.0H100"


def test_before_the_first_value_there_is_no_line() -> None:
    assert sparkline([], finished=3) is None
