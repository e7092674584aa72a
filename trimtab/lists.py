"""Parameters that are lists, one value for each layer, and the flat space of single values that is searched.

hidden_layers: 1 .. 3                            hidden_layers: 1 .. 3
hidden_units: 16 .. 64 per hidden_layers   -->   hidden_units_1: 16 .. 64
hidden_units_2: 16 .. 64 when hidden_layers is 2 or 3
hidden_units_3: 16 .. 64 when hidden_layers is 3
"""

from collections.abc import Mapping

from trimtab.message import MAX_PARAMETERS, FlatParams, Params, Scalar, invalid
from trimtab.space import Categorical, Float, Int, Space

MAX_LENGTH = 64
"""Of a list: each value is a parameter of its own to the sampler."""


class Misshapen(ValueError):
    """A list is given for one value, one value for a list, or a list of another length than is said.

    Args:
        name: Of the parameter.
        message: What is wrong.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def flat(space: Space, fixed: Params) -> Space:
    """Return the space with a parameter for each value of each list, in the place of the list.

    Args:
        space: As it is declared.
        fixed: What is not searched; the length of a list may be among it.
    """
    if not any(parameter.per for parameter in space.root.values()):
        return space
    parameters: dict[str, Float | Int | Categorical] = {}
    for name, parameter in space.root.items():
        parameters |= (
            _values(name, parameter, _length(space, parameter.per, fixed)) if parameter.per else {name: parameter}
        )
    return Space(parameters)


def flattened(space: Space, params: Params) -> FlatParams:
    """Return a point as people write it as one of the flat space.

    Raises:
        Misshapen: A list is given for one value, or one value for a list.
    """
    found: dict[str, Scalar] = {}
    for name, value in params.items():
        counted_by = space[name].per if name in space else None
        if isinstance(value, tuple):
            if counted_by is None:
                raise Misshapen(name, "must be one value, not a list")
            if params.get(counted_by, len(value)) != len(value):
                raise Misshapen(name, f"has {len(value)} values, and {counted_by} is {params[counted_by]}")
            found |= {nth(name, n): item for n, item in enumerate(value, 1)}
        elif counted_by is not None:
            raise Misshapen(name, f"must be a list: one value for each of {counted_by}")
        else:
            found[name] = value
    return found


def check(space: Space, fixed: Params) -> None:
    """Refuse lists whose length nothing says, or that are too long, or meet another parameter's name."""
    for name, parameter in space.root.items():
        if parameter.per is None:
            continue
        _check_length(name, parameter.per, space, fixed)
        for value in range(1, _length(space, parameter.per, fixed).high + 1):
            if nth(name, value) in space:
                raise invalid(f"space.{nth(name, value)}", f"is what a value of the list {name} is called")
    _check_total(space, fixed)


def _check_total(space: Space, fixed: Params) -> None:
    lists = {name: each for name, each in space.root.items() if each.per}
    lengths = {name: len(_values(name, each, _length(space, str(each.per), fixed))) for name, each in lists.items()}
    total = len(space) - len(lengths) + sum(lengths.values())
    if lengths and total > MAX_PARAMETERS:
        longest = max(lengths, key=lambda name: lengths[name])
        text = f"makes {lengths[longest]} parameters, {total} in all: at most {MAX_PARAMETERS} are allowed"
        raise invalid(f"space.{longest}.per", text)


def _check_length(name: str, per: str, space: Space, fixed: Params) -> None:
    field = f"space.{name}.per"
    if per not in space and per not in fixed:
        raise invalid(field, f"must name what says how many values there are: {per!r} is neither searched nor fixed")
    if per in space and list(space).index(per) > list(space).index(name):
        raise invalid(field, f"must be listed before this parameter: {per}")
    if not (isinstance(space[per], Int) if per in space else type(fixed[per]) is int):
        raise invalid(field, f"must name an integer: {per}")
    length = _length(space, per, fixed)
    if length.low < 0 or not 1 <= length.high <= MAX_LENGTH:
        raise invalid(
            field, f"must count from 0 or more to at least 1, at most {MAX_LENGTH}: {per} is {length.described()}"
        )


def _length(space: Space, per: str, fixed: Params) -> Int:
    if per in space:
        parameter = space[per]
        assert isinstance(parameter, Int), "checked"
        return parameter
    value = fixed[per]
    assert isinstance(value, int), "checked"
    return Int(low=value, high=value)


def _values(name: str, parameter: Float | Int | Categorical, length: Int) -> Mapping[str, Float | Int | Categorical]:
    assert parameter.per is not None
    lengths = range(length.low, length.high + 1, length.step)
    values: dict[str, Float | Int | Categorical] = {}
    for n in range(1, max(lengths) + 1):
        enough = tuple(count for count in lengths if count >= n)
        # Where every length is enough, and what says the length is always there, the value is always there.
        depends = len(enough) < len(lengths) or length.when is not None
        when = {**(parameter.when or {}), **({parameter.per: enough} if depends else {})}
        values[nth(name, n)] = parameter.model_copy(update={"per": None, "when": when or None})
    return values


def nth(name: str, n: int) -> str:
    """Return what the n-th value of a list is called, from 1."""
    return f"{name}_{n}"
