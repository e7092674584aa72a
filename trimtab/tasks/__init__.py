"""The tasks, as far as words go: their hyperparameters, metrics and default spaces.

How a task trains is the workers' business (workers.tasks). Names, usual ranges and scales are those of the
practice: learning rate first; then momentum, units, batch size; then layers and decay; then the rest.
"""

from trimtab.tasks.cnn import CNN
from trimtab.tasks.knobs import Hyperparameter, Task
from trimtab.tasks.mlp import MLP
from trimtab.tasks.training import METRICS, TRAINING

__all__ = ["CNN", "MLP", "OWN", "TASKS", "Hyperparameter", "Task", "find"]

TASKS: dict[str, Task] = {"mlp": MLP, "cnn": CNN}
"""The built-in tasks by name."""

OWN = Task(hyperparameters=TRAINING, metrics=METRICS, space=None, is_open=True)
"""A task of the user's own, `module:attribute`: its network has hyperparameters that only its code knows."""


def find(name: str) -> Task | None:
    """Return a task by its name; None: there is none."""
    return TASKS.get(name) or (OWN if ":" in name else None)
