import re
from pathlib import Path

from service.web.metric_words import MEANINGS, meaning

TASKS = Path(__file__).parents[2] / "docs" / "reference" / "tasks.md"


def test_every_figure_that_is_documented_has_words_on_pages_and_no_other() -> None:
    tables = TASKS.read_text().split("## Every task")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", tables, re.MULTILINE)

    documented = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}

    assert set(MEANINGS) == documented


def test_a_figure_of_somebodys_own_has_none() -> None:
    assert meaning("latency") is None
