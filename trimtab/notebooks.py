"""A study that goes on, shown in the cell of a notebook."""

import sys
from collections.abc import Iterator

from trimtab.html_view import study_html
from trimtab.watching import Progress


def is_here() -> bool:
    """Return whether this runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def show(progresses: Iterator[Progress]) -> Progress:
    """Show each of them in the cell that runs, in place of the one before; return the last one."""
    from IPython.display import HTML, display  # noqa: PLC0415  # whoever has no notebook has no IPython

    place = display(HTML(""), display_id=True)
    for progress in progresses:
        place.update(HTML(study_html(progress.study, progress.best, progress.running)))
    return progress
