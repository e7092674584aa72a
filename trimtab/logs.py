"""How the service and the workers write their logs: so that nobody whose words are in a line can forge another."""

import logging
import re

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"

# What moves a terminal's cursor, ends a line, or turns the direction of writing; of these only the newline stays.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Indented(logging.Formatter):
    """Begins each record at the margin, and nothing else: the lines below its first are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as it is written."""
        text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), super().format(record))
        return text.replace("\n", "\n    ")


def configure(line: str = LINE) -> None:
    """Write what is of interest to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Indented(line))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
