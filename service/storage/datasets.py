"""Data sets in the database: what there is of each version, and which studies need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trimtab.data import BUILT_IN, DatasetFacts, DataSpec
from trimtab.datasets import Dataset, DatasetDescription


@dataclass(frozen=True)
class DatasetRow:
    """A version of a data set as it is stored."""

    name: str
    version: int
    sha256: str
    size: int
    path: str
    description: DatasetDescription
    created_at: datetime

    @property
    def described(self) -> Dataset:
        """The same as it goes over the wire."""
        return Dataset(
            **dict(self.description),
            name=self.name,
            version=self.version,
            sha256=self.sha256,
            size=self.size,
            created_at=self.created_at,
        )


_COLUMNS = "name, version, sha256, size, path, CAST(facts AS text) AS facts, created_at"

_NEWEST = sa.text(f"SELECT {_COLUMNS} FROM trimtab_datasets WHERE name = :name ORDER BY version DESC LIMIT 1")

_FIND = sa.text(f"SELECT {_COLUMNS} FROM trimtab_datasets WHERE name = :name AND sha256 = :sha256")

# By code points, as Python orders the built-in ones among them, whatever the database's own collation is.
_LIST = sa.text(f"""
    SELECT DISTINCT ON (name COLLATE "C") {_COLUMNS} FROM trimtab_datasets WHERE name > :after COLLATE "C"
    ORDER BY name COLLATE "C", version DESC LIMIT :limit
""")

_NAMES = sa.text('SELECT DISTINCT name COLLATE "C" FROM trimtab_datasets ORDER BY 1 LIMIT :limit')

# Content that was the newest long ago is the newest again, under a new number; that of the newest keeps its number.
_PUT = sa.text(f"""
    INSERT INTO trimtab_datasets (name, version, sha256, size, path, problem, examples, facts)
    SELECT :name, coalesce(max(version), 0) + 1, :sha256, :size, :path, :problem, :examples, CAST(:facts AS json)
    FROM trimtab_datasets WHERE name = :name
    ON CONFLICT (name, sha256) DO UPDATE
    SET path = excluded.path, facts = excluded.facts,
      version = CASE trimtab_datasets.version WHEN excluded.version - 1 THEN excluded.version - 1
        ELSE excluded.version END,
      created_at = CASE trimtab_datasets.version WHEN excluded.version - 1 THEN trimtab_datasets.created_at
        ELSE clock_timestamp() END
    RETURNING {_COLUMNS}
""")

_LOCK_ALL = sa.text("LOCK TABLE trimtab_datasets IN SHARE ROW EXCLUSIVE MODE")

_OF_CONTENTS = f"""
    SELECT {_COLUMNS} FROM trimtab_datasets
    WHERE (name, sha256) IN (SELECT * FROM unnest(CAST(:names AS text[]), CAST(:hashes AS text[])))
    ORDER BY name
"""

_FOUND = sa.text(_OF_CONTENTS)

_PIN = sa.text(f"{_OF_CONTENTS} FOR KEY SHARE")

_LOCK = sa.text("SELECT path FROM trimtab_datasets WHERE name = :name ORDER BY version FOR UPDATE")

_USER = sa.text("""
    SELECT study_name FROM trimtab_studies JOIN studies USING (study_id)
    WHERE spec -> 'task' -> 'data' -> 'contents' ->> :name IS NOT NULL
    ORDER BY study_id DESC LIMIT 1
""")

_DELETE = sa.text("DELETE FROM trimtab_datasets WHERE name = :name")

_IS_LEASED = sa.text("""
    SELECT EXISTS (
      SELECT FROM trimtab_leases l JOIN trimtab_studies s USING (study_id)
      WHERE l.token_id = :token_id AND l.ended_at IS NULL
        AND s.spec -> 'task' -> 'data' -> 'contents' ->> :name = :sha256)
""")


def newest(connection: sa.Connection, name: str) -> DatasetRow | None:
    """Return the newest version of a data set; None if there is none."""
    return _row(connection.execute(_NEWEST, {"name": name}).one_or_none())


def find(connection: sa.Connection, name: str, sha256: str) -> DatasetRow | None:
    """Return the version of a data set that has this content; None if there is none."""
    return _row(connection.execute(_FIND, {"name": name, "sha256": sha256}).one_or_none())


def page(connection: sa.Connection, *, after: str, limit: int) -> Sequence[DatasetRow]:
    """Return the newest version of up to `limit` data sets by name, of those behind the name `after`."""
    rows = connection.execute(_LIST, {"after": after, "limit": limit})
    return [row for row in map(_row, rows) if row]


def names(connection: sa.Connection, *, limit: int) -> Sequence[str]:
    """Return what up to `limit` data sets are called."""
    return connection.execute(_NAMES, {"limit": limit}).scalars().all()


def lock(connection: sa.Connection) -> None:
    """Let no other transaction put a data set before this one ends."""
    connection.execute(_LOCK_ALL)


def put(
    connection: sa.Connection, name: str, description: DatasetDescription, *, sha256: str, size: int, path: str
) -> DatasetRow:
    """Record the newest version of a data set, whose file is written; the transaction has locked the data sets.

    If there is a version of this content, this file takes the place of its own.
    """
    values = {
        "name": name,
        "sha256": sha256,
        "size": size,
        "path": path,
        "problem": description.problem,
        "examples": description.examples,
        "facts": description.model_dump_json(),
    }
    row = _row(connection.execute(_PUT, values).one())
    assert row
    return row


def pin(connection: sa.Connection, contents: Mapping[str, str]) -> Sequence[DatasetRow]:
    """Return those of these contents (SHA-256 by name) that there are; they stay until this transaction ends."""
    if not contents:
        return []
    rows = connection.execute(_PIN, {"names": list(contents), "hashes": list(contents.values())})
    return [row for row in map(_row, rows) if row]


def facts_of(connection: sa.Connection, data: DataSpec) -> Mapping[str, DatasetFacts]:
    """Return what is known of the data sets that data with settled contents names."""
    put = {row.name: row.description.facts for row in found(connection, data.contents)}
    return {**BUILT_IN, **put}


def found(connection: sa.Connection, contents: Mapping[str, str]) -> Sequence[DatasetRow]:
    """Return those of these contents (SHA-256 by name) that there are."""
    if not contents:
        return []
    rows = connection.execute(_FOUND, {"names": list(contents), "hashes": list(contents.values())})
    return [row for row in map(_row, rows) if row]


def lock_all_of(connection: sa.Connection, name: str) -> Sequence[str]:
    """Lock every version of a data set, once no study that pins one is under way; return their files."""
    return connection.execute(_LOCK, {"name": name}).scalars().all()


def user_of(connection: sa.Connection, name: str) -> str | None:
    """Return the newest study that needs a version of a data set; None: none does."""
    study: str | None = connection.execute(_USER, {"name": name}).scalar_one_or_none()
    return study


def delete(connection: sa.Connection, name: str) -> None:
    """Forget every version of a data set."""
    connection.execute(_DELETE, {"name": name})


def is_leased(connection: sa.Connection, name: str, sha256: str, *, token_id: int) -> bool:
    """Return whether a live lease of this token is on a study that is trained on this content."""
    values = {"name": name, "sha256": sha256, "token_id": token_id}
    return bool(connection.execute(_IS_LEASED, values).scalar_one())


def _row(row: sa.Row[tuple[object, ...]] | None) -> DatasetRow | None:
    if row is None:
        return None
    values = row._asdict()
    return DatasetRow(description=DatasetDescription.model_validate_json(values.pop("facts")), **values)
