"""The control arm: a share of the trials that the sampler does not choose, so that its gain is a figure."""

from collections.abc import Sequence

import numpy as np
from optuna.samplers import RandomSampler

from service.sampling import chosen
from service.sampling.drawing import draw
from service.sampling.study_view import StudyView
from service.sampling.suggestion import Suggestion, seed_of
from service.sampling.view import View
from service.storage.dimensions import Dimension
from trimtab.samplers import GridSampler
from trimtab.spec import StudySpec
from trimtab.states import Origin

_STREAM = 3
"""Of the study's randomness: which trials are controls has nothing to do with where points are."""


def is_control(spec: StudySpec, number: int) -> bool:
    """Return whether what is chosen for trial `number` is one of the control arm: by the seed and the number alone."""
    if spec.control is None:
        return False
    drawn = np.random.SeedSequence((spec.sampler.seed, number), spawn_key=(_STREAM,)).generate_state(1)[0]
    return bool(drawn / 2**32 < spec.control.share)


def controlled(
    spec: StudySpec, dimensions: Sequence[Dimension], suggestion: Suggestion, *, number: int, salt: int | None = None
) -> Suggestion:
    """Return a random point of the whole space instead of the suggestion where trial `number` is a control."""
    # `auto` may choose a grid, which has each point once.
    if not is_control(spec, number) or isinstance(chosen(spec).sampler, GridSampler):
        return suggestion
    sampler = RandomSampler(seed_of(spec.sampler.seed, number, salt=salt))
    point = draw(sampler, StudyView(View.empty(spec, dimensions)), spec.searched, number=number).point
    return Suggestion(point, origin=Origin.CONTROL)
