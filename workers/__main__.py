"""`python -m workers` pulls trials and trains them until it is stopped; with `check-gradients` it checks a task."""

import logging
import os
import sys

from trimtab import logs
from trimtab.client import Client
from trimtab.errors import TrimtabError
from trimtab.patience import PASSING
from workers.pool import Pool
from workers.process import ChildDied
from workers.settings import Settings

_log = logging.getLogger("workers")


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        logs.configure(os.environ)
        if sys.argv[1:2] == ["check-gradients"]:
            return _check_gradients()
        settings = Settings.from_arguments(sys.argv[1:], os.environ)
        with Client() as client:
            _look(client)
            return Pool(settings, client).run()
    except (TrimtabError, ChildDied) as error:
        print(f"trimtab: {error}", file=sys.stderr)  # noqa: T201  # the one line that says what to do
        return 2


def _look(client: Client) -> None:
    """Find out what would keep every slot from its work before they start, which takes seconds.

    Raises:
        Refused: The service does not take the token, or speaks another protocol.
    """
    try:
        client.version()
    except PASSING as error:
        _log.warning("waiting for the service: %(error)s", {"error": error})


def _check_gradients() -> int:
    from workers import check_command  # noqa: PLC0415  # torch takes seconds, and a worker leaves it to its children

    said, code = check_command.run(sys.argv[2:])
    print(said)  # noqa: T201  # what was asked for
    return code


if __name__ == "__main__":
    sys.exit(main())
