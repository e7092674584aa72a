"""The trial that an objective is called with: Optuna's words, said to the service."""

import json
import math
import warnings
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from trimtab.errors import Invalid
from trimtab.message import Scalar
from trimtab.own.held import HeldLease
from trimtab.space import Categorical, Float, Int, Scale
from trimtab.states import Decision
from trimtab.validation import built

Value = TypeVar("Value")


class ObjectiveTrial:
    """A trial whose params are asked for while it runs. What it offers is alike in Optuna's `Trial`.

    Every method raises LeaseLost, LeaseEnded or StudyDeleted where the trial is not this process's any more: let
    that go out of the objective, and the next trial begins.

    Args:
        held: Its lease.
        metric: What a report is a figure of.
    """

    def __init__(self, held: HeldLease, metric: str) -> None:
        self._held = held
        self._metric = metric
        self._step = 0
        self._params: dict[str, Any] = {}
        self._user_attrs: dict[str, Any] = {}

    @property
    def number(self) -> int:
        """Which trial of the study it is, counted from 0."""
        return self._held.lease.trial

    @property
    def params(self) -> dict[str, Any]:
        """The values suggested so far, by name."""
        return dict(self._params)

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What was set here, by key."""
        return dict(self._user_attrs)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a real number in [low, high].

        Args:
            name: The same name again gives the same value.
            low: Smallest value; with `log` above 0.
            high: Largest value.
            step: Distance between neighbours; not with `log`.
            log: Drawn by factors.

        Raises:
            Invalid: There is no such range, or the study knows another parameter of that name.
        """
        spacing = None if step is None else float(step)
        _warn_if_cut(name, low, high, step)
        fields = {"low": float(low), "high": float(high), "step": spacing, "scale": _scale(is_log=log)}
        return self._kept(name, float(self._suggest(name, built(Float, fields))))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer in [low, high]; otherwise as `suggest_float`."""
        _warn_if_cut(name, low, high, step)
        fields = {"low": int(low), "high": int(high), "step": int(step), "scale": _scale(is_log=log)}
        return self._kept(name, int(self._suggest(name, built(Int, fields))))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices. Those that are no text, number or truth value are on record as their `repr`."""
        sent = tuple(choice if isinstance(choice, str | int | float) else repr(choice) for choice in choices)
        value = self._suggest(name, built(Categorical, {"choices": sent}))
        return self._kept(name, choices[sent.index(value)])

    def report(self, value: float, step: int) -> None:
        """Report a figure of the objective at a step, counted from 0; the service counts from 1.

        Raises:
            ValueError: The step is negative.
            StepConflict: The step is behind one that was reported.
        """
        if step < 0:
            raise ValueError(f"steps are counted from 0: there is none before, such as {step}")
        if int(step) + 1 == self._step:
            warnings.warn(f"step {step} was reported before: the first figure stays", stacklevel=2)
            return
        self._held.report(int(step) + 1, {self._metric: float(value)})
        self._step = int(step) + 1

    def should_prune(self) -> bool:
        """Return whether to end here: `raise trimtab.Pruned`, or `optuna.TrialPruned`."""
        verdict = self._held.verdict
        return verdict is not None and verdict.verdict is Decision.STOP

    def set_user_attr(self, key: str, value: Any) -> None:
        """Leave something on record: anything that is JSON, or becomes it. A tuple is a list then, a key a text.

        Raises:
            Invalid: It is not, or has more than 64 KiB or 64 levels of lists and objects.
        """
        sent = _as_json(key, value)
        self._held.call(lambda client, lease: client.set_attribute(lease, key, sent))
        self._user_attrs[key] = value

    def _suggest(self, name: str, parameter: Float | Int | Categorical) -> Scalar:
        return self._held.call(lambda client, lease: client.suggest(lease, name, parameter))

    def _kept(self, name: str, value: Value) -> Value:
        self._params[name] = value
        return value


def _as_json(key: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"the user attribute {key!r} is nothing that JSON can say: {error}") from error


def _warn_if_cut(name: str, low: float, high: float, step: float | None) -> None:
    """Warn where the largest value cannot be met by steps from the smallest, which is rarely meant."""
    if not step or not all(map(math.isfinite, (low, high, step))):
        return
    first, last, each = (Decimal(str(number)) for number in (low, high, step))
    if (last - first) % each:
        largest = first + (last - first) // each * each
        text = f"{name}: steps of {step} from {low} do not meet {high}: the largest value is {largest}"
        warnings.warn(text, stacklevel=3)


def _scale(*, is_log: bool) -> Scale:
    return Scale.LOG if is_log else Scale.LINEAR
