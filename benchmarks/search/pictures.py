"""Draws where each sampler went, from real runs, into docs/how-to/samplers.svg: python -m benchmarks.search.pictures.

A panel for each method: 60 trials on `bowl`, early ones light, late ones dark, the best one ringed, over the loss. Of
21 runs the middle one; its title is the regret.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.search.__main__ import problems
from benchmarks.search.panels import SIDE, Panel, picture
from benchmarks.search.play import Played, play
from benchmarks.search.problems import Problem
from service.sampling.scales import Number, interval, position, value_at
from trimtab.message import FlatParams
from trimtab.samplers import Sampler
from trimtab.space import Categorical, Space

FILE = Path(__file__).parents[2] / "docs" / "how-to" / "samplers.svg"
PROBLEM = "bowl"
METHODS = ("grid", "random", "qmc", "coarse_to_fine", "tpe", "gp", "cmaes", "nsga2")
TRIALS = 60
SEEDS = 21
"""Runs of a method, of which the middle one is drawn, by its best loss: no lucky one."""
GRID = 7
"""Values of each parameter for the grid, which needs a finite space: 49 points."""

CELLS = 32
"""Squares of the background, each way."""
SHADES = 7
"""Of the background, each over an equal share of the panel: so the valley shows, however deep it is."""

_SAMPLER: TypeAdapter[Sampler] = TypeAdapter(Sampler)


def main() -> None:
    """Play every method and write the picture."""
    FILE.write_text("\n".join(drawn(problems()[PROBLEM])) + "\n")


def drawn(problem: Problem) -> Iterator[str]:
    """Give the lines of the SVG."""
    return picture([_panel(problem, method) for method in METHODS], shared=_shared(problem))


def _shared(problem: Problem) -> Iterator[str]:
    yield '<g id="loss">'
    yield from _background(problem)
    yield '</g><circle id="dot" r="3" stroke="#fff" stroke-width=".5"/>'


def _panel(problem: Problem, method: str) -> Panel:
    runs = sorted((_run(problem, method, seed) for seed in range(SEEDS)), key=lambda run: _best(run).loss)
    middle = runs[SEEDS // 2]
    return Panel(f"{method}: {problem.regret(_best(middle).loss):.2g}", _shapes(problem, middle))


def _shapes(problem: Problem, played: Sequence[Played]) -> Iterator[str]:
    yield '<use href="#loss"/>'
    for number, trial in enumerate(played):
        yield _dot(problem, trial, shade=number / len(played))
    x, y = _at(problem.space, _best(played).params)
    yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="6" fill="none" stroke="#d33" stroke-width="2"/>'


def _run(problem: Problem, method: str, seed: int) -> list[Played]:
    sampler = _SAMPLER.validate_python({"name": method, "seed": seed})
    if method == "grid":
        return play(_finite(problem), sampler, trials=GRID**2)
    return play(problem, sampler, trials=TRIALS)


def _best(played: Sequence[Played]) -> Played:
    return min(played, key=lambda trial: trial.loss)


def _dot(problem: Problem, trial: Played, *, shade: float) -> str:
    x, y = _at(problem.space, trial.params)
    lightness = round(85 - 85 * shade)
    return f'<use href="#dot" x="{x:.0f}" y="{y:.0f}" fill="hsl(220,60%,{lightness}%)"/>'


def _background(problem: Problem) -> Iterator[str]:
    """Give the squares of the loss, neighbours of one shade in a row as one."""
    losses = [[problem.loss(_params(problem.space, column, row)) for column in range(CELLS)] for row in range(CELLS)]
    ordered = sorted(loss for row in losses for loss in row)
    bounds = [ordered[len(ordered) * shade // SHADES] for shade in range(1, SHADES)]
    size = SIDE / CELLS
    for row, line in enumerate(losses):
        column = 0
        for shade, same in groupby(sum(loss >= bound for bound in bounds) for loss in line):
            count = len(list(same))
            area = f"M{column * size:g} {row * size:g}h{count * size:g}v{size:g}h-{count * size:g}z"
            yield f'<path d="{area}" fill="hsl(40,70%,{70 + 4 * shade}%)"/>'
            column += count


def _params(space: Space, column: int, row: int) -> FlatParams:
    """Return the point in the middle of a square."""
    shares = [(column + 0.5) / CELLS, 1 - (row + 0.5) / CELLS]
    return {name: _value(_number(space, name), share) for name, share in zip(space, shares, strict=True)}


def _at(space: Space, params: FlatParams) -> tuple[float, float]:
    """Return where a point is in its panel, in pixels from the upper left."""
    shares = []
    for name in space:
        whole = interval(_number(space, name))
        shares.append((position(_number(space, name), float(params[name])) - whole.low) / whole.width)
    return SIDE * shares[0], SIDE * (1 - shares[1])


def _finite(problem: Problem) -> Problem:
    """Return the problem with few values of each parameter, at equal distances on its scale."""
    space = {name: Categorical(choices=_values(_number(problem.space, name))) for name in problem.space}
    return replace(problem, space=Space(space))


def _values(parameter: Number) -> tuple[float, ...]:
    return tuple(_value(parameter, (position + 0.5) / GRID) for position in range(GRID))


def _value(parameter: Number, share: float) -> float:
    whole = interval(parameter)
    return value_at(parameter, whole.low + share * whole.width)


def _number(space: Space, name: str) -> Number:
    parameter = space[name]
    assert not isinstance(parameter, Categorical), "a picture has two axes with scales"
    return parameter


if __name__ == "__main__":
    main()
