"""From a search to a model that answers: confirmed by repeats, trained on all but the test set, tested once, loaded.

    python -m workers                            in one terminal: a worker
    python -m examples.final_model flowers.zip   in another: the study, its final model, and what that says of a flower

It takes half a minute. Run again it finds the study, and the model that was made of it: the test set is read once.
"""

import sys
from pathlib import Path

from rich.console import Console

import trimtab
from trimtab.budget import Budget
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import FinalNotFound, TrimtabError
from trimtab.final_view import final_view
from trimtab.finals import Confirm, FinalModel, FinalState
from trimtab.spec import StudySpec, TaskSpec
from trimtab.watching import wait_for_final, watch

SPEC = StudySpec(
    name="flowers",
    task=TaskSpec(name="mlp", data=DataSpec(dataset="iris"), fixed={"epochs": 30}),
    budget=Budget(trials=6),
)

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.9, 5.6, 1.8]]
"""Sepals and petals, their lengths and widths in centimetres: a setosa and a virginica."""


def main() -> int:
    """Search, finish, load, ask; return the exit code."""
    path, console = Path(sys.argv[1]), Console()
    try:
        with Client() as client:
            client.create_study(SPEC)
            watch(client, SPEC.name, console)
            final = _final(client)
            console.print(final_view(final))
            if final.state is not FinalState.COMPLETE:
                return 1
            client.fetch_model(SPEC.name, path)
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        return 1
    model = trimtab.load_model(path)
    for label, shares in zip(model.predict(FLOWERS), model.probabilities(FLOWERS), strict=True):
        console.print(f"{label}: {shares.max():.0%}")
    return 0


def _final(client: Client) -> FinalModel:
    try:
        client.final(SPEC.name)
    except FinalNotFound:
        client.make_final(SPEC.name, confirm=Confirm(top=2, repeats=2))
    return wait_for_final(client, SPEC.name)


if __name__ == "__main__":
    sys.exit(main())
