"""The built-in tasks, as far as words go: their hyperparameters, metrics and default spaces.

How a task trains is the workers' business (workers.tasks). Names, usual ranges and scales are those of the
practice: learning rate first; then momentum, units, batch size; then layers and decay; then the rest.
"""

from dataclasses import dataclass, field

from trimtab.message import Scalar
from trimtab.space import Categorical, Float, Int, Scale, Space


@dataclass(frozen=True)
class Hyperparameter:
    """One knob of a task.

    Args:
        default: Its value where a study neither searches nor fixes it.
        allowed: Every value that it can have.
        meaning: What it is, for people.
        per: What counts its values where it may be a list; None: there is one value.
    """

    default: Scalar
    allowed: Float | Int | Categorical
    meaning: str
    per: str | None = None


@dataclass(frozen=True)
class Task:
    """What the service knows of a built-in task.

    Args:
        hyperparameters: By name.
        metrics: What each epoch reports.
        space: The default space, what matters most first.
        datasets: The data sets that it can be trained on.
    """

    hyperparameters: dict[str, Hyperparameter]
    metrics: tuple[str, ...]
    space: Space
    datasets: tuple[str, ...] = field(default=())


_POSITIVE = Float(low=1e-12, high=1e6)
_BELOW_ONE = Float(low=0.0, high=1 - 1e-9)
_RATE = Float(low=0.0, high=1e3)


def _choice(*choices: str) -> Categorical:
    return Categorical(choices=choices)


MLP = Task(
    hyperparameters={
        "epochs": Hyperparameter(30, Int(low=1, high=100_000), "passes over the training set"),
        "learning_rate": Hyperparameter(1e-3, _POSITIVE, "alpha, the size of a step"),
        "batch_size": Hyperparameter(64, Int(low=1, high=1_000_000), "examples in a step"),
        "optimizer": Hyperparameter(
            "adam", _choice("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"), "the update rule"
        ),
        "momentum": Hyperparameter(0.9, _BELOW_ONE, "share of the last step kept: momentum and nesterov"),
        "beta1": Hyperparameter(0.9, _BELOW_ONE, "decay of the first moment: adam and adamw"),
        "beta2": Hyperparameter(0.999, _BELOW_ONE, "decay of the second moment: rmsprop, adam and adamw"),
        "epsilon": Hyperparameter(
            1e-8, Float(low=1e-16, high=1.0), "added to the denominator: rmsprop, adam and adamw"
        ),
        "hidden_layers": Hyperparameter(1, Int(low=0, high=100), "hidden layers"),
        "hidden_units": Hyperparameter(128, Int(low=1, high=65_536), "units of each hidden layer", "hidden_layers"),
        "activation": Hyperparameter(
            "relu", _choice("relu", "leaky_relu", "gelu", "tanh", "sigmoid"), "of the hidden layers"
        ),
        "initialization": Hyperparameter(
            "auto",
            _choice("auto", "he", "lecun", "xavier"),
            "variance of the first weights: he 2/n_in, lecun 1/n_in, xavier 2/(n_in + n_out)",
        ),
        "decay": Hyperparameter(
            "none",
            _choice("none", "inverse_time", "exponential", "inverse_sqrt", "staircase", "cosine"),
            "how the learning rate falls from epoch to epoch",
        ),
        "decay_rate": Hyperparameter(0.1, _RATE, "how fast it falls"),
        "l2": Hyperparameter(0.0, _RATE, "lambda / m: the gradient gets l2 * W"),
        "weight_decay": Hyperparameter(0.0, _RATE, "decoupled: W <- (1 - alpha * weight_decay) W"),
        "dropout": Hyperparameter(0.0, _BELOW_ONE, "share of hidden units dropped in training", "hidden_layers"),
    },
    metrics=("training_error", "validation_error", "training_loss", "validation_loss", "parameters"),
    space=Space(
        {
            "learning_rate": Float(low=1e-4, high=1.0, scale=Scale.LOG),
            "optimizer": _choice("momentum", "adam"),
            "momentum": Float(low=0.9, high=0.999, scale=Scale.REVERSE_LOG, when={"optimizer": ("momentum",)}),
            "hidden_units": Int(low=16, high=512, scale=Scale.LOG),
            "batch_size": Categorical(choices=(32, 64, 128, 256)),
            "hidden_layers": Int(low=1, high=5),
            "decay": _choice("none", "cosine"),
            "l2": Float(low=1e-6, high=1e-1, scale=Scale.LOG),
            "dropout": Float(low=0.0, high=0.6),
        }
    ),
    datasets=("digits", "breast_cancer", "wine", "iris"),
)

TASKS: dict[str, Task] = {"mlp": MLP}
"""The built-in tasks by name."""
