"""What waits to be sent is bounded: the first lines and the last, under their numbers."""

from workers.backlog import Backlog
from workers.window import EDGE, Lines


def test_lines_that_follow_each_other_are_one_part() -> None:
    backlog = Backlog()

    backlog.add(Lines(3, ["a"]))
    backlog.add(Lines(4, ["b"]))
    backlog.add(Lines(9, ["c"]))

    assert backlog.take() == [Lines(3, ["a", "b"]), Lines(9, ["c"])]
    assert backlog.take() == []


def test_the_first_and_the_newest_of_very_many_lines_are_kept() -> None:
    backlog = Backlog()

    for number in range(10 * EDGE):
        backlog.add(Lines(number, [str(number)]))

    first, last = backlog.take()
    assert first == Lines(0, [*map(str, range(EDGE))])
    assert last == Lines(9 * EDGE, [*map(str, range(9 * EDGE, 10 * EDGE))])
