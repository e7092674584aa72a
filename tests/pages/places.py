"""Every page that there is, for tests of what holds on all of them."""

from collections.abc import Callable, Mapping

from tests.pages.trained import Trained

PLACES: Mapping[str, Callable[[Trained], str]] = {
    "studies": lambda _: "/",
    "no study found": lambda _: "/?state=stopped",
    "workers": lambda _: "/workers",
}
