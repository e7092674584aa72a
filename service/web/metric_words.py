"""What the figures of the built-in training are, in words: docs/reference/tasks.md says more of each."""

from collections.abc import Mapping

_ERROR = "share of wrong answers (of a number: root mean squared error in standard deviations)"

MEANINGS: Mapping[str, str] = {
    "training_error": f"{_ERROR} on the training set",
    "validation_error": f"{_ERROR} on the validation set",
    "train_dev_error": f"{_ERROR} on examples like those of training that nothing was trained on",
    "training_loss": "mean loss on the training set",
    "validation_loss": "mean loss on the validation set",
    "parameters": "numbers that are trained",
    "gradient_norm": "length of the gradient of all weights, in the first batch of the epoch",
    "first_gradient_norm": "length of the gradient of the first weight matrix, in the first batch of the epoch",
    "last_gradient_norm": "length of the gradient of the last weight matrix, in the first batch of the epoch",
    "smallest_gradient_norm": "length of the gradient of the weight matrix that has the smallest one",
    "smallest_gradient_layer": "which weight matrix that is, counted from 1 at the input",
    "largest_gradient_norm": "length of the gradient of the weight matrix that has the largest one",
    "largest_gradient_layer": "which weight matrix that is, counted from 1 at the input",
    "dead_units": "largest share over the hidden layers of units that are zero for every example looked at",
    "first_activation_scale": "root mean square of what the first hidden layer gives",
    "last_activation_scale": "root mean square of what the last hidden layer gives",
    "smallest_activation_scale": "root mean square of what the hidden layer gives that gives least",
    "smallest_activation_layer": "which hidden layer that is, counted from 1 at the input",
    "largest_activation_scale": "root mean square of what the hidden layer gives that gives most",
    "largest_activation_layer": "which hidden layer that is, counted from 1 at the input",
    "zero_weights": "share of weights that are exactly zero",
    "training_error_standard_error": "how far the training error may be off by chance",
    "validation_error_standard_error": "how far the validation error may be off by chance",
    "train_dev_error_standard_error": "how far the train-dev error may be off by chance",
    "training_error_scatter": "how far the mean training error may be off by how the trainings differ",
    "validation_error_scatter": "how far the mean validation error may be off by how the trainings differ",
    "train_dev_error_scatter": "how far the mean train-dev error may be off by how the trainings differ",
    "first_loss": "mean loss before the first step",
    "untrained_activation_scale": "root mean square of what the last hidden layer gave before any step: 1 is right",
    "best_step": "epoch whose weights were kept",
    "epochs_trained": "epochs that there were",
    "classes": "classes that are told apart; 0 where a number is learnt",
    "training_examples": "examples that trained",
    "validation_examples": "examples that validated",
    "test_error": f"{_ERROR} on the test set",
    "test_error_low": "low end of the 95 % interval of the test error",
    "test_error_high": "high end of the 95 % interval of the test error",
    "test_examples": "examples that tested",
}
"""By name of the metric."""


def meaning(metric: str) -> str | None:
    """Return what a figure of the built-in training is; None: it is none of its."""
    return MEANINGS.get(metric)
