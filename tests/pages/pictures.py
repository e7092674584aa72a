"""Takes the pictures of docs/how-to/pages.md, of studies that really ran.

    python -m tests.pages.pictures [names of pictures …]

A service on port 8000, a worker and two studies of their own, for a minute or two. The pictures go to docs/pictures/.
"""

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from service import embedded
from service.migrate import migrate
from tests.e2e.running import REPOSITORY, TOKEN, Workers, serving, wait_for
from tests.pages.browsing import PHONE, People, Windows, browsing, windows
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import TrialState
from trimtab.validation import built

FOLDER = REPOSITORY / "docs" / "pictures"
STUDY = "digits"
RUNNING = "digits-convolutions"
WIDTH = 1200
COLOURS = 256
"""Of a picture: enough for pages, and a third of the bytes."""

PORT = 8000
"""As in the addresses of the docs, some of which are in the pictures."""

SETTLED_MS = 3000
"""Until what scripts draw has been fetched and drawn."""

_TRIALS = 40
_SPEC: dict[str, Any] = {
    "name": STUDY,
    "task": {"name": "mlp", "data": {"dataset": "digits"}, "fixed": {"epochs": 20}},
    "sampler": {"name": "tpe", "seed": 1},
    "control": {"share": 0.25},
    "pruner": {"name": "median", "startup_trials": 5, "warmup_steps": 3},
    "budget": {"trials": _TRIALS},
    "tags": ["example"],
}


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Args:
        path: Of the page; `{pruned}` is the number of a trial that was stopped early.
        part: A selector of what is shown of it; None: what is seen first.
        height: Of the window.
        options: Of the browser's context.
    """

    path: str
    part: str | None = None
    height: int = 850
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def window(self) -> dict[str, Any]:
        """What the browser's context is made with."""
        return {"viewport": {"width": WIDTH, "height": self.height}} | self.options


DARK = {"color_scheme": "dark"}
ON_A_PHONE = {"viewport": PHONE}

PICTURES = {
    "studies": Picture("/", height=380),
    "study": Picture(f"/studies/{STUDY}"),
    "study-phone": Picture(f"/studies/{STUDY}", options=ON_A_PHONE),
    "curves": Picture(f"/studies/{STUDY}", "#curves"),
    "curves-dark": Picture(f"/studies/{STUDY}", "#curves", options=DARK),
    "progress": Picture(f"/studies/{STUDY}", "#progress"),
    "plane": Picture(f"/studies/{STUDY}", "#plane"),
    "importances": Picture(f"/studies/{STUDY}", "[data-figure$='/importances']"),
    "contour": Picture(f"/studies/{STUDY}", "[data-figure$='/contour']", options=DARK),
    "trials": Picture(f"/studies/{STUDY}/trials?sort=value.validation_error", height=700),
    "trial": Picture(f"/studies/{STUDY}/trials/{{pruned}}", height=1000),
    "workers": Picture("/workers", height=500),
    "dashboard": Picture(f"/studies/{STUDY}/optuna", "body:has(.barlayer .point)"),
    "new": Picture("/new", height=1000),
    "new-space": Picture("/new", "#space", options=DARK),
}


def main() -> int:
    """Take them."""
    wanted = sys.argv[1:] or list(PICTURES)
    FOLDER.mkdir(exist_ok=True)
    with _studies() as shown:
        pruned = [trial.number for trial in shown.people.client.trials(STUDY, TrialState.PRUNED)]
        for name in wanted:
            picture = PICTURES[name]
            _take(shown.open(picture.path.format(pruned=pruned[-1]), **picture.window), picture.part, name)
    return 0


@contextmanager
def _studies() -> Iterator[Windows]:
    """Have a study that has ended and one that runs, and a browser to look at them."""
    with tempfile.TemporaryDirectory(prefix="trimtab-pictures-") as name, ExitStack() as ending:
        folder = Path(name)
        # As root the embedded PostgreSQL runs as another user, who has to get there.
        folder.chmod(0o711)
        database = ending.enter_context(embedded.start(folder)).url
        migrate(database)
        url = ending.enter_context(serving(database, port=PORT))
        client = ending.enter_context(Client(url, TOKEN))
        client.create_study(built(StudySpec, _SPEC))
        workers = Workers(folder, ending)
        workers.start(url, "--slots", "2", "--device", "cpu")
        wait_for(lambda: client.study(STUDY).state.is_ended, seconds=300)
        client.create_study(built(StudySpec, _SPEC | {"name": RUNNING, "task": _SPEC["task"] | {"name": "cnn"}}))
        wait_for(lambda: client.study(RUNNING).counts.running, seconds=60)
        people = People(ending.enter_context(browsing()), url, client)
        yield ending.enter_context(windows(people))


def _take(page: Page, part: str | None, name: str) -> None:
    shown = page.locator(part or "body")
    if part:
        shown.scroll_into_view_if_needed()
    expect(shown).not_to_have_class(re.compile("waiting"))
    page.wait_for_timeout(SETTLED_MS)
    taken = Image.open(io.BytesIO(shown.screenshot() if part else page.screenshot()))
    # Colours that are seldom are kept: one red cross matters.
    few = taken.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
