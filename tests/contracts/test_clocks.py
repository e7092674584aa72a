"""Who has a wrong clock makes no difference: nothing is decided by the time of day of a replica or of a worker."""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TIME_OF_DAY = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime"}

# The names of files hold when they were made, by the replica's clock; what nothing names is kept for a day. A worker's
# machine marks when each file of its own cache was used last, by the clock that it compares it with; so does the
# service's machine with when its temporary folders were made, and only the young are spared by that: a lock says which
# are lived in. `trimtab doctor` compares the clock here with the service's, which is all that it does with it.
EXCEPTIONS = {
    "service/artifacts.py",
    "service/scratch.py",
    "trimtab/cli/inspecting.py",
    "workers/datasets.py",
}


def test_only_the_databases_clock_tells_the_time_of_day() -> None:
    read = {
        str(path.relative_to(REPOSITORY))
        for folder in ("service", "workers", "trimtab")
        for path in (REPOSITORY / folder).rglob("*.py")
        if any(map(_reads_the_time_of_day, ast.walk(ast.parse(path.read_text()))))
    }

    assert read == EXCEPTIONS


def _reads_the_time_of_day(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="time" | "datetime" | "date"), attr=name)):
            return name in TIME_OF_DAY
        case ast.ImportFrom(module="time", names=names):
            return any(alias.name in TIME_OF_DAY for alias in names)
    return False
