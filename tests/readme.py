"""What the README shows to be typed, for tests to do."""

import json
from typing import Any

from tests.docs import pages

TOKEN_FILE = "~/.local/share/trimtab/token"  # where the README looks for it


def container_token() -> str:
    """Return the command that prints the token of the containers."""
    (command,) = (line for line in _shown("docker compose").splitlines() if line.startswith("docker compose exec "))
    return command


def five_calls(port: int) -> str:
    """Return the lines that read the token and make the five calls, as they stand but for the service's port."""
    return _shown("TOKEN=").replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")


def _shown(beginning: str) -> str:
    (block,) = (block.text for block in pages.blocks("README.md") if block.text.startswith(beginning))
    return block


def documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after the other."""
    found = []
    while text := text.lstrip():
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
