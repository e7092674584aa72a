"""What the doctor goes by, and what it says."""

from typing import Annotated

from pydantic import Field

from trimtab.message import Message


class DiagnosisSpec(Message):
    """What the doctor measures a study by.

    Args:
        target_error: The best that can be reached: by people, or at all (Bayes).
        tolerance: Bias and variance up to this are none; None: 0.02 for classes, 0.05 for numbers.
    """

    target_error: Annotated[float, Field(ge=0)] = 0.0
    tolerance: Annotated[float, Field(ge=0)] | None = None
