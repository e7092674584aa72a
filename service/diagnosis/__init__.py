"""The doctor: what ails a study, seen by the figures of its trials, and which edits to its spec would help.

Decisions on values only. conditions: what the errors say. Findings, by what they look at: hold_out (the data), begun
(the first loss, gradients, units), rates (learning rates, trials that fail), curves, fit. remedies: from findings to
edits; knobs: one edit to one hyperparameter; amended: the spec with edits.
"""

from service.diagnosis.amended import amended
from service.diagnosis.case import Case, Rate
from service.diagnosis.doctor import examine

__all__ = ["Case", "Rate", "amended", "examine"]
