"""`python -m tests.reference` renews docs/reference/commands.md, all but its beginning, from what the commands tell."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from trimtab.cli import nouns
from trimtab.cli.later import Later
from workers import check_command
from workers import settings as worker_settings

PAGE = Path(__file__).parents[1] / "docs/reference/commands.md"
_FIRST = "\n## `"


def renewed(page: str) -> str:
    """Return the page with every command, and every option of each, as they are now."""
    return page.partition(_FIRST)[0] + "".join(_sections())


def _sections() -> Iterator[str]:
    yield _section("python -m workers", "Pull trials and train them until stopped.", _told(worker_settings._parser()))
    checks = "Check the gradients of a task here; no service is needed."
    yield _section("python -m workers check-gradients", checks, _told(check_command._parser()))
    for path, command in commands():
        context = typer.Context(command)
        records = [parameter.get_help_record(context) for parameter in command.params]
        yield _section(path, command.help, [record for record in records if record])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command of `trimtab`, with what is typed for it."""
    yield from _below(nouns.command(), "trimtab")


def _below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    found = command.found() if isinstance(command, Later) else command
    if not hasattr(found, "commands"):
        yield path, found
        return
    for name, inner in found.commands.items():
        yield from _below(inner, f"{path} {name}")


def _told(parser: ArgumentParser) -> list[tuple[str, str]]:
    actions = [action for action in parser._actions if action.dest != "help"]
    return [(f"{each.option_strings[-1]} {each.metavar or each.dest.upper()}", each.help or "") for each in actions]


def _section(path: str, text: str, options: Sequence[tuple[str, str]]) -> str:
    width = max((len(name) for name, _ in options), default=0)
    lines = [f"{name:{width}}  {' '.join(told.split())}" for name, told in options]
    return "\n".join([f"{_FIRST}{path}`", "", text, "", "```text", *lines, "```", ""])


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
