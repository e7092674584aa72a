"""Every page that there is, for tests of what holds on all of them."""

from collections.abc import Callable, Mapping

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
    "workers": lambda _: "/workers",
}
