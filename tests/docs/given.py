"""What a page takes for granted before its first block, such as a study that somebody has."""

from pathlib import Path

from tests.e2e.running import wait_for
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import StudyState
from trimtab.validation import built

_HOUSES = "rooms,area,price\n" + "".join(
    f"{rooms},{rooms * 20 + extra},{rooms * 50 + extra * 2 + 0.5}\n" for rooms in range(1, 7) for extra in range(20)
)


def prepare(page: str, client: Client, folder: Path) -> None:
    """Make what the page speaks of as of something that is there."""
    match page:
        case "docs/concepts.md" | "docs/how-to/search.md" | "docs/how-to/export.md" | "docs/how-to/watch-a-study.md":
            _study(client, "digits", trials=1)
        case "docs/how-to/final-model.md" | "docs/how-to/diagnose.md" | "docs/how-to/check-gradients.md":
            _study(client, "digits", trials=1)
            wait_for(lambda: client.study("digits").state is StudyState.COMPLETE, seconds=600)
        case "docs/how-to/data.md":
            (folder / "houses.csv").write_text(_HOUSES)


def _study(client: Client, name: str, *, trials: int) -> None:
    task = {"name": "mlp", "fixed": {"epochs": 2}}
    space = {
        "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
        "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
        "hidden_units": {"type": "int", "low": 16, "high": 256},
    }
    client.create_study(built(StudySpec, {"name": name, "task": task, "space": space, "budget": {"trials": trials}}))
