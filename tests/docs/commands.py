"""The commands of a block for the shell, and whether each is one that can be typed."""

import argparse
import importlib.util
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any
from unittest.mock import patch

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import service.__main__ as service_commands
from tests.docs.pages import ROOT
from trimtab.cli import nouns
from trimtab.cli.later import Later
from workers import check_command
from workers import settings as worker_settings

OURS = ("trimtab", "python", "make")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command; settings before it, the folder of the environment and comments are left out.

    What is between quotes, or goes on after a backslash, is one command whatever lines it has.
    """
    typed = ""
    for line in text.splitlines():
        typed += line
        if (words := _words(typed)) is None:
            typed += "\n"
            continue
        if words:
            yield words
        typed = ""
    assert not typed, f"a quote is not closed: {typed}"


def check(words: Sequence[str]) -> None:
    """Look whether a command of ours exists and takes these options; one of others is not looked at.

    Raises:
        AssertionError: It cannot be typed.
    """
    said = StringIO()
    try:
        with redirect_stderr(said):
            _check(list(words))
    except (SystemExit, TyperException, LookupError) as error:
        raise AssertionError(f"{shlex.join(words)}: {said.getvalue() or error}") from error


def _check(words: list[str]) -> None:
    match words:
        case ["trimtab", *arguments]:
            _check_trimtab(arguments)
        case ["python", "-m", "service", *arguments]:
            with patch("sys.argv", ["service", *arguments]):
                service_commands._arguments()
        case ["python", "-m", "workers", "check-gradients", *arguments]:
            _parse(check_command._parser(), arguments)
        case ["python", "-m", "workers", *arguments]:
            _parse(worker_settings._parser(), arguments)
        case ["python", "-m", module, *_]:
            assert importlib.util.find_spec(module), f"there is no module {module}"
        case ["make", *targets]:
            missing = {target for target in targets if "=" not in target} - _targets()
            assert not missing, f"make knows no {missing}"
        case _:
            pass


def exists(words: Sequence[str]) -> bool:
    """Return whether `trimtab` has the command; what follows it may be a word for something, such as NAME."""
    command, left = _command(list(words[1:]))
    return not isinstance(command, TyperGroup) or not left or left[0].startswith("-")


def _check_trimtab(arguments: list[str]) -> None:
    command, arguments = _command(arguments)
    assert not isinstance(command, TyperGroup), f"trimtab has no command {arguments[:1]}"
    _, left, _ = command.make_parser(typer.Context(command)).parse_args(arguments)
    assert not left, f"{command.name} takes no {left}"


def _command(arguments: list[str]) -> tuple[Any, list[str]]:
    """Return the innermost command that is named, and what follows its name."""
    command = _found(nouns.command())
    while isinstance(command, TyperGroup) and arguments and arguments[0] in command.commands:
        command, arguments = _found(command.commands[arguments[0]]), arguments[1:]
    return command, arguments


def _found(command: Any) -> Any:
    return command.found() if isinstance(command, Later) else command


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    parser.parse_args(arguments)


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _words(typed: str) -> list[str] | None:
    """Return the words of a command; None if it goes on in the next line."""
    if typed.endswith("\\"):
        return None
    try:
        words = shlex.split(typed.replace("\\\n", ""), comments=True)
    except ValueError:
        return None
    while words and re.fullmatch(r"[A-Z_]+=[^(]*", words[0]):
        words.pop(0)
    return [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []
