"""Trials in a list that a notebook shows as a table."""

from trimtab.html_view import trials_html
from trimtab.protocol import Trial


class TrialList(list[Trial]):
    """Trials, by number."""

    def _repr_html_(self) -> str:
        return trials_html(self)
