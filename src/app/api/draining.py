"""What happens between SIGTERM and the end of the process."""

import asyncio
import logging
import signal
import threading
from types import FrameType

from app.api.service import Service

POLL_SECONDS = 0.05
logger = logging.getLogger("digits")


def drain_on_sigterm(service: Service) -> None:
    """Let SIGTERM first turn ``/ready`` to 503 and end requests in flight, then stop the server.

    The server's own handler closes the listening socket at once, so that nobody could ask
    ``/ready``; it is called when no request is in flight or the time to drain is over.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread gets signals; a server in another is stopped otherwise
    stop_server = signal.getsignal(signal.SIGTERM)
    if not callable(stop_server):
        return  # no server to stop
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def drain() -> None:
        deadline = loop.time() + service.settings.drain_seconds
        while service.in_flight and loop.time() < deadline:
            await asyncio.sleep(POLL_SECONDS)
        stop_server(signal.SIGTERM, None)

    def begin(signum: int, frame: FrameType | None) -> None:
        if service.draining:  # told twice: no more patience
            stop_server(signum, frame)
            return
        service.draining = True
        logger.info("SIGTERM: draining %d requests", service.in_flight)
        loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(drain())))

    signal.signal(signal.SIGTERM, begin)
