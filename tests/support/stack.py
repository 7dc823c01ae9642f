"""The compose project that tests/containers builds and runs, and what the engine says about it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import requests
from tests.support.services import free_port

from model.config import REPOSITORY

PROJECT = "digits-check"
TOKEN = "a-token-of-the-check"
BUILT_FROM = (
    *("docker-compose.yml", "Dockerfile.api", "Dockerfile.front", ".dockerignore", "deploy"),
    *("install.py", "pyproject.toml", "requirements.txt", ".streamlit", "src", "models"),
)


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
    """What the engine says about a container."""
    [described] = json.loads(run("docker", "inspect", container))
    return described


class Stack:
    """The compose project under test, in a copy of the repository with an .env of its own.

    Args:
        folder: for the copy.
        owner: user id that the files in models/ get.
        settings: what .env says, beside the ports and the token.
    """

    def __init__(self, folder: Path, owner: int, settings: dict[str, str]) -> None:
        self.folder, self.models = folder, folder / "models"
        for name in BUILT_FROM:
            copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
            copy(REPOSITORY / name, folder / name)
        for name in ("src", ".streamlit", "deploy"):  # as in a clone made under umask 077
            run("chmod", "-R", "go=", str(folder / name))
        for path in (self.models, *self.models.rglob("*")):
            os.chown(path, owner, -1)
        ports = {name: str(free_port()) for name in ("API_PORT", "FRONT_PORT", "GATEWAY_PORT")}
        self.api, self.front, self.gateway = (f"http://127.0.0.1:{port}" for port in ports.values())
        settings = settings | ports | {"API_TOKEN": TOKEN}
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (folder / ".env").write_text("".join(lines))
        # A variable of the developer's shell would win over .env.
        self.environment = {k: v for k, v in os.environ.items() if k not in settings}
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def compose(self, *arguments: str, **environment: str) -> str:
        command = ["docker", "compose", "-p", PROJECT, "--profile", "scale", "--profile", "train"]
        return run(*command, *arguments, cwd=self.folder, env=self.environment | environment)

    def start(self, *arguments: str, **environment: str) -> None:
        """Start services and wait until they are healthy."""
        self.compose("up", "--wait", "--wait-timeout", "300", *arguments, **environment)

    def containers(self, service: str) -> list[str]:
        """The ids of the running containers of a service."""
        return self.compose("ps", "--quiet", service).splitlines()

    def python(self, service: str, code: str) -> str:
        """What Python code prints inside a container of a service."""
        return run("docker", "exec", self.containers(service)[0], "python", "-c", code)
