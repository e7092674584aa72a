"""Crash points: each statement, commit and answer of a call is one, and something goes wrong before or after it.

A kill is what SIGKILL is to the database and to the caller: the connection ends, nothing of the call goes on, and no
answer comes. A cut ends the connection alone: the service lives on and does not know whether the statement took effect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import cursor
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.silence import Impatient

Result = TypeVar("Result")

ANSWER = "ANSWER"
COMMIT = "COMMIT"


class Fault(StrEnum):
    """What goes wrong at a point."""

    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"

    @property
    def is_kill(self) -> bool:
        return self in {Fault.KILL_BEFORE, Fault.KILL_AFTER}

    @property
    def takes_effect(self) -> bool:
        """Whether the statement at the point reaches the server."""
        return self in {Fault.KILL_AFTER, Fault.CUT_AFTER}


class Killed(BaseException):
    """The replica is no more. No code of the service is to handle this."""


class NoAnswer(Exception):
    """The replica was killed before it answered."""


@dataclass
class Script:
    """What passes through the connections of a replica, and what goes wrong with it.

    Args:
        fault: What goes wrong.
        at: The number of the point, from 0; None: nothing goes wrong.
        points: What has passed since the script was begun.
    """

    fault: Fault = Fault.KILL_BEFORE
    at: int | None = None
    points: list[str] = field(default_factory=list)

    def begin(self, fault: Fault, at: int | None) -> None:
        """Count from now on."""
        self.fault, self.at = fault, at
        self.points.clear()

    def answer(self) -> None:
        """Let an answer be sent, unless it is its turn: then nobody hears it."""
        if self._is_turn_of(ANSWER):
            raise Killed(f"at point {self.at}: {ANSWER}")

    def passing(self, name: str, connection: "Scripted", do: Callable[[], Result]) -> Result:
        """Let a statement or a commit pass, unless it is its turn."""
        if not self._is_turn_of(name):
            return do()
        if self.fault.takes_effect:
            do()
        connection.close()
        if self.fault.is_kill:
            raise Killed(f"at point {self.at}: {name}")
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    def _is_turn_of(self, name: str) -> bool:
        self.points.append(name)
        return self.at == len(self.points) - 1


class Scripted(Impatient):
    """A connection that a script is played on."""

    script: Script

    def commit(self) -> None:
        self.script.passing(COMMIT, self, super().commit)

    def cursor(self, *args: Any, **settings: Any) -> "ScriptedCursor":
        found: ScriptedCursor = super().cursor(*args, **{**settings, "cursor_factory": ScriptedCursor})
        return found


class ScriptedCursor(cursor):  # type: ignore[misc]  # psycopg2 has no types
    """A cursor of such a connection."""

    def execute(self, query: Any, values: Any = None) -> None:
        name = " ".join(str(query).split())[:60]
        self.connection.script.passing(
            name, self.connection, lambda: super(ScriptedCursor, self).execute(query, values)
        )


def play(script: Script, engine: sa.Engine) -> None:
    """Play a script on every connection that this engine makes from now on."""
    factory = type("Played", (Scripted,), {"script": script})

    def replace(_: object, __: object, ___: object, settings: dict[str, Any]) -> None:
        settings["connection_factory"] = factory

    sa.event.listen(engine, "do_connect", replace)


def play_answers(script: Script, app: ASGIApp) -> ASGIApp:
    """Return an application whose answers pass through a script.

    Raises:
        NoAnswer: From a call in which it is killed. `Killed` itself would end the event loop of Starlette's client,
            which then may find it gone while it asks for the answer.
    """

    async def played(scope: Scope, receive: Receive, send: Send) -> None:
        async def passing(message: Message) -> None:
            if message["type"] == "http.response.start":
                script.answer()
            await send(message)

        try:
            await app(scope, receive, passing)
        except Killed as killed:
            raise NoAnswer from killed

    return played
