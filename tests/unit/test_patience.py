"""Calls of one's own training code that outlast a service that is away."""

import pytest

from trimtab.errors import LeaseLost, TrimtabError, Unavailable, Unreachable
from trimtab.patience import LONGEST_PAUSE_SECONDS, patiently


class Away:
    """A service that is away for the first calls, and then answers, or refuses."""

    def __init__(self, calls: int, refusal: TrimtabError | None = None) -> None:
        self.left = calls
        self.refusal = refusal

    def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise Unavailable("the database is away") if self.left % 2 else Unreachable("connection refused")
        if self.refusal:
            raise self.refusal
        return "answer"


def test_a_call_is_made_until_the_service_is_back_after_longer_and_longer_pauses() -> None:
    pauses: list[float] = []

    answer = patiently(Away(20), sleep=pauses.append)

    assert answer == "answer"
    assert len(pauses) == 20
    assert pauses[0] < 1 < max(pauses) <= LONGEST_PAUSE_SECONDS


def test_an_answer_that_lasts_ends_the_patience() -> None:
    pauses: list[float] = []

    with pytest.raises(LeaseLost):
        patiently(Away(1, LeaseLost("another worker has it")), sleep=pauses.append)

    assert len(pauses) == 1
