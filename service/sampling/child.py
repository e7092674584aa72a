"""The child process that slow samplers run in: `python -m service.sampling.child FILE_DESCRIPTOR`.

Only here is torch imported, where it is installed: of the samplers that run here only the Gaussian process needs it.
The child answers one order after another, and goes when its service does.
"""

import sys
from multiprocessing.connection import Connection

import numpy as np

from service.history import Observations
from service.pipes import serve
from service.sampling import View, is_installed, suggest, suggest_many
from service.sampling.gp import remember_fits
from service.sampling.orders import Order, answer, refusal
from service.storage.dimensions import dimensions
from service.storage.finished import FinishedTrial
from trimtab.samplers import GpSampler
from trimtab.space import Float, Space
from trimtab.spec import StudySpec
from trimtab.states import Outcome, TrialState


def main(descriptor: int) -> None:
    """Answer orders until there are no more."""
    if is_installed():
        import torch  # noqa: PLC0415  # heavy, and an extra: TPE of several objectives does without it

        torch.set_num_threads(1)
        remember_fits()
        _warm_up()
    serve(Connection(descriptor), _answer)


def _answer(sent: bytes) -> bytes:
    try:
        order = Order.from_bytes(sent)
        return answer(suggest_many(order.spec, order.view, number=order.number, count=order.count, salt=order.salt))
    except Exception as error:  # noqa: BLE001  # it is said to the service, which has another point
        return refusal(error)


def _warm_up() -> None:
    """Suggest something for nobody: the first time, torch and SciPy take seconds to load."""
    spec = StudySpec(
        name="warm-up",
        task=None,
        space=Space({"x": Float(low=0, high=1)}),
        sampler=GpSampler(name="gp", startup_trials=1),
    )
    points = np.linspace(0, 1, 3).tolist()
    trials = [
        FinishedTrial(n + 1, n, TrialState.COMPLETE, Outcome.COMPLETE, (x,), 1, {"x": x}) for n, x in enumerate(points)
    ]
    observations = Observations.empty(["x"]).extended(trials)
    suggest(spec, View.of(spec, dimensions(spec.searched), observations), number=len(points))


if __name__ == "__main__":
    main(int(sys.argv[1]))
