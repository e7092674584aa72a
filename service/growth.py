"""The space of a define-by-run study: it grows by what trials ask for, so that each of them lies in it.

Decisions on values only.
"""

import json
from decimal import Decimal

from trimtab.errors import Invalid
from trimtab.message import MAX_PARAMETERS
from trimtab.protocol import FieldProblem
from trimtab.space import MAX_CHOICES_OF_ALL, MAX_INT, Categorical, Float, Int, Parameter, Scale, Space


def grown(space: Space, name: str, parameter: Parameter) -> Space:
    """Return the space with a parameter that was asked for; the same one, where it has all that already.

    Raises:
        Invalid: The parameter is not like the one of that name, or there are too many.
    """
    known = space.root.get(name)
    wider = _widened(name, known, parameter) if known else parameter
    if wider == known:
        return space
    found = Space.model_construct(root={**space.root, name: wider})
    if len(found) > MAX_PARAMETERS:
        raise refused(name, "name", f"is one parameter too many: a study has at most {MAX_PARAMETERS}")
    if (choices := _choices(found)) > MAX_CHOICES_OF_ALL:
        raise refused(name, "choices", f"make {choices} of all parameters: a study has at most {MAX_CHOICES_OF_ALL}")
    return found


def refused(name: str, field: str, message: str) -> Invalid:
    """Return what is said of a parameter that a trial cannot have."""
    return Invalid(f"{name!r} cannot be suggested so", errors=[FieldProblem(field=field, message=message)])


def _widened(name: str, known: Parameter, asked: Parameter) -> Parameter:
    """Return a parameter that has the values of both."""
    for field in ("type", "scale", "choices"):
        # As JSON: to Python 1 is True.
        ours, theirs = (json.dumps(getattr(parameter, field, None)) for parameter in (known, asked))
        if ours != theirs:
            message = f"must be {ours}: in this study {name} is {_described(known)}, not {_described(asked)}"
            raise refused(name, field, message)
    if isinstance(known, Categorical) or isinstance(asked, Categorical):
        return known
    low, high = min(known.low, asked.low), max(known.high, asked.high)
    is_stepped = known.step == asked.step and known.step is not None and _are_in_step(known, asked)
    step = known.step if is_stepped else _finest(known)
    return known.model_copy(update={"low": low, "high": high, "step": step})


def _are_in_step(known: Float | Int, asked: Float | Int) -> bool:
    """Return whether steps from the lower bound of one meet the values of the other, and can be counted."""
    # In decimals, as they were written: 0.3 is three steps of 0.1, though not in doubles.
    low, other, step = (Decimal(str(number)) for number in (known.low, asked.low, known.step))
    farthest = max(abs(bound) for bound in (known.low, known.high, asked.low, asked.high))
    return (other - low) % step == 0 and 2 * farthest <= MAX_INT * step


def _finest(parameter: Float | Int) -> int | None:
    return 1 if isinstance(parameter, Int) else None


def _choices(space: Space) -> int:
    return sum(len(parameter.choices) for parameter in space.root.values() if isinstance(parameter, Categorical))


def _described(parameter: Parameter) -> str:
    scale = getattr(parameter, "scale", Scale.LINEAR)
    return parameter.described() if scale is Scale.LINEAR else f"{parameter.described()} on a {scale} scale"
