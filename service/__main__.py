"""`python -m service` serves; `… migrate` only migrates; `… token create` makes a token."""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa
import uvicorn
from sqlalchemy.exc import DBAPIError
from threadpoolctl import threadpool_limits

from service import access, embedded, scratch, tokens
from service.app import create_app
from service.artifacts import Artifacts
from service.database import connect
from service.migrate import is_current, migrate
from service.principals import OPERATOR
from service.replica import Replica
from service.settings import Settings
from service.slow_clients import Guarded
from service.tokens import Tokens
from trimtab import logs
from trimtab.errors import Misconfigured, TrimtabError
from trimtab.protocol import NewToken
from trimtab.states import TokenKind
from trimtab.validation import built

DRAIN_SECONDS = 10

_log = logging.getLogger("service")


def main() -> int:
    """Run the command line; return the exit code."""
    arguments = _arguments()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # The sampler's matrices are small: threads for them cost more than they give, most of all on a busy machine.
    threadpool_limits(1)
    # uvicorn, when it is done, raises again the signal that it was sent: as an exception, it ends nothing unclosed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        logs.configure(os.environ)
        with ExitStack() as closing:
            settings = Settings.from_environment(os.environ)
            match arguments.command:
                case "migrate":
                    return _migrate(settings, closing)
                case "token":
                    return _create_token(settings, closing, kind=arguments.kind, name=arguments.name)
                case _:
                    return _serve(settings, closing)
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)  # noqa: T201  # the one line that says what to do
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m service", description="The Trimtab service.")
    commands = parser.add_subparsers(dest="command", metavar="serve | migrate | token create")
    commands.add_parser("serve", help="serve; also without a command")
    commands.add_parser("migrate", help="bring the database to the newest schema, and no more")
    verbs = commands.add_parser("token", help="tokens").add_subparsers(required=True, metavar="create")
    create = verbs.add_parser("create", help="make a token and print it, this once")
    create.add_argument("--kind", required=True, choices=[kind.value for kind in TokenKind])
    create.add_argument("--name", required=True, help="what it is for")
    return parser.parse_args()


def _create_token(settings: Settings, closing: ExitStack, *, kind: str, name: str) -> int:
    wanted = built(NewToken, {"kind": kind, "name": name})
    url = _database(settings, closing)
    _ready(url, settings)
    engine = connect(url)
    closing.callback(engine.dispose)
    print(access.make(engine, wanted, by=OPERATOR).token)  # noqa: T201  # what the command is for
    return 0


def _migrate(settings: Settings, closing: ExitStack) -> int:
    _migrated(settings.migration_url or _database(settings, closing))
    return 0


def _serve(settings: Settings, closing: ExitStack) -> int:
    listener = closing.enter_context(_listener(settings))
    scratch.sweep()
    token = settings.admin_token or tokens.kept_in(settings.data_dir)
    url = _database(settings, closing)
    _ready(url, settings)
    replica = Replica(
        connect(url),
        settings.lease_seconds,
        artifacts=_artifacts(settings),
        max_checkpoint_bytes=settings.max_checkpoint_bytes,
        max_dataset_bytes=settings.max_dataset_bytes,
    )
    config = uvicorn.Config(
        create_app(replica, Tokens(token), requests_per_second=settings.requests_per_second),
        http=Guarded,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config, replica)
    where = "TRIMTAB_ADMIN_TOKEN" if settings.admin_token else tokens.file_in(settings.data_dir).absolute()
    _log.info("the operator's token is in %(where)s", {"where": where})
    _log.info("serving on http://%(host)s:%(port)s", {"host": settings.host, "port": settings.port})
    server.run(sockets=[listener])
    return 0


def _artifacts(settings: Settings) -> Artifacts:
    if settings.artifacts:
        return Artifacts(settings.artifacts)
    folder = settings.data_dir / "artifacts"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"{folder} cannot be made: {error.strerror}; set TRIMTAB_ARTIFACTS or TRIMTAB_DATA_DIR"
        ) from error
    return Artifacts(folder.as_uri())


class _Server(uvicorn.Server):
    """Ends long polls as soon as it is told to go down."""

    def __init__(self, config: uvicorn.Config, replica: Replica) -> None:
        super().__init__(config)
        self._replica = replica

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._replica.close()
        await super().shutdown(sockets)


def _database(settings: Settings, closing: ExitStack) -> str:
    if settings.database_url:
        return settings.database_url
    return closing.enter_context(embedded.start(settings.data_dir)).url


def _ready(url: str, settings: Settings) -> None:
    """Migrate, unless another role than the serving one owns the tables: then the schema must be there.

    Raises:
        Misconfigured: The database cannot be used, or its schema is behind.
    """
    if settings.migration_url in {None, url}:
        _migrated(url)
        return
    with _reached(url):
        if not is_current(url):
            raise Misconfigured(
                "the schema is behind: run `python -m service migrate` with TRIMTAB_MIGRATION_URL first"
            )


def _migrated(url: str) -> None:
    with _reached(url):
        migrate(url)


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, RuntimeError) as error:
        shown = sa.make_url(url).difference_update_query(["password"]).render_as_string(hide_password=True)
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
        raise Misconfigured(f"cannot use the database {shown}: {reason}; check TRIMTAB_DATABASE_URL") from error


def _listener(settings: Settings) -> socket.socket:
    """Take the port before anything else is started.

    Raises:
        Misconfigured: It is in use, or the host is not this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        with ExitStack() as closing:
            listener = closing.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            # Also when the first request comes at once, it finds somebody who listens.
            listener.listen(2048)
            closing.pop_all()
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; {_remedy(error)}"
        ) from error
    return listener


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "a service may run there already (trimtab doctor says so); else set TRIMTAB_PORT"
    return "set TRIMTAB_HOST or TRIMTAB_PORT"


if __name__ == "__main__":
    sys.exit(main())
