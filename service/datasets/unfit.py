"""What is wrong with a file that was put as a data set, and where."""

from collections.abc import Iterable
from typing import NoReturn

from trimtab.protocol import FieldProblem

MOST = 100
"""Problems that are told: whoever has more mends these first."""

_SHOWN = 50


class Unfit(Exception):
    """The file is no data set that can be trained on."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.field} {problem.message}" for problem in self.problems))


class Problems:
    """Collects problems, of very many the first."""

    def __init__(self) -> None:
        self._found: list[FieldProblem] = []

    def add(self, field: str, message: str) -> None:
        """Note one."""
        if len(self._found) < MOST:
            self._found.append(FieldProblem(field=field, message=message))

    def add_cells(self, rows: Iterable[int], column: str, message: str) -> None:
        """Note the same of several rows of a column; rows are counted from 0 here, and from 1 for people."""
        for row in rows:
            self.add(cell(row, column), message)
            if len(self._found) == MOST:
                return

    def settle(self) -> None:
        """Return if there was none.

        Raises:
            Unfit: There was.
        """
        if self._found:
            raise Unfit(self._found)


def refuse(field: str, message: str) -> NoReturn:
    """Refuse the file for one reason.

    Raises:
        Unfit: Always.
    """
    raise Unfit([FieldProblem(field=field, message=message)])


def cell(row: int, column: str) -> str:
    """Return what people call a cell of a table; `row` is counted from 0."""
    return f"row {row + 1}, column {column}"


def shown(value: object) -> str:
    """Return a value as messages show it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def listed(names: Iterable[str]) -> str:
    """Return names as messages list them: of very many the first."""
    every = [shown(name).strip("'") for name in names]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
