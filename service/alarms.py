"""What somebody should look at in a study: a best value that sits on a bound."""

from collections.abc import Iterator, Sequence

from service.sampling.scales import FEWEST_VALUES, side
from service.storage.dimensions import Dimension, Point
from trimtab import grids
from trimtab.protocol import Alarm
from trimtab.space import Categorical

FEWEST_TRIALS = 10
"""Complete ones; before, the best of a few random values is on a bound more often by chance."""


def on_bounds(space: Sequence[Dimension], best: Point | None, *, complete: int) -> Iterator[Alarm]:
    """Give an alarm for each parameter whose best value lies on a bound of its range, as it is now.

    Args:
        space: Of the study, as it is now.
        best: The point of the best trial; None: there is none, or several objectives.
        complete: Trials.
    """
    if best is None or complete < FEWEST_TRIALS:
        return
    for dimension in space:
        parameter = dimension.parameter
        if isinstance(parameter, Categorical) or 0 < grids.size(parameter) < FEWEST_VALUES:
            continue
        if dimension.stored_name not in best:
            continue
        value = dimension.value(best[dimension.stored_name])
        if parameter.contains(value) and (on := side(parameter, float(value))):
            yield Alarm(
                code="best_on_bound",
                parameter=dimension.name,
                side=on,
                value=float(value),
                text=f"the best value of {dimension.name}, {value:g}, sits on the {on} end of its range,"
                f" {parameter.low:g} to {parameter.high:g}: there may be better ones beyond",
            )
