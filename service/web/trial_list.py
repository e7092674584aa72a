"""/studies/{name}/trials: the trials of a study as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from service import trial_tables
from service.api.dependencies import ReplicaDep, StudyName
from service.api.scopes import needs
from service.principals import Scope
from service.replica import Replica
from service.trial_tables import NUMBER, PARAM, VALUE, Asked, Table
from service.web import fragments
from service.web.pages import PageRoute, part, render
from trimtab.message import MAX_PARAMETERS, ParamName
from trimtab.states import TrialState

_ROWS = 50
_PARAMS = 5
"""Columns of parameters, where nobody says which: the first ones of a space are those that matter most."""

_NEWEST_FIRST = f"-{NUMBER}"

router = APIRouter(route_class=PageRoute)


@dataclass(frozen=True)
class Wanted:
    """Which trials somebody wants to see, in which order, and what of them.

    Args:
        state: In this state; None: in all.
        sort: By what; with a minus the highest first.
        page: From 1.
        show: Parameters; None: the first ones.
    """

    state: TrialState | None = None
    sort: Annotated[str, Query(max_length=200)] = _NEWEST_FIRST
    page: Annotated[int, Query(ge=1, le=10**6)] = 1
    show: Annotated[list[ParamName] | None, Query(max_length=MAX_PARAMETERS)] = None

    @property
    def key(self) -> str:
        """What the trials are sorted by."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the highest come first."""
        return self.sort.startswith("-")

    @property
    def asked(self) -> Asked:
        """The same, to a study."""
        return Asked(self.state, self.key, self.is_descending, (self.page - 1) * _ROWS, _ROWS)

    def address(self, **changes: object) -> str:
        """Return the query of these trials, or of others that differ in what is given, from their first page on."""
        wanted = {**vars(self), "page": 1, **changes}
        usual = vars(Wanted())
        query = urlencode({name: value for name, value in wanted.items() if value != usual[name]}, doseq=True)
        return f"?{query}" if query else "?"

    def turned(self, key: str) -> str:
        """Return the query of the same trials sorted by something, or, where they are, the other way round."""
        return self.address(sort=f"-{key}" if self.sort == key else key)

    def direction(self, key: str) -> str | None:
        """Return how the trials are sorted by something (aria-sort); None: they are not."""
        if self.key != key:
            return None
        return "descending" if self.is_descending else "ascending"


@dataclass(frozen=True)
class Column:
    """A figure of trials that is shown, and that they are sorted by.

    Args:
        title: What it is called.
        key: By which they are sorted.
    """

    title: str
    key: str


WantedDep = Annotated[Wanted, Depends()]


@router.get("/studies/{name}/trials")
@needs(Scope.READ)
def trial_list(request: Request, name: StudyName, replica: ReplicaDep, wanted: WantedDep) -> Response:
    """Show the trials of a study."""
    return render(request, "trial_list.html", **_shown(replica, name, wanted))  # type: ignore[arg-type]  # none is the status


@router.get("/fragments/studies/{name}/trials")
@needs(Scope.READ)
def trial_rows(request: Request, name: StudyName, replica: ReplicaDep, wanted: WantedDep) -> Response:
    """Answer what changes of that page."""
    key = ("trials", name, wanted.address(page=wanted.page))
    return fragments.answer(request, key, lambda: part("trials/table.html", **_shown(replica, name, wanted)))


def _shown(replica: Replica, name: str, wanted: Wanted) -> dict[str, object]:
    """Return what the template of the table gets."""
    table = trial_tables.page(replica, name, wanted.asked)
    params = list(table.study.spec.declared)
    return {
        "study": table.study,
        "table": table,
        "now": replica.clock.now(),
        "wanted": wanted,
        "values": [Column(each.metric, f"{VALUE}{each.metric}") for each in table.study.spec.objectives],
        "params": [Column(name, f"{PARAM}{name}") for name in _chosen(params, wanted)],
        "all_params": params,
        "states": list(TrialState),
        "pages": ceil(table.total / _ROWS),
        "fragment": f"/fragments/studies/{quote(name)}/trials{wanted.address(page=wanted.page)}",
        "is_live": wanted.page == 1 and not _is_over(table),
    }


def _chosen(params: Sequence[str], wanted: Wanted) -> list[str]:
    """Return the parameters that have a column: those that are wanted, and what the trials are sorted by."""
    shown = wanted.show or params[:_PARAMS]
    sorted_by = wanted.key.removeprefix(PARAM)
    return [name for name in params if name in shown or name == sorted_by]


def _is_over(table: Table) -> bool:
    """Return whether nothing of a study changes any more."""
    counts = table.study.counts
    return table.study.state.is_ended and not counts.running and not counts.waiting
