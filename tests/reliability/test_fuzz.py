"""Whatever fits the description of the API is served as it says, and whatever does not is refused as it says."""

from pathlib import Path

import pytest

from tests.reliability.fuzzing import TOKEN, fuzz, serving


@pytest.mark.parametrize("token", [TOKEN, None], ids=["with a token", "without"])
def test_the_service_does_what_its_description_says(database_url: str, tmp_path: Path, token: str | None) -> None:
    with serving(database_url, tmp_path) as fuzzed:
        found = fuzz(fuzzed.url, seed=1, examples=5, token=token)

    assert not found.failures, found.text
    assert found.cases > 500
    assert fuzzed.defects() == []
