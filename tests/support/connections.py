"""Catches what a process sends to other hosts, whether Python sends it or a library's own code."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.services import REPOSITORY


class Trap:
    """What a process tried to reach; `environment` has the variables that the process needs.

    Python's own connections are seen by an audit hook. Code in other languages takes the proxy
    that the variables name, as curl's library does; and what it keeps on disk lies in `home`.
    """

    def __init__(self, folder: Path, proxy: str) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.file = folder / "caught"
        self.file.touch()
        hook = REPOSITORY / "tests" / "support" / "trap"
        self.environment = {
            "PYTHONPATH": f"{hook}:{REPOSITORY / 'src'}",
            "TRAP_FILE": str(self.file),
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            self.environment[name] = proxy

    def caught(self) -> list[str]:
        """What was asked for so far, one line each."""
        return self.file.read_text().splitlines()


@contextmanager
def trap(folder: Path) -> Iterator[Trap]:
    """Set a trap whose files lie in an empty folder."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        trap = Trap(folder, f"http://127.0.0.1:{server.getsockname()[1]}")

        def note() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # the trap is taken away
                    return
                with connection, trap.file.open("a") as file:
                    file.write(f"proxy {connection.recv(1000).splitlines()[:1]}\n")

        threading.Thread(target=note, daemon=True).start()
        yield trap
        server.shutdown(socket.SHUT_RDWR)
