"""Every point of a finite space has a number of its own, and is found again by it."""

import itertools

import pytest

from trimtab import grids
from trimtab.grids import Grid, Uncountable
from trimtab.space import Categorical, Float, Int, Parameter, Scale, Space

CONDITIONAL: dict[str, Parameter] = {
    "optimizer": Categorical(choices=("sgd", "adam", "rmsprop")),
    "momentum": Float(low=0.0, high=0.9, step=0.3, when={"optimizer": ("sgd", "rmsprop")}),
    "nesterov": Categorical(choices=(True, False), when={"momentum": (0.3, 0.9), "optimizer": ("sgd",)}),
    "layers": Int(low=1, high=7, step=3),
    "width": Int(low=8, high=10, scale=Scale.LOG, when={"layers": (4, 7)}),
}


def by_hand(space: Space) -> set[tuple[tuple[str, object], ...]]:
    """All distinct points, by trying every value of every parameter."""
    every = [[grids.value_at(p, i) for i in range(grids.size(p))] for p in (space[name] for name in space)]
    found = set()
    for chosen in itertools.product(*every):
        point: dict[str, object] = {}
        for name, value in zip(space, chosen, strict=True):
            if space.is_active(name, point):
                point[name] = value
        found.add(tuple(point.items()))
    return found


@pytest.mark.parametrize("names", [["optimizer", "layers"], ["optimizer", "momentum"], list(CONDITIONAL)])
def test_a_grid_has_each_distinct_point_once(names: list[str]) -> None:
    space = Space({name: CONDITIONAL[name] for name in names})

    points = [tuple(Grid(space).point(number).items()) for number in range(Grid(space).size)]

    assert len(set(points)) == len(points)
    assert set(points) == by_hand(space)


def test_the_number_of_a_point_leads_back_to_it() -> None:
    grid = Grid(Space(CONDITIONAL))

    numbers = [grid.number(grid.point(number)) for number in range(grid.size)]

    assert numbers == list(range(grid.size))


def test_the_steps_of_a_float_are_counted_as_they_are_written() -> None:
    space = Space({"rate": Float(low=0.1, high=0.3, step=0.1)})

    points = [Grid(space).point(number) for number in range(Grid(space).size)]

    assert points == [{"rate": 0.1}, {"rate": 0.2}, {"rate": 0.3}]


def test_a_large_grid_is_counted_without_being_made() -> None:
    space = Space({f"x{n}": Int(low=1, high=10, when={"x0": (3,)} if n else None) for n in range(13)})

    assert Grid(space).size == 9 + 10**12


def test_a_parameter_of_a_billion_values_that_others_depend_on_is_counted_at_once() -> None:
    space = Space({"seed": Int(low=1, high=10**9), "lucky": Categorical(choices=(1, 2), when={"seed": (7, 13)})})

    grid = Grid(space)

    assert grid.size == 10**9 + 2
    assert [grid.number(grid.point(number)) for number in (0, 3, 4, 17, 10**9 + 1)] == [0, 3, 4, 17, 10**9 + 1]


def test_conditions_that_hold_in_too_many_ways_are_not_counted() -> None:
    parents: dict[str, Parameter] = {f"is_{n}": Categorical(choices=(True, False)) for n in range(40)}
    children: dict[str, Parameter] = {f"size_{n}": Int(low=1, high=2, when={f"is_{n}": (True,)}) for n in range(40)}

    with pytest.raises(Uncountable):
        Grid(Space(parents | children))


def test_a_chain_of_as_many_conditions_as_there_may_be_parameters_is_counted() -> None:
    chain = {f"p{n}": Categorical(choices=(0, 1), when={f"p{n - 1}": (1,)} if n else None) for n in range(256)}

    grid = Grid(Space(chain))

    assert grid.size == 257
    assert [grid.number(grid.point(number)) for number in (0, 100, 256)] == [0, 100, 256]


def test_only_floats_without_a_step_are_infinite() -> None:
    space = Space({"rate": Float(low=0, high=1), "one": Float(low=1, high=1), **CONDITIONAL})

    assert grids.infinite(space) == ["rate"]
