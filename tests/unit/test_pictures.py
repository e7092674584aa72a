"""The pictures of the docs show what the code does."""

from benchmarks.search import stops


def test_the_picture_of_the_pruners_shows_what_they_decide_today() -> None:
    drawn = list(stops.drawn(stops.read()))

    assert drawn == stops.FILE.read_text().splitlines()
