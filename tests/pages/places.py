"""Every page that there is, for tests of what holds on all of them."""

from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Page

from tests.pages.browsing import Windows
from tests.pages.trained import Trained

PLACES: Mapping[str, Callable[[Trained], str]] = {
    "studies": lambda _: "/",
    "no study found": lambda _: "/?state=stopped",
    "study": lambda study: f"/studies/{study.name}",
    "trials": lambda study: f"/studies/{study.name}/trials",
    "no trial found": lambda study: f"/studies/{study.name}/trials?state=waiting",
    "trial": lambda study: f"/studies/{study.name}/trials/{study.best}",
    "pruned trial": lambda study: f"/studies/{study.name}/trials/{study.pruned}",
    "new study": lambda _: "/new",
    "copy of a study": lambda study: f"/new?like={study.name}",
    "workers": lambda _: "/workers",
    "delete a study": lambda study: f"/studies/{study.name}/delete",
    "refusal": lambda study: f"/studies/{study.name}/trials/999999",
}
_FAULTS: Mapping[str, str] = {"refusal": "answered with 404"}


def open_place(windows: Windows, place: str, study: Trained, **options: Any) -> Page:
    """Open one of the pages; what it is answered with is expected."""
    if place in _FAULTS:
        windows.guard.expect(_FAULTS[place])
    return windows.open(PLACES[place](study), **options)
