"""The service's settings, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service import tokens
from trimtab import settings as shared
from trimtab.errors import Misconfigured

MAX_BODY_BYTES = 2**20
"""Of a request; 1 MiB."""


@dataclass(frozen=True)
class Settings:
    """What `python -m service` was told.

    Args:
        database_url: SQLAlchemy URL of the database; None: an embedded one under data_dir.
        migration_url: The same with the role that owns the tables; None: database_url.
        data_dir: Folder of the embedded database, of the token file and of the files of checkpoints.
        host: Where the API listens.
        port: Likewise.
        admin_token: The operator's own token; None: one made at first start.
        lease_seconds: How long a lease lives without a sign of its worker.
        artifacts: fsspec URL of the folder of files; None: one in data_dir.
        max_checkpoint_bytes: That a checkpoint may have.
        max_dataset_bytes: That the file of a data set may have.
        requests_per_second: That a token may make of this replica for ever; 0: as many as it likes.
    """

    database_url: str | None
    migration_url: str | None
    data_dir: Path
    host: str
    port: int
    admin_token: str | None
    lease_seconds: float
    requests_per_second: int
    artifacts: str | None
    max_checkpoint_bytes: int
    max_dataset_bytes: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            Misconfigured: One of them is not of its kind, the operator's token could be guessed, or the API would
                listen beyond this machine without a token of the operator's choice.
        """
        settings = cls(
            database_url=_database_url(environment, "TRIMTAB_DATABASE_URL"),
            migration_url=_database_url(environment, "TRIMTAB_MIGRATION_URL"),
            data_dir=shared.data_dir(environment),
            host=environment.get("TRIMTAB_HOST") or "127.0.0.1",
            port=_number(environment, "TRIMTAB_PORT", default=8000, low=1, high=65_535),
            admin_token=_admin_token(environment),
            lease_seconds=_number(environment, "TRIMTAB_LEASE_SECONDS", default=30, low=1, high=86_400),
            requests_per_second=_number(
                environment, "TRIMTAB_REQUESTS_PER_SECOND", default=1000, low=0, high=1_000_000
            ),
            artifacts=environment.get("TRIMTAB_ARTIFACTS") or None,
            max_checkpoint_bytes=_number(environment, "TRIMTAB_MAX_CHECKPOINT_BYTES", default=2**30, low=1, high=2**40),
            max_dataset_bytes=_number(environment, "TRIMTAB_MAX_DATASET_BYTES", default=2**31, low=1, high=2**40),
        )
        if settings.admin_token is None and not shared.is_loopback(settings.host):
            raise Misconfigured(
                f"TRIMTAB_HOST={settings.host} listens beyond this machine: "
                "set TRIMTAB_ADMIN_TOKEN_FILE (or TRIMTAB_ADMIN_TOKEN), or leave TRIMTAB_HOST out"
            )
        return settings


def _database_url(environment: Mapping[str, str], name: str) -> str | None:
    given = environment.get(name)
    if not given:
        return None
    scheme, separator, rest = given.partition("://")
    if not separator or scheme not in {"postgresql", "postgresql+psycopg2"}:
        raise Misconfigured(f"{name} is not a postgresql+psycopg2:// URL: it begins with {scheme[:20]!r}")
    url = f"postgresql+psycopg2://{rest}"
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        # The message of the error may show the password.
        raise Misconfigured(
            f"{name} cannot be read as postgresql+psycopg2://user:password@host:port/database; "
            "percent-encode what is special in its parts"
        ) from error
    return url


def _number(environment: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    given = environment.get(name) or str(default)
    if not given.isdecimal() or not low <= int(given) <= high:
        raise Misconfigured(f"{name} is not an integer from {low} to {high}: {given!r}")
    return int(given)


def _admin_token(environment: Mapping[str, str]) -> str | None:
    if given := environment.get("TRIMTAB_ADMIN_TOKEN", "").strip():
        return tokens.checked(given, "TRIMTAB_ADMIN_TOKEN")
    if not (path := environment.get("TRIMTAB_ADMIN_TOKEN_FILE")):
        return None
    try:
        found = Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Misconfigured(f"TRIMTAB_ADMIN_TOKEN_FILE={path} cannot be read: {error.strerror}") from error
    if not found:
        raise Misconfigured(f"TRIMTAB_ADMIN_TOKEN_FILE={path} is empty")
    return tokens.checked(found, f"TRIMTAB_ADMIN_TOKEN_FILE={path}")
