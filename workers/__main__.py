"""`python -m workers` pulls trials and trains them until it is stopped."""

import logging
import os
import sys

from trimtab import logs
from trimtab.client import Client
from trimtab.errors import TrimtabError
from workers.pool import Pool
from workers.process import ChildDied
from workers.settings import Settings


def main() -> int:
    """Run the command line; return the exit code."""
    logs.configure()
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # It has a line for each request.
    try:
        settings = Settings.from_arguments(sys.argv[1:], os.environ)
        with Client() as client:
            return Pool(settings, client).run()
    except (TrimtabError, ChildDied) as error:
        print(f"trimtab: {error}", file=sys.stderr)  # noqa: T201  # the one line that says what to do
        return 2


if __name__ == "__main__":
    sys.exit(main())
