"""What people see of a gradient check in a terminal or in a pipe."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.checks import UNCOMPARED, Check, Rating
from trimtab.rendering import printable

_COUNTS = {"checked": "compared", "kinks": "left out at kinks", UNCOMPARED: "tensors not compared"}


def check_view(check: Check) -> RenderableType:
    """Return the rating, the figure of each tensor, and what is at fault."""
    return Group(*_parts(check))


def _parts(check: Check) -> Iterator[RenderableType]:
    yield Text(f"{check.study}: {_headline(check)}")
    if check.tensors:
        yield _table(check)
    if check.reason:
        yield Text(printable(check.reason))


def _headline(check: Check) -> str:
    if check.rating is None:
        return f"no figures: {check.outcome}" if check.outcome else "waits for a worker"
    counts = [f"{check.metrics[name]:g} {words}" for name, words in _COUNTS.items() if check.metrics.get(name)]
    figure = "" if check.figure is None else f", figure {check.figure:.2g}"
    return f"{check.rating}{figure}{''.join(f', {count}' for count in counts)}"


def _table(check: Check) -> Table:
    table = Table("TENSOR", "FIGURE", "RATING", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, figure in check.tensors.items():
        # A figure that is not finite comes as None.
        rating = Rating.WRONG if figure is None else Rating.of(figure)
        table.add_row(printable(name), "-" if figure is None else f"{figure:.1e}", rating)
    return table
