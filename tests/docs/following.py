"""Doing what a page says, block by block, as somebody who reads it would."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.docs import commands, specs, transcripts
from tests.docs.pages import Block
from trimtab import cli

_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Reader:
    """Somebody who reads one page, beside a service and a worker that run.

    Args:
        folder: Where commands are typed; also the home folder.
        server: URL of the service. TRIMTAB_SERVER and TRIMTAB_TOKEN are set.
        database_url: Of its database.
        names: What the Python of the page has defined so far.
    """

    folder: Path
    server: str
    database_url: str
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def follow(self, block: Block) -> None:
        """Do what a block says, or where it is not run see whether it could be said.

        Raises:
            AssertionError: It does not do what the page says.
        """
        match block.language:
            case "python":
                self._python(block)
            case "sh":
                self._shell(block)
            case "console":
                self._console(block)
            case "json" | "yaml" if not block.not_run:
                specs.accept(block)

    def _python(self, block: Block) -> None:
        # Blank lines before it, so that a traceback names the line of the page.
        text = "\n" * (block.line - 1) + self._here(block.text)
        code = compile(text, block.page, "exec", dont_inherit=True)
        if not (block.not_run or block.file):
            exec(code, self.names)

    def _shell(self, block: Block) -> None:
        typed = list(commands.commands(block.text))
        for words in typed:
            commands.check(words)
        if block.not_run:
            return
        if all(words[0] in commands.OURS for words in typed):
            for words in typed:
                code, said = self._ours(words)
                assert code == 0, f"{block}: {shlex.join(words)}: {said}"
        else:
            assert not any(words[0] in {"make", "python"} for words in typed), (
                f"{block}: give these a block of their own"
            )
            code, said = self._bash(block.text)
            assert code == 0, f"{block}: {said}"

    def _console(self, block: Block) -> None:
        for typed, shown in transcripts.exchanges(block.text):
            (words,) = commands.commands(typed)
            commands.check(words)
            if not block.not_run:
                _, said = self._ours(words) if words[0] in commands.OURS else self._bash(typed)
                assert transcripts.agree(shown, said), f"{block}: {typed}\n{said}"

    def _ours(self, words: Sequence[str]) -> tuple[int, str]:
        """Return the exit code of a command and what it said. What starts processes was looked at, and runs already."""
        if words[0] != "trimtab":
            return 0, ""
        said = StringIO()
        with patch("sys.argv", list(words)), redirect_stdout(said), redirect_stderr(said):
            try:
                cli.main()
            except SystemExit as end:
                return int(end.code or 0), said.getvalue()
        return 0, said.getvalue()

    def _bash(self, typed: str) -> tuple[int, str]:
        environment = os.environ | {"HOME": str(self.folder), "PATH": f"{_BIN}:{os.environ['PATH']}"}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._here(typed.replace(".venv/bin/", ""))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout

    def _here(self, text: str) -> str:
        """Return the text with the addresses of this service in place of those that pages show."""
        return text.replace("http://127.0.0.1:8000", self.server).replace("postgresql+psycopg2://…", self.database_url)
