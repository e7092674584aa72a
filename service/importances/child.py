"""fANOVA in a process of its own, so that the service never holds scikit-learn. JSON in, JSON out."""

import json
import sys

from service.importances.anova import fanova
from service.importances.table import Table


def main() -> None:
    """Read the table from standard input and write the importances to standard output."""
    json.dump(fanova(Table(**json.load(sys.stdin))), sys.stdout)


if __name__ == "__main__":
    main()
