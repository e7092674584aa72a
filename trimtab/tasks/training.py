"""The hyperparameters of training that every task has, whatever its network."""

from trimtab.space import Categorical, Float, Int, Scale
from trimtab.tasks.knobs import BELOW_ONE, POSITIVE, RATE, Hyperparameter, choice

TRAINING = {
    "epochs": Hyperparameter(30, Int(low=1, high=100_000), "passes over the training set"),
    "learning_rate": Hyperparameter(1e-3, POSITIVE, "alpha, the size of a step"),
    "batch_size": Hyperparameter(64, Int(low=1, high=1_000_000), "examples in a step"),
    "optimizer": Hyperparameter(
        "adam", choice("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"), "the update rule"
    ),
    "momentum": Hyperparameter(0.9, BELOW_ONE, "share of the last step kept: momentum and nesterov"),
    "beta1": Hyperparameter(0.9, BELOW_ONE, "decay of the first moment: adam and adamw"),
    "beta2": Hyperparameter(0.999, BELOW_ONE, "decay of the second moment: rmsprop, adam and adamw"),
    "epsilon": Hyperparameter(1e-8, Float(low=1e-16, high=1.0), "added to the denominator: rmsprop, adam and adamw"),
    "decay": Hyperparameter(
        "none",
        choice("none", "inverse_time", "exponential", "inverse_sqrt", "staircase", "cosine"),
        "how the learning rate falls from epoch to epoch",
    ),
    "decay_rate": Hyperparameter(0.1, RATE, "how fast it falls"),
    "loss": Hyperparameter(
        "auto",
        choice("auto", "cross_entropy", "squared", "absolute", "huber"),
        "what is minimised; auto: cross_entropy for classes, squared for numbers",
    ),
    "l1": Hyperparameter(0.0, RATE, "lambda / 2m: after each step weights shrink by alpha * l1, to zero at most"),
    "l2": Hyperparameter(0.0, RATE, "lambda / m: the gradient gets l2 * W"),
    "weight_decay": Hyperparameter(0.0, RATE, "decoupled: W <- (1 - alpha * weight_decay) W"),
    "patience": Hyperparameter(
        0, Int(low=0, high=100_000), "epochs without a better validation error that end the training; 0: none do"
    ),
    "min_improvement": Hyperparameter(0.0, RATE, "of the validation error, that patience counts as better"),
    "feature_noise": Hyperparameter(
        0.0, Float(low=0.0, high=10.0), "standard deviation of what is added to features in training"
    ),
    "flip": Hyperparameter(0.0, Float(low=0.0, high=1.0), "images: probability of being mirrored left to right"),
    "crop": Hyperparameter(0.0, Float(low=0.0, high=0.5), "images: greatest shift, as a share of their sides"),
    "rotation": Hyperparameter(0.0, Float(low=0.0, high=180.0), "images: greatest angle, in degrees"),
    "zoom": Hyperparameter(0.0, Float(low=0.0, high=0.9), "images: greatest change of their scale"),
    "distortion": Hyperparameter(0.0, Float(low=0.0, high=1.0), "images: strength of an elastic distortion"),
    "precision": Hyperparameter(
        "auto", choice("auto", "float32", "mixed"), "auto: mixed (bfloat16) on CUDA, else float32"
    ),
}
"""By name."""

METRICS = (
    "training_error",
    "validation_error",
    "training_loss",
    "validation_loss",
    "parameters",
    "gradient_norm",
    "first_gradient_norm",
    "last_gradient_norm",
    "dead_units",
)
"""What each epoch reports."""

OF_COMPANIONS = ("gradient_check",)
"""What trials report of studies that check another one, which the service alone makes."""

RATES = Float(low=1e-4, high=1.0, scale=Scale.LOG)
"""Of learning."""

FIRST = {
    "learning_rate": RATES,
    "optimizer": choice("momentum", "adam"),
    "momentum": Float(low=0.9, high=0.999, scale=Scale.REVERSE_LOG, when={"optimizer": ("momentum",)}),
}
"""What matters most, in every default space."""

BATCH_SIZES = Categorical(choices=(32, 64, 128, 256))
