"""Draws where each pruner stops real trainings, into docs/how-to/pruners.svg: python -m benchmarks.search.stops.

A panel for each pruner: the curves of the trials in tables/curves.json (trainings.py), one after another through the
pruner's own decisions, each drawn up to where it is stopped, with a dot there. The best trial is red.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.search.panels import SIDE, Panel, picture
from service.pruning.replay import Simulation
from trimtab.pruners import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)
from trimtab.states import Direction

FILE = Path(__file__).parents[2] / "docs" / "how-to" / "pruners.svg"
EPOCHS = 20
PRUNERS: tuple[Pruner, ...] = (
    MedianPruner(),
    PercentilePruner(name="percentile"),
    SuccessiveHalvingPruner(name="successive_halving"),
    HyperbandPruner(name="hyperband", max_resource=EPOCHS),
    PatientPruner(name="patient"),
    ThresholdPruner(name="threshold", upper=0.5, warmup_steps=3),
    WilcoxonPruner(name="wilcoxon"),
)
"""By their defaults; a threshold has none."""

LOW, HIGH = 0.02, 1.0
"""Validation errors at the lower and the upper edge."""
LINES = (0.03, 0.1, 0.3)
"""Validation errors that have a line across the panel."""
LABELS = 24
"""Pixels for their labels, left of the curves."""

Curves = Sequence[Sequence[float]]
"""The validation error of each trial after each epoch."""

_TABLE = Path(__file__).parent / "tables" / "curves.json"
_STOPPED, _COMPLETE, _BEST = "#b5c3de", "#3560b5", "#d33"


def main() -> None:
    """Play every pruner and write the picture."""
    FILE.write_text("\n".join(drawn(read())) + "\n")


def read() -> Curves:
    """Return the curves that are stored, by trial number."""
    return [trial["curve"] for trial in json.loads(_TABLE.read_text())["trials"]]


def drawn(curves: Curves) -> Iterator[str]:
    """Give the lines of the SVG."""
    everything = play(NoPruner(name="none"), curves)
    assert everything.best is not None, "every trial is complete"
    best = everything.best.number
    panels = [_panel(pruner, curves, best=best) for pruner in PRUNERS]
    legend = Panel(f"{len(curves)} trials", _legend())
    yield from picture([*panels, legend], shared=_shared())


def play(pruner: Pruner, curves: Curves) -> Simulation:
    """Return a study as it goes with a pruner, its trials trained one after another."""
    simulation = Simulation("curves", pruner, Direction.MINIMIZE)
    for number, curve in enumerate(curves):
        for step, value in enumerate(curve, start=1):
            simulation.report(number, step, value)
        simulation.complete(number, curve[-1], is_feasible=True)
    return simulation


def _panel(pruner: Pruner, curves: Curves, *, best: int) -> Panel:
    stopped = play(pruner, curves).stopped
    saved = sum(len(curves[number]) - step for number, step in stopped.items()) / sum(map(len, curves))
    return Panel(f"{pruner.name}: {100 * saved:.0f} % saved", _shapes(curves, stopped, best=best))


def _shapes(curves: Curves, stopped: Mapping[int, int], *, best: int) -> Iterator[str]:
    yield '<use href="#axes"/>'
    # The best one over the complete ones over those that are stopped.
    for number in sorted(range(len(curves)), key=lambda number: (number == best, number not in stopped)):
        colour = _BEST if number == best else _STOPPED if number in stopped else _COMPLETE
        yield _line(curves[number][: stopped.get(number)], colour)
    for number, step in sorted(stopped.items(), key=lambda stop: stop[0] == best):
        x, y = _at(step, curves[number][step - 1])
        yield f'<use href="#stop" x="{x:.0f}" y="{y:.0f}" fill="{_BEST if number == best else "#222"}"/>'


def _line(values: Sequence[float], colour: str) -> str:
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in (_at(step, value) for step, value in enumerate(values, start=1)))
    return f'<polyline points="{points}" stroke="{colour}"/>'


def _at(step: int, error: float) -> tuple[float, float]:
    """Return where a report is in its panel, in pixels from the upper left; errors by their logarithm."""
    depth = math.log(HIGH / error) / math.log(HIGH / LOW)
    return LABELS + (SIDE - LABELS - 4) * (step - 1) / (EPOCHS - 1), SIDE * depth


def _shared() -> Iterator[str]:
    yield "<style>polyline{fill:none;stroke-width:1.3;stroke-linejoin:round}</style>"
    yield '<circle id="stop" r="2.6" stroke="#fff" stroke-width=".6"/>'
    yield f'<g id="axes" font-size="9" fill="#777"><rect width="{SIDE}" height="{SIDE}" fill="#f7f7f5"/>'
    for error in LINES:
        y = _at(1, error)[1]
        yield f'<path d="M{LABELS} {y:.0f}H{SIDE}" stroke="#ddd"/><text x="3" y="{y + 3:.0f}">{error:g}</text>'
    yield "</g>"


def _legend() -> Iterator[str]:
    keys = {"complete": _COMPLETE, "stopped at the dot": _STOPPED, "best without a pruner": _BEST}
    for row, (meaning, colour) in enumerate(keys.items()):
        y = 16 + 24 * row
        yield f'<polyline points="0,{y} 30,{y}" stroke="{colour}"/><text x="40" y="{y + 4}">{meaning}</text>'
    yield '<use href="#stop" x="30" y="40" fill="#222"/>'
    yield '<text x="0" y="92">down: validation error, logarithmic</text>'
    yield f'<text x="0" y="110">across: epochs 1 to {EPOCHS}</text>'


if __name__ == "__main__":
    main()
