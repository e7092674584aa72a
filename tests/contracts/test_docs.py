"""What exists is documented: settings, commands, routes, errors, hyperparameters."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.app import create_app
from service.replica import Replica
from service.tokens import Tokens
from tests import reference
from trimtab import errors
from trimtab.tasks import TASKS

ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "docs/reference/settings.md").read_text()
API = (ROOT / "docs/reference/api.md").read_text()
REFERENCE = (ROOT / "docs/reference/tasks.md").read_text()


def source() -> Iterator[str]:
    for package in ("trimtab", "service", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            yield path.read_text()


def test_every_setting_is_documented() -> None:
    # A trailing underscore is a prefix, not a setting.
    names = {name for text in source() for name in re.findall(r"\bTRIMTAB_[A-Z_]*[A-Z]\b", text)}

    assert len(names) > 5
    assert [name for name in sorted(names) if name not in SETTINGS] == []


def test_every_variable_of_the_compose_file_is_documented() -> None:
    page = SETTINGS + (ROOT / "docs/how-to/docker.md").read_text()
    files = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", ".env.example"))

    names = set(re.findall(r"\bTRIMTAB_[A-Z_]*[A-Z]\b", files))

    assert len(names) > 2
    assert [name for name in sorted(names) if name not in page] == []


def test_every_command_is_documented_with_every_option() -> None:
    page = reference.PAGE.read_text()

    assert page == reference.renewed(page), "renew it: python -m tests.reference"
    assert page.count("## `trimtab ") == len(list(reference.commands())) > 10


def test_every_route_is_documented() -> None:
    app = create_app(Replica(sa.create_engine("postgresql+psycopg2://"), 30.0), Tokens("token"))

    routes = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}

    assert {route for route in routes if route not in API} == set()


def test_every_error_is_documented() -> None:
    codes = {
        error.code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.Refused)
    }

    assert {code for code in codes if f"`{code}`" not in API} == set()


def documented(title: str) -> dict[str, str]:
    """The defaults of hyperparameters, by name, as the table below a title has them."""
    section = REFERENCE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z0-9_`, ]+`) \| ([^|]+) \|", section, re.MULTILINE)
    return {
        name.strip("`"): default
        for names, defaults in rows
        for name, default in zip(names.split(", "), defaults.split(", "), strict=True)
    }


@pytest.mark.parametrize(
    ("task", "titles"), [("mlp", ["Every task", "`mlp`"]), ("cnn", ["Every task", "`mlp`", "`cnn`"])]
)
def test_every_hyperparameter_is_documented_with_its_default(task: str, titles: list[str]) -> None:
    found: dict[str, str] = {}
    for title in titles:
        found |= documented(title)

    defaults = {name: knob.default for name, knob in TASKS[task].hyperparameters.items()}
    assert {
        name: json.loads(text) if text[0].isdigit() or text == "false" else text for name, text in found.items()
    } == defaults


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))])
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_read_to_the_best_trial_within_two_minutes() -> None:
    readme = (ROOT / "README.md").read_text()

    read = readme.partition("trimtab study best ")[0].split()

    # At 230 words a minute. (Brysbaert 2019: 238 is the mean of silent reading in English.)
    assert 50 < len(read) < 2 * 230
