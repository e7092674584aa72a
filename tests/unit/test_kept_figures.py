"""Figures are drawn once for all who ask, and anew when there is something else to draw."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from service.web.figures.kept import MOST_KEPT, Figures


class Drawing:
    """Draws, and counts how often."""

    def __init__(self) -> None:
        self.count = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self) -> str:
        self.count += 1
        self.may_go_on.wait()
        return f"drawn {self.count}"


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


class Watch:
    """A clock that stands still, but while something is drawn."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def body(
    figures: Figures, draw: Callable[[], str], *, key: str = "a", tag: str = "1", final: bool = False
) -> str:
    kept = await figures.get(key, tag, draw, is_final=final)
    assert kept is not None
    return kept.body


def run(asking: Awaitable[list[str]]) -> list[str]:
    async def all_of_it() -> list[str]:
        return await asking

    return asyncio.run(all_of_it())


def test_two_who_ask_at_once_get_one_drawing(drawing: Drawing) -> None:
    figures = Figures(seconds=60)

    async def asking() -> list[str]:
        drawing.may_go_on.clear()
        first, second = (asyncio.ensure_future(body(figures, drawing)) for _ in range(2))
        await asyncio.sleep(0)
        drawing.may_go_on.set()
        return [await first, await second]

    assert run(asking()) == ["drawn 1", "drawn 1"]


def test_what_an_ended_study_has_become_is_drawn_at_once(drawing: Drawing) -> None:
    figures = Figures(seconds=60, clock=Watch())

    async def asking() -> list[str]:
        return [await body(figures, drawing, tag=tag, final=True) for tag in ("1", "1", "2")]

    assert run(asking()) == ["drawn 1", "drawn 1", "drawn 2"]


def test_much_work_is_not_done_for_every_trial_that_ends() -> None:
    watch = Watch()
    figures = Figures(seconds=60, clock=watch)
    count = 0

    def draw() -> str:
        nonlocal count
        count += 1
        watch.seconds += 2.0
        return f"drawn {count}"

    async def asking() -> list[str]:
        first = await body(figures, draw, tag="1")
        soon = await figures.get("a", "2", draw, is_final=False)
        assert soon is not None
        watch.seconds += figures.seconds_good(soon)
        return [first, soon.body, await body(figures, draw, tag="2")]

    assert run(asking()) == ["drawn 1", "drawn 1", "drawn 2"]


def test_what_failed_is_tried_again(drawing: Drawing) -> None:
    figures = Figures(seconds=60)

    def fail() -> str:
        raise ValueError("once")

    async def asking() -> list[str]:
        with pytest.raises(ValueError, match="once"):
            await body(figures, fail)
        return [await body(figures, drawing)]

    assert run(asking()) == ["drawn 1"]


def test_who_waits_too_long_hears_so_and_finds_it_drawn_later(drawing: Drawing) -> None:
    figures = Figures(seconds=0.01)

    async def asking() -> list[str]:
        drawing.may_go_on.clear()
        assert await figures.get("a", "1", drawing, is_final=True) is None
        drawing.may_go_on.set()
        kept = None
        while kept is None:
            kept = await figures.get("a", "1", drawing, is_final=True)
        return [kept.body]

    assert run(asking()) == ["drawn 1"]


def test_only_so_many_are_kept(drawing: Drawing) -> None:
    figures = Figures(seconds=60)

    async def asking() -> list[str]:
        for key in range(MOST_KEPT + 1):
            await body(figures, drawing, key=str(key))
        return [await body(figures, drawing, key=str(MOST_KEPT)), await body(figures, drawing, key="0")]

    assert run(asking()) == [f"drawn {MOST_KEPT + 1}", f"drawn {MOST_KEPT + 2}"]
