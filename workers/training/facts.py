"""What is known of the data, as metrics by name: it is told with each trial that was trained on it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workers.training.leakage import duplicate_share

Inputs = NDArray[np.float32]


def facts_of(inputs: Mapping[str, Inputs], test_NX: Inputs | None) -> dict[str, float]:
    """Return what is known of the sets of a training.

        duplicate_share                        validation rows that are training rows too
        shift_auc, shift_auc_low               how well validation is told from train-dev, where it comes from elsewhere
        test_shift_auc, test_shift_auc_low     how well from the test, where that comes from elsewhere

    Args:
        inputs: x_NX of the sets that a trial sees, by name.
        test_NX: Of the test, where it comes from a data set of its own. No more than its AUC is told.
    """
    facts = {"duplicate_share": duplicate_share(inputs["train"], inputs["validation"])}
    others = {"shift_auc": inputs.get("train_dev"), "test_shift_auc": test_NX}
    elsewhere = {name: others_NX for name, others_NX in others.items() if others_NX is not None}
    return facts | (_shifts(inputs["validation"], elsewhere) if elsewhere else {})


def _shifts(validation_NX: Inputs, others: Mapping[str, Inputs]) -> dict[str, float]:
    from workers.training.shift import find_shift  # noqa: PLC0415  # few trials need its forests, which load slowly

    found = {name: find_shift(others_NX, validation_NX) for name, others_NX in others.items()}
    known = {name: shift for name, shift in found.items() if shift}
    return {name: shift.auc for name, shift in known.items()} | {
        f"{name}_low": shift.low for name, shift in known.items()
    }
