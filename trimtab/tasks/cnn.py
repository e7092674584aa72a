"""The task `cnn`: a convolutional network, for images."""

from dataclasses import replace

from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.tasks.knobs import Hyperparameter, Task, choice
from trimtab.tasks.mlp import HIDDEN
from trimtab.tasks.training import BATCH_SIZES, FIRST, METRICS, TRAINING

CONVOLUTION = {
    "conv_blocks": Hyperparameter(2, Int(low=1, high=20), "blocks of convolution, activation and pooling"),
    "channels": Hyperparameter(32, Int(low=1, high=4096), "channels of each block", "conv_blocks"),
    "kernel_size": Hyperparameter(3, Categorical(choices=(1, 3, 5, 7)), "side of the kernels"),
    "pooling": Hyperparameter("max", choice("max", "average", "none"), "halves the sides after each block, down to 1"),
    "residual": Hyperparameter(
        False, Categorical(choices=(False, True)), "a block adds what goes into it to what goes into its activation"
    ),
}

HEAD = {
    "hidden_layers": replace(HIDDEN["hidden_layers"], default=0, meaning="hidden layers after the blocks"),
    "dropout": replace(
        HIDDEN["dropout"],
        meaning="share of hidden units dropped in training; without them, of what the last block gives",
    ),
}

CNN = Task(
    hyperparameters=TRAINING | CONVOLUTION | HIDDEN | HEAD,
    metrics=METRICS,
    space=Space(
        FIRST
        | {
            "channels": Int(low=8, high=64, scale=Scale.LOG),
            "batch_size": BATCH_SIZES,
            "conv_blocks": Int(low=1, high=3),
            "normalization": choice("none", "batch"),
            "decay": choice("none", "cosine"),
            "l2": Float(low=1e-6, high=1e-1, scale=Scale.LOG),
            "dropout": Float(low=0.0, high=0.6),
        }
    ),
    needs_images=True,
)
