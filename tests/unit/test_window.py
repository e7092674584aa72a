"""Of what a process writes the first lines and the last are kept, by number, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.trial_logs import MAX_LINE
from workers.window import EDGE, Lines, Window


def window_of(*pieces: bytes) -> Window:
    window = Window()
    for piece in pieces:
        window.add(piece)
    return window


def test_lines_are_numbered_from_the_beginning_however_often_they_are_taken() -> None:
    window = window_of(b"a\nb\n")
    before = window.take()

    window.add(b"c\n")

    assert (before, window.take()) == ([Lines(0, ["a", "b"])], [Lines(2, ["c"])])
    assert window.take() == []


@given(st.lists(st.binary(max_size=20)))
def test_it_makes_no_difference_in_which_pieces_it_was_written(pieces: list[bytes]) -> None:
    whole = window_of(b"".join(pieces))

    in_pieces = window_of(*pieces)

    assert in_pieces.take(is_over=True) == whole.take(is_over=True)


def test_of_very_many_lines_the_first_and_the_last_are_kept() -> None:
    window = window_of(*(b"line %d\n" % number for number in range(100_000)))

    first, last = window.take()

    assert (first.first, first.texts[0], len(first.texts)) == (0, "line 0", EDGE)
    assert (last.first, last.texts[-1], len(last.texts)) == (100_000 - EDGE, "line 99999", EDGE)
    window.add(b"next\n")
    assert window.take() == [Lines(100_000, ["next"])]


def test_a_line_without_an_end_is_taken_at_the_end() -> None:
    window = window_of(b"Segmentation fau")

    assert window.take() == []
    assert window.take(is_over=True) == [Lines(0, ["Segmentation fau"])]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"10%\r20%\r30%\n", "30%"),
        (b"from Windows\r\n", "from Windows"),
        (b"\x1b[1;31mred\x1b[0m\n", "red"),
        (b"\xff\xfe\n", "��"),
        (b"a\x00b\n", "a\\x00b"),
        ("é" * 3000 + "\n", None),
    ],
)
def test_a_line_is_kept_as_a_terminal_shows_it(written: bytes | str, text: str | None) -> None:
    window = window_of(written if isinstance(written, bytes) else written.encode())

    (lines,) = window.take()

    assert list(lines.texts) == [text or "é" * (MAX_LINE - 1) + "…"]


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"\r" + b"progress" * 1000])
def test_a_line_that_never_ends_takes_little_memory(piece: bytes) -> None:
    window = window_of(*[piece] * 100)

    assert len(window._open) < 200_000
    assert len(window.take(is_over=True)[0].texts[0]) == MAX_LINE
