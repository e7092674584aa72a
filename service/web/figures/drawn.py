"""A figure as it is sent to a page: Plotly's JSON, and the same in words for who does not see it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """Something that whoever looks can choose.

    Args:
        name: Of the parameter of the address.
        label: What it is called.
        options: What there is.
        chosen: One of them.
    """

    name: str
    label: str
    options: Sequence[str]
    chosen: str


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Args:
        caption: What it shows, and what it leaves out; or why there is none.
        figure: Plotly's; None: there is too little to draw.
        columns: Of the table that says the same. Plain text, as all but the figure is.
        rows: Likewise.
        choices: What else could be drawn.
        width: That it needs at least, in pixels.
        height: That it has.
        panels: Its panels in the order in which they are to be read, each by the end of its axes' names: they are set
            in as many rows as the page needs. Empty: it is one picture.
    """

    caption: str
    figure: Mapping[str, Any] | None = None
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    choices: Sequence[Choice] = field(default_factory=list)
    width: int = 0
    height: int = 360
    panels: Sequence[str] = ()

    def json(self) -> str:
        """Return it as it is sent."""
        return json.dumps(asdict(self), allow_nan=False)
