"""Python imports this when it starts: notes every host that the process asks for, but this one."""

import os
import socket
import sys
from pathlib import Path

OWN = {"", "0.0.0.0", "::", "::1", "localhost", "None", socket.gethostname()}
CAUGHT = Path(os.environ["TRAP_FILE"])


def note(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = str(address[0]) if isinstance(address, tuple) else ""  # others are local sockets
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
    else:
        return
    if host not in OWN and not host.startswith("127."):
        with CAUGHT.open("a") as file:
            file.write(f"{event} {host}\n")


sys.addaudithook(note)
