"""`python -m tests.openapi > tests/openapi.json` renews the reviewed description of the API. Read what changed."""

import json
import sys

import sqlalchemy as sa

from service.app import create_app
from service.replica import Replica
from service.tokens import Tokens


def description() -> str:
    """The description of the API as it is now."""
    app = create_app(Replica(sa.create_engine("postgresql+psycopg2://"), 30.0), Tokens("token"))
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(description())
