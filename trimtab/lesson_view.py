"""What people see of what a study has taught, in a terminal or in a pipe."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.learned import Importances
from trimtab.rendering import printable
from trimtab.replay import PrunerReplay, Replay

BAR_COLUMNS = 30


def importances_view(found: Importances) -> RenderableType:
    """Return the share of each parameter, the greatest first, as a number and as a bar."""
    headline = Text(f"{found.method} of {printable(found.metric)}, measured on {found.trials} complete trials")
    if found.reason:
        return Group(headline, Text(printable(found.reason)))
    table = _table("PARAMETER", "SHARE", "")
    for name, share in found.importances.items():
        table.add_row(Text(printable(name)), f"{share:.3f}", "█" * round(share * BAR_COLUMNS))
    return Group(headline, table)


def replay_view(found: Replay) -> RenderableType:
    """Return a line for each pruner: what it would have stopped, saved and lost."""
    table = _table("PRUNER", "STOPS", "EPOCHS SAVED", "SECONDS SAVED", "BEST", "BEST TRIAL")
    for replayed in found.pruners:
        table.add_row(
            f"{replayed.pruner.name} (its own)" if replayed.is_own else replayed.pruner.name,
            f"{len(replayed.stopped)} of {found.trials}",
            _of(replayed.epochs_saved, found.epochs),
            _of(replayed.seconds_saved, found.seconds),
            "" if replayed.best_value is None else f"{replayed.best_value:.4g}",
            _best(replayed),
        )
    return Group(Text(f"{found.study}: {found.trials} trials of {found.epochs} epochs, {found.seconds:.0f} s"), table)


def _best(replayed: PrunerReplay) -> str:
    number = "none" if replayed.best_trial is None else str(replayed.best_trial)
    return f"{number}: the best one is lost" if replayed.loses_best else number


def _of(part: float, whole: float) -> str:
    share = f" ({part / whole:.0%})" if whole else ""
    return f"{part:.0f}{share}"


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
