"""The compose file as a user runs it, under a project name of its own and on a free port."""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 1500
UP_SECONDS = 240
TWO_WORKERS = ("workers", "--scale", "workers=2")


class CommandFailed(Exception):
    """A command ended with an error; the message is what it wrote."""


@dataclass(frozen=True)
class Stack:
    """One compose project on this machine's container engine."""

    project: str
    port: int

    def build(self) -> None:
        """Build the images, as far as something changed."""
        self.compose("build", seconds=BUILD_SECONDS)

    def up(self, *arguments: str) -> None:
        """Bring services up with those that they need.

        Raises:
            CommandFailed: Something could not be started; the message holds the containers' logs.
        """
        try:
            self.compose("up", "--detach", *arguments, seconds=UP_SECONDS)
        except (CommandFailed, subprocess.TimeoutExpired) as error:
            raise CommandFailed(f"{error}\n{self.logs()}") from error

    def down(self) -> None:
        """Remove the containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", seconds=120)

    def compose(self, *arguments: str, seconds: float = 60) -> str:
        """Run a compose command on this project; see run."""
        return self._run("docker", "compose", *arguments, seconds=seconds)

    def shell(self, script: str, *, seconds: float) -> str:
        """Run lines as a user types them in the repository, for whom this project is the only one; see run."""
        return self._run("bash", "-euo", "pipefail", "-c", script, seconds=seconds)

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a running container of a service, as the user that the service runs as."""
        return self.compose("exec", "--no-TTY", service, *command)

    def run_once(self, image: str, *arguments: str, command: Sequence[str]) -> str:
        """Run a command in a container of its own, which is given nothing but what the arguments say."""
        program, *rest = command
        return docker("run", "--rm", "--read-only", *arguments, "--entrypoint", program, image, *rest)

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """Return what the engine tells of the containers of some services, by default of all."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(docker("inspect", *ids))
        return found

    def logs(self) -> str:
        """Return what every container wrote."""
        return self.compose("logs", "--no-color", "--timestamps")

    def _run(self, *command: str, seconds: float) -> str:
        return run(*command, seconds=seconds, COMPOSE_PROJECT_NAME=self.project, TRIMTAB_PORT=str(self.port))


def docker(*arguments: str) -> str:
    """Run docker; see run."""
    return run("docker", *arguments, seconds=60)


def run(*command: str, seconds: float, **environment: str) -> str:
    """Run a command in the repository and return what it printed.

    Raises:
        CommandFailed: It did not end well.
        subprocess.TimeoutExpired: It did not end in time.
    """
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if ended.returncode:
        raise CommandFailed(f"{' '.join(command)}\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}")
    return ended.stdout


def fresh_stack() -> Stack:
    """Name a project that nobody has, on a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return Stack(project=f"trimtab-test-{secrets.token_hex(4)}", port=port)


def wait_for(look: Callable[[], Found | None], *, seconds: float) -> Found:
    """Look again and again until there is something to return.

    Raises:
        TimeoutError: There was nothing in time.
    """
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing after {seconds} s of {look}")
        time.sleep(0.1)
    return found
