"""Write a token of kind worker for the workers of a compose project, once."""

import subprocess
import sys

from write_secrets import SECRETS, keep

TOKEN = SECRETS / "worker/token"
CREATE = ("-m", "service", "token", "create", "--kind", "worker", "--name", "compose")


def main() -> None:
    """Make a token unless there is one, so that every start may run this."""
    if not TOKEN.exists():
        created = subprocess.run([sys.executable, *CREATE], check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  # nothing of it is given
        keep(TOKEN, created.stdout)


if __name__ == "__main__":
    main()
