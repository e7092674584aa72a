"""Trials that somebody gives: a point that is to be trained, or a trial that was trained elsewhere."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trimtab.message import MAX_PARAMETERS, Array, Few, Message, Metrics, ParamName, Params, Step, invalid
from trimtab.protocol import Report
from trimtab.space import Parameter

MAX_CURVE = 100_000
"""Steps of a curve. A body of 1 MiB holds about a fifth of them."""

Curve = Annotated[tuple[Report, ...], Array, Field(max_length=MAX_CURVE)]

Parameters = Annotated[dict[ParamName, Parameter], Field(max_length=MAX_PARAMETERS), Few]


class GivenTrial(Message):
    """A trial whose params somebody chose.

    Args:
        params: The point. Of a trial that is to be trained some may be left out: those are drawn by chance.
        state: How it ended elsewhere; None: it is to be trained here.
        metrics: The final figures. `complete` needs each metric that is optimised or bound.
        curve: What was measured at each step, the first one first, each with the metric that stops trials.
        step: The step that the final figures belong to; by default the last one of the curve.
        parameters: Of a finished trial of a study without a space: where its params could lie, each by itself, without
            `when` and `per`. Those that other trials asked for are known.
    """

    params: Params
    state: Literal["complete", "pruned", "fail"] | None = None
    metrics: Metrics = Field(default_factory=dict)
    curve: Curve = ()
    step: Step | None = None
    parameters: Parameters = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.state is None:
            for field in ("metrics", "curve", "step", "parameters"):
                if getattr(self, field):
                    raise invalid(field, "goes with a finished trial only: say its state")
        _check_growing([point.step for point in self.curve])
        return self

    @model_validator(mode="after")
    def _describes_its_params(self) -> Self:
        for name, parameter in self.parameters.items():
            if name not in self.params:
                raise invalid(f"parameters.{name}", "is not among the params of this trial")
            if parameter.when or parameter.per:
                raise invalid(f"parameters.{name}", "stands by itself here: without when and per")
        return self


def _check_growing(steps: Sequence[int]) -> None:
    for position, (before, step) in enumerate(pairwise(steps), start=1):
        if step <= before:
            raise invalid(f"curve.{position}.step", f"must be above the one before: {step} comes after {before}")
