"""The patients: what each suffers from by design, and what the doctor has to name first. Healthy ones: nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.diagnosis import FindingCode

TRIALS, STARTUP = 12, 6

RATES = {"type": "float", "low": 3e-4, "high": 1e-1, "scale": "log"}
"""Around where Adam's good learning rates lie for networks as small as these."""

NOISE_OF_MOONS = 0.03
"""What nobody can do better than on the two moons: they overlap."""


@dataclass(frozen=True)
class Patient:
    """A study with a planted illness.

    Args:
        name: What is planted, and where.
        expected: What has to be named first; None: nothing is to be found.
        data: Of the task; data sets of `planted` are written anew for each seed.
        fixed: Of the task.
        space: What is searched.
        target_error: What nobody can do better than.
        task: The network.
    """

    name: str
    expected: FindingCode | None
    data: Mapping[str, Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Any] = field(default_factory=lambda: {"learning_rate": RATES})
    target_error: float = 0.0
    task: str = "mlp"


def _rates(low: float, high: float) -> Mapping[str, Any]:
    return {"learning_rate": {"type": "float", "low": low, "high": high, "scale": "log"}}


PATIENTS = [
    Patient(
        "too small: digits",
        FindingCode.BIAS,
        {"dataset": "digits"},
        fixed={"epochs": 20},
        space={**_rates(1e-3, 0.3), "hidden_units": {"type": "int", "low": 1, "high": 3}},
    ),
    Patient(
        "too small: spirals",
        FindingCode.BIAS,
        {"dataset": "spirals"},
        fixed={"epochs": 30, "hidden_units": 2, "activation": "tanh"},
        space=_rates(1e-3, 1.0),
    ),
    Patient(
        "far too large for few: digits",
        FindingCode.VARIANCE,
        {"dataset": "digits", "split": {"validation": 1200, "test": 500}},
        fixed={"epochs": 30, "hidden_units": 512, "hidden_layers": 2},
    ),
    Patient(
        "far too large for few: breast_cancer",
        FindingCode.VARIANCE,
        {"dataset": "breast_cancer", "split": {"validation": 440, "test": 100}},
        fixed={"epochs": 30, "hidden_units": 512, "hidden_layers": 3, "batch_size": 16},
    ),
    Patient(
        "not normalised: breast_cancer",
        FindingCode.FIRST_LOSS,
        {"dataset": "breast_cancer", "normalization": "none"},
        fixed={"epochs": 15},
    ),
    Patient(
        "not normalised: wine",
        FindingCode.FIRST_LOSS,
        {"dataset": "wine", "normalization": "none"},
        fixed={"epochs": 20, "batch_size": 16},
    ),
    Patient(
        "wrong first weights: digits",
        FindingCode.FIRST_LOSS,
        {"dataset": "digits"},
        fixed={"epochs": 15, "initialization_gain": 8.0},
    ),
    Patient(
        "wrong first weights: breast_cancer",
        FindingCode.FIRST_LOSS,
        {"dataset": "breast_cancer"},
        fixed={"epochs": 15, "hidden_layers": 3, "initialization_gain": 5.0},
    ),
    Patient(
        "too small first weights: digits",
        FindingCode.SMALL_FIRST_WEIGHTS,
        {"dataset": "digits"},
        fixed={"epochs": 15, "hidden_units": 64, "hidden_layers": 3, "optimizer": "sgd", "initialization_gain": 0.1},
        space=_rates(0.01, 0.5),
    ),
    Patient(
        "too small first weights: wine",
        FindingCode.SMALL_FIRST_WEIGHTS,
        {"dataset": "wine"},
        fixed={
            "epochs": 20,
            "batch_size": 16,
            "hidden_layers": 4,
            "activation": "tanh",
            "optimizer": "momentum",
            "initialization_gain": 0.05,
        },
        space=_rates(1e-3, 0.1),
    ),
    Patient(
        "learning rate too high: digits",
        FindingCode.LEARNING_RATE_ON_BOUND,
        {"dataset": "digits"},
        fixed={"epochs": 15},
        space=_rates(0.05, 10.0),
    ),
    Patient(
        "learning rate too high: digits, three layers",
        FindingCode.LEARNING_RATE_ON_BOUND,
        {"dataset": "digits"},
        fixed={"epochs": 15, "hidden_units": 64, "hidden_layers": 3},
        space=_rates(0.02, 2.0),
    ),
    Patient(
        "learning rate too low: digits",
        FindingCode.LEARNING_RATE_ON_BOUND,
        {"dataset": "digits"},
        fixed={"epochs": 15},
        space=_rates(1e-6, 1e-4),
    ),
    Patient(
        "learning rate too low: wine",
        FindingCode.LEARNING_RATE_ON_BOUND,
        {"dataset": "wine"},
        fixed={"epochs": 20, "batch_size": 16},
        space=_rates(1e-6, 1e-4),
    ),
    Patient(
        "shifted validation set: digits",
        FindingCode.SHIFT,
        {"dataset": "plain", "validation_dataset": "scanned"},
        fixed={"epochs": 15},
    ),
    Patient(
        "shifted validation set: moons",
        FindingCode.SHIFT,
        {"dataset": "here", "validation_dataset": "there"},
        fixed={"epochs": 30, "hidden_units": 32},
    ),
    Patient(
        "shifted test set: moons",
        FindingCode.SHIFT,
        {"dataset": "here", "test_dataset": "there"},
        fixed={"epochs": 30, "hidden_units": 32},
    ),
    Patient(
        "leaked label: breast_cancer",
        FindingCode.LABEL_LEAK,
        {"dataset": "leaked"},
        fixed={"epochs": 15},
    ),
    Patient(
        "leaked label: wine",
        FindingCode.LABEL_LEAK,
        {"dataset": "coded"},
        fixed={"epochs": 20, "batch_size": 16},
    ),
    Patient(
        "vanishing gradients: digits",
        FindingCode.VANISHING,
        {"dataset": "digits"},
        fixed={"epochs": 12, "hidden_layers": 10, "hidden_units": 32, "activation": "sigmoid"},
    ),
    Patient(
        "too few to validate: iris",
        FindingCode.SMALL_HOLD_OUT,
        {"dataset": "iris", "split": {"validation": 12, "test": 12}},
        fixed={"epochs": 40, "hidden_units": 16, "batch_size": 16},
    ),
    Patient(
        "healthy: digits",
        None,
        {"dataset": "digits"},
        fixed={"epochs": 30, "hidden_units": 256, "dropout": 0.3, "crop": 0.1, "rotation": 8.0, "decay": "cosine"},
    ),
    Patient(
        "healthy: digits, convolutional",
        None,
        {"dataset": "digits"},
        fixed={"epochs": 12, "channels": 16, "normalization": "batch", "decay": "cosine"},
        task="cnn",
    ),
    Patient(
        "healthy: breast_cancer",
        None,
        {"dataset": "breast_cancer"},
        fixed={"epochs": 20, "hidden_units": 32, "l2": 0.01},
    ),
    Patient(
        "healthy: wine",
        None,
        {"dataset": "wine"},
        fixed={"epochs": 30, "hidden_units": 32, "batch_size": 16, "l2": 0.01},
    ),
    Patient(
        "healthy: iris",
        None,
        {"dataset": "iris"},
        fixed={"epochs": 40, "hidden_units": 16, "batch_size": 16},
        target_error=0.03,
    ),
    Patient(
        "healthy: moons",
        None,
        {"dataset": "moons"},
        fixed={"epochs": 30, "hidden_units": 32},
        target_error=NOISE_OF_MOONS,
    ),
    Patient(
        "healthy: spirals",
        None,
        {"dataset": "spirals"},
        fixed={"epochs": 60, "hidden_units": 64, "hidden_layers": 2},
    ),
]
