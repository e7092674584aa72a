"""What can go wrong with a model that is loaded."""

from trimtab.errors import TrimtabError


class ModelUnreadable(TrimtabError):
    """The file is no model that this version can read."""


class RowsUnfit(TrimtabError):
    """The rows are none that the model can answer for."""
