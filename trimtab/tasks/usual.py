"""Between which values a hyperparameter is usually searched, and on which scale: those of the practice."""

from trimtab.space import Categorical, Float, Int, Scale
from trimtab.tasks.knobs import Task
from trimtab.tasks.training import BATCH_SIZES, RATES

_SHARE_KEPT = Float(low=0.9, high=0.999, scale=Scale.REVERSE_LOG)
_PENALTY = Float(low=1e-6, high=1e-1, scale=Scale.LOG)
_SHARE_DROPPED = Float(low=0.0, high=0.6)

_USUAL: dict[str, Float | Int | Categorical] = {
    "learning_rate": RATES,
    "momentum": _SHARE_KEPT,
    "beta1": _SHARE_KEPT,
    "beta2": _SHARE_KEPT,
    "epsilon": Float(low=1e-10, high=1e-6, scale=Scale.LOG),
    "hidden_layers": Int(low=1, high=5),
    "hidden_units": Int(low=16, high=512, scale=Scale.LOG),
    "batch_size": BATCH_SIZES,
    "epochs": Int(low=5, high=500, scale=Scale.LOG),
    "l1": _PENALTY,
    "l2": _PENALTY,
    "weight_decay": _PENALTY,
    "dropout": _SHARE_DROPPED,
    "input_dropout": _SHARE_DROPPED,
}


def usual(name: str, task: Task) -> Float | Int | Categorical:
    """Return how a hyperparameter of a task is usually searched: as in its default space, else by the practice.

    Where neither knows, it is every value that it can have.
    """
    if task.space and name in task.space:
        return task.space[name]
    return _USUAL.get(name, task.hyperparameters[name].allowed)
