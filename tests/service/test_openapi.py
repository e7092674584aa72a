"""The description of the API is the one that was reviewed."""

from pathlib import Path

from tests.openapi import description

REVIEWED = Path(__file__).parents[1] / "openapi.json"


def test_the_api_is_the_one_that_was_reviewed() -> None:
    # Another one? `.venv/bin/python -m tests.openapi > tests/openapi.json`, and read the difference.
    assert description() == REVIEWED.read_text()
