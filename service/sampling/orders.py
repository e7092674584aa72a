"""What a child process is asked for, and what it answers: JSON, which needs no trust in either."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from service.history import Observations
from service.sampling.suggestion import Suggestion
from service.sampling.view import OpenPoint, View
from service.storage.dimensions import dimensions
from trimtab.space import Space
from trimtab.spec import StudySpec


@dataclass(frozen=True)
class Order:
    """The points of some trials, as `service.sampling.suggest_many` is asked for them."""

    spec: StudySpec
    view: View
    number: int
    count: int
    salt: int | None = None

    def to_bytes(self) -> bytes:
        """Return the order as it goes to the child."""
        seen = self.view.observations
        space = Space({dimension.name: dimension.parameter for dimension in self.view.dimensions})
        arrays = {each.name: _plain(getattr(seen, each.name)) for each in fields(seen)}
        return json.dumps(
            {
                "spec": self.spec.model_dump_json(),
                "space": space.model_dump_json(),
                "observations": arrays,
                "unfinished": [[each.number, dict(each.point), dict(each.attributes)] for each in self.view.unfinished],
                "number": self.number,
                "count": self.count,
                "salt": self.salt,
            }
        ).encode()

    @classmethod
    def from_bytes(cls, sent: bytes) -> "Order":
        """Return the order that was sent."""
        order = json.loads(sent)
        spec = StudySpec.model_validate_json(order["spec"])
        space = dimensions(Space.model_validate_json(order["space"]))
        names = [dimension.stored_name for dimension in space]
        nothing = Observations.empty(names, objectives=len(spec.objectives))
        seen = Observations(
            **{name: _as(getattr(nothing, name), value) for name, value in order["observations"].items()}
        )
        unfinished = [OpenPoint(*each) for each in order["unfinished"]]
        return cls(spec, View.of(spec, space, seen, unfinished), order["number"], order["count"], order["salt"])


def answer(suggestions: Sequence[Suggestion]) -> bytes:
    """Return what a child answers."""
    return json.dumps({"points": [[dict(each.point), dict(each.attributes)] for each in suggestions]}).encode()


def refusal(error: Exception) -> bytes:
    """Return what a child answers where the sampler failed."""
    return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()


def suggestions(answered: bytes) -> list[Suggestion]:
    """Return what a child answered.

    Raises:
        RuntimeError: The sampler failed in it.
    """
    found = json.loads(answered)
    if "error" in found:
        raise RuntimeError(found["error"])
    return [Suggestion(*each) for each in found["points"]]


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {str(key): list(of) for key, of in value.items()} if isinstance(value, dict) else value


def _as(like: object, value: object) -> Any:
    """Return a value of JSON as the type that `like` has."""
    if isinstance(like, np.ndarray):
        array = np.array(value, dtype=like.dtype)
        return array if array.ndim == like.ndim else like
    if isinstance(like, dict) and isinstance(value, dict):
        return {int(key): tuple(of) for key, of in value.items()}
    return tuple(value) if isinstance(value, list) else value
