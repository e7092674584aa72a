"""The points of a finite space, counted and by number: each distinct one once, conditions kept."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from trimtab.message import FlatParams, Scalar
from trimtab.space import Categorical, Float, Int, Space

MAX_POINTS = 1_000_000
"""Of a grid. A seeded order of so many is made in 20 ms and takes 8 MB."""

_MAX_STATES = 20_000
"""Ways in which conditions hold or not, of one space. Real spaces have a handful."""

_Parameter = Float | Int | Categorical
_Absent = frozenset[int]
_State = tuple[int, _Absent]
"""A position, and which parameters from it on are absent."""


class Uncountable(ValueError):
    """The conditions of a space hold in too many different ways to count its points."""


class Grid:
    """The points of a finite space, numbered from 0.

    A parameter is absent from a point where its condition does not hold; so are all that depend on it. What comes
    after a parameter depends on which of the later ones are absent, and on nothing else: so points are counted from
    the last parameter to the first, and found by going down the same counts.

    Args:
        space: Without infinite parameters.

    Raises:
        Uncountable: It cannot be counted.
    """

    def __init__(self, space: Space) -> None:
        self._names = list(space)
        self._parameters = [space[name] for name in self._names]
        self._dependents = _dependents(space)
        self._named = [_named(parameter, of) for parameter, of in zip(self._parameters, self._dependents, strict=True)]
        self._counts: dict[_State, int] = {(len(self._names), frozenset()): 1}
        self.size = self._count(0, frozenset())

    def __len__(self) -> int:
        return self.size

    def point(self, number: int) -> FlatParams:
        """Return the point of that number, in [0, size)."""
        point: dict[str, Scalar] = {}
        absent: _Absent = frozenset()
        for position, name in enumerate(self._names):
            if position in absent:
                absent = self._after(position, None, absent)
                continue
            number, point[name] = self._chosen(position, absent, number)
            absent = self._after(position, point[name], absent)
        return point

    def number(self, params: Mapping[str, Scalar]) -> int:
        """Return the number of a point of the space."""
        number = 0
        absent: _Absent = frozenset()
        for position, name in enumerate(self._names):
            if position not in absent:
                number += self._before(position, absent, params[name])
            absent = self._after(position, params.get(name), absent)
        return number

    def find(self, params: Mapping[str, Scalar]) -> int | None:
        """Return the number of a point; None if it is none of this space."""
        is_inside = all(
            name in self._names and 0 <= index_of(self._parameters[self._names.index(name)], value) < size(parameter)
            for name, value in params.items()
            for parameter in [self._parameters[self._names.index(name)]]
        )
        return self.number(params) if is_inside else None

    def _chosen(self, position: int, absent: _Absent, number: int) -> tuple[int, Scalar]:
        """Return what is left of `number` after this parameter, and the parameter's value."""
        parameter = self._parameters[position]
        for index in self._named[position]:
            count = self._count_with(position, value_at(parameter, index), absent)
            if number < count:
                return number, value_at(parameter, index)
            number -= count
        rest = self._count_with(position, None, absent)
        index = number // rest
        for named in self._named[position]:
            index += index >= named
        return number % rest, value_at(parameter, index)

    def _before(self, position: int, absent: _Absent, value: Scalar) -> int:
        """Return how many points have another value of this parameter and come before those that have this one."""
        parameter, named = self._parameters[position], self._named[position]
        index = index_of(parameter, value)
        earlier = [other for other in named if index not in named or other < index]
        before = sum(self._count_with(position, value_at(parameter, other), absent) for other in earlier)
        if index in named:
            return before
        return before + self._count_with(position, None, absent) * (index - sum(other < index for other in named))

    def _count_with(self, position: int, value: Scalar | None, absent: _Absent) -> int:
        """Return how many ways there are to choose the later parameters; None: a value that no condition names."""
        return self._count(position + 1, self._after(position, value, absent))

    def _after(self, position: int, value: Scalar | None, absent: _Absent) -> _Absent:
        """Return the later parameters that are absent once this one has a value; None: none that a condition names."""
        gone = {child for child, allowed in self._dependents[position] if value is None or value not in allowed}
        return (absent | gone) - {position}

    def _count(self, position: int, absent: _Absent) -> int:
        """Return how many ways there are to choose the parameters from `position` on."""
        # A stack of its own: conditions may follow upon one another for longer than Python calls itself.
        waiting = [(position, absent)]
        while waiting:
            if unknown := [state for state in self._after_each(*waiting[-1]) if state not in self._counts]:
                waiting += unknown
            else:
                self._remember(*waiting.pop())
        return self._counts[position, absent]

    def _after_each(self, position: int, absent: _Absent) -> set[_State]:
        """Return all that can follow upon a state; nothing where its count is known."""
        if (position, absent) in self._counts:
            return set()
        return {(position + 1, self._after(position, value, absent)) for value, _ in self._ways(position, absent)}

    def _remember(self, position: int, absent: _Absent) -> None:
        """Count a state all of whose followers are counted."""
        if (position, absent) in self._counts:
            return
        if len(self._counts) > _MAX_STATES:
            raise Uncountable
        self._counts[position, absent] = sum(
            times * self._counts[position + 1, self._after(position, value, absent)]
            for value, times in self._ways(position, absent)
        )

    def _ways(self, position: int, absent: _Absent) -> list[tuple[Scalar | None, int]]:
        """Return the values of a parameter that conditions name, once each, and None as often as there are others."""
        if position in absent:
            return [(None, 1)]
        parameter, named = self._parameters[position], self._named[position]
        others = size(parameter) - len(named)
        return [(value_at(parameter, index), 1) for index in named] + ([(None, others)] if others else [])


@lru_cache(maxsize=64)
def _grid_of(text: str) -> Grid:
    return Grid(Space.model_validate_json(text))


def grid(space: Space) -> Grid:
    """Return the grid of a finite space; the same one again for the same space."""
    return _grid_of(space.model_dump_json())


def infinite(space: Space) -> list[str]:
    """Return the parameters that can have infinitely many values: floats without a step."""
    return [name for name in space if isinstance(space[name], Float) and not size(space[name])]


def size(parameter: _Parameter) -> int:
    """Return how many values a parameter can have; 0: infinitely many."""
    match parameter:
        case Categorical(choices=choices):
            return len(choices)
        case Int(low=low, high=high, step=step):
            return (high - low) // step + 1
        case Float(low=low, high=high, step=step):
            return int((_decimal(high) - _decimal(low)) // _decimal(step)) + 1 if step else int(low == high)


def value_at(parameter: _Parameter, index: int) -> Scalar:
    """Return the `index`-th value of a finite parameter, from 0."""
    match parameter:
        case Categorical(choices=choices):
            return choices[index]
        case Int(low=low, step=step):
            return low + index * step
        case Float(low=low, step=step):
            return float(_decimal(low) + index * _decimal(step or 0.0))


def index_of(parameter: _Parameter, value: Scalar) -> int:
    """Return which value of a finite parameter that is, from 0."""
    if isinstance(parameter, Categorical):
        return parameter.choices.index(value)
    assert isinstance(value, int | float)
    return round((value - parameter.low) / parameter.step) if parameter.step else 0


def _dependents(space: Space) -> list[list[tuple[int, frozenset[Scalar]]]]:
    """Return for each parameter the positions of those that depend on it, each with the values that it needs."""
    positions = {name: position for position, name in enumerate(space)}
    found: list[list[tuple[int, frozenset[Scalar]]]] = [[] for _ in positions]
    for name, position in positions.items():
        for parent, allowed in (space[name].when or {}).items():
            found[positions[parent]].append((position, frozenset(allowed)))
    return found


def _named(parameter: _Parameter, dependents: Iterable[tuple[int, frozenset[Scalar]]]) -> list[int]:
    """Return which values of a parameter some condition names, in order. All others have the same consequences."""
    every = {value for _, allowed in dependents for value in allowed}
    return sorted(index for index in (index_of(parameter, value) for value in every) if 0 <= index < size(parameter))


def _decimal(number: float) -> Decimal:
    # As it was written: 0.1 three times is 0.3, though not in doubles.
    return Decimal(str(number))
