"""The task `mlp`: a multilayer perceptron."""

from trimtab.space import Float, Int, Scale, Space
from trimtab.tasks.knobs import BELOW_ONE, POSITIVE, Hyperparameter, Task, choice
from trimtab.tasks.training import BATCH_SIZES, FIRST, METRICS, TRAINING

HIDDEN = {
    "hidden_layers": Hyperparameter(1, Int(low=0, high=100), "hidden layers"),
    "hidden_units": Hyperparameter(128, Int(low=1, high=65_536), "units of each hidden layer", "hidden_layers"),
    "activation": Hyperparameter(
        "relu", choice("relu", "leaky_relu", "gelu", "tanh", "sigmoid"), "of the hidden layers"
    ),
    "normalization": Hyperparameter("none", choice("none", "batch", "layer"), "of what goes into each activation"),
    "initialization": Hyperparameter(
        "auto",
        choice("auto", "he", "lecun", "xavier"),
        "variance of the first weights: he 2/n_in, lecun 1/n_in, xavier 2/(n_in + n_out)",
    ),
    "initialization_gain": Hyperparameter(1.0, POSITIVE, "what the first weights are multiplied by"),
    "dropout": Hyperparameter(0.0, BELOW_ONE, "share of hidden units dropped in training", "hidden_layers"),
    "input_dropout": Hyperparameter(0.0, BELOW_ONE, "share of inputs dropped in training"),
}
"""Of the hidden layers and what goes into them."""

MLP = Task(
    hyperparameters=TRAINING | HIDDEN,
    metrics=METRICS,
    space=Space(
        FIRST
        | {
            "hidden_units": Int(low=16, high=512, scale=Scale.LOG),
            "batch_size": BATCH_SIZES,
            "hidden_layers": Int(low=1, high=5),
            "decay": choice("none", "cosine"),
            "l2": Float(low=1e-6, high=1e-1, scale=Scale.LOG),
            "dropout": Float(low=0.0, high=0.6),
        }
    ),
)
