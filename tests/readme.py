"""What the README shows to be typed, for tests to do."""

import json
import re
from pathlib import Path
from typing import Any

TOKEN_FILE = "~/.local/share/trimtab/token"  # where the README looks for it

_TEXT = (Path(__file__).parents[1] / "README.md").read_text()


def container_token() -> str:
    """Return the command that prints the token of the containers."""
    (command,) = re.findall(r"^docker compose exec .*$", _TEXT, flags=re.MULTILINE)
    return str(command)


def five_calls(port: int) -> str:
    """Return the lines that read the token and make the five calls, as they stand but for the service's port."""
    (lines,) = re.findall(r"^```sh\n(TOKEN=.*?curl.*?)^```$", _TEXT, flags=re.MULTILINE | re.DOTALL)
    return str(lines).replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")


def documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after the other."""
    found = []
    while text := text.lstrip():
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
