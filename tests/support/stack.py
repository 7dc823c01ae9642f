"""The compose project that tests/containers builds and runs, and what the engine says of it."""

import contextlib
import json
import os
import socket
import subprocess
from pathlib import Path

from tests.support.services import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = "digits-check"


def run(*command: str, **options) -> str:
    """Run a command; give what it printed, or fail with it."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout.strip()


def free_ports(count: int) -> str:
    """A range of ports that nobody listens on, as compose writes it."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return f"{first}-{first + count - 1}"


def about(container: str) -> dict:
    """What the engine says of a container."""
    [described] = json.loads(run("docker", "inspect", container))
    return described


class Stack:
    """The compose project under test."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.ports = {name: str(free_port()) for name in ("API_PORT", "FRONT_PORT", "GATEWAY_PORT")}
        self.api, self.front, self.gateway = (
            f"http://127.0.0.1:{port}" for port in self.ports.values()
        )
        self.environment = os.environ | self.ports | {"MODELS_DIR": str(models)}
        for name in ("API_URL", "API_MODEL", "API_WORKERS", "API_MEMORY", "BIND"):
            self.environment.pop(name, None)  # what the developer has set for himself

    def compose(self, *arguments: str, **environment: str) -> str:
        command = ["docker", "compose", "-p", PROJECT, *arguments]
        return run(*command, cwd=REPOSITORY, env=self.environment | environment)

    def container(self, service: str) -> str:
        """The id of a running container of a service."""
        return self.compose("--profile", "scale", "ps", "--quiet", service).splitlines()[0]

    def python(self, service: str, code: str) -> str:
        """What Python code prints inside a container of a service."""
        return run("docker", "exec", self.container(service), "python", "-c", code)

    def left_behind(self) -> str:
        label = f"label=com.docker.compose.project={PROJECT}"
        return "".join(
            run("docker", *what, "--quiet", "--filter", label)
            for what in (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
        )
