import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal

from service.kept import MOST, Kept
from trimtab.errors import Unavailable

Get = Callable[[str, int, int, Callable[[], object]], object]


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.close()


@pytest.fixture
def get(kept: Kept, portal: BlockingPortal) -> Get:
    """Ask on the event loop: kind, study, how many have ended, what makes the answer."""
    return lambda kind, study_id, finished, make: portal.call(_get, kept, kind, study_id, finished, make)


async def _get(kept: Kept, kind: str, study_id: int, finished: int, make: Callable[[], object]) -> object:
    return await kept.get(kind, study_id, finished=finished, make=make)


def test_an_answer_is_made_once_until_a_trial_has_ended(get: Get) -> None:
    made = iter(range(10))

    found = [get("curves", 1, finished, lambda: next(made)) for finished in (5, 5, 6, 6)]

    assert found == [0, 0, 1, 1]


def test_any_number_who_ask_at_once_get_one_answer_and_one_who_leaves_takes_it_from_nobody(
    kept: Kept, portal: BlockingPortal
) -> None:
    may_end, made = threading.Event(), list[str]()

    def slow() -> str:
        may_end.wait(10)
        made.append("slow")
        return "slow"

    async def asking() -> list[object]:
        asked = [asyncio.ensure_future(_get(kept, "curves", 1, 0, slow)) for _ in range(50)]
        await asyncio.sleep(0)
        asked.pop(0).cancel()
        may_end.set()
        return list(await asyncio.gather(*asked))

    assert (portal.call(asking), made) == (["slow"] * 49, ["slow"])


def test_what_could_not_be_made_is_made_by_the_next(get: Get) -> None:
    def fails() -> str:
        raise OSError("once")

    with pytest.raises(OSError, match="once"):
        get("curves", 1, 0, fails)

    assert get("curves", 1, 0, lambda: "made") == "made"


def test_answers_of_other_studies_and_kinds_are_others_and_the_oldest_are_forgotten(get: Get) -> None:
    for study_id in range(MOST + 1):
        get("curves", study_id, 0, lambda study_id=study_id: study_id)  # type: ignore[misc]

    assert get("curves", MOST, 0, lambda: -1) == MOST
    assert get("plane", MOST, 0, lambda: -1) == -1
    assert get("curves", 0, 0, lambda: -1) == -1


def test_a_service_that_goes_down_makes_nothing_any_more(kept: Kept, get: Get) -> None:
    kept.close()

    with pytest.raises(Unavailable, match="the service is going down"):
        get("curves", 1, 0, lambda: "made")
