"""What happens between SIGTERM and the end of the process."""

import asyncio
import logging
import signal
import threading
from types import FrameType

from app.api.service import Service

logger = logging.getLogger("digits")


def drain_on_sigterm(service: Service) -> None:
    """Let SIGTERM first turn ``/ready`` to 503, then stop the server.

    The server's own handler closes the listening socket at once, so that nobody could ask
    ``/ready``. It is called after the time to drain, idle or not: a balancer that looks every few
    seconds has then seen the 503 and sends nothing more.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread gets signals; a server in another is stopped otherwise
    stop_server = signal.getsignal(signal.SIGTERM)
    if not callable(stop_server):
        return  # no server to stop
    loop = asyncio.get_running_loop()
    seconds = service.settings.drain_seconds

    def begin(signum: int, frame: FrameType | None) -> None:
        if service.draining:  # told twice: no more patience
            stop_server(signum, frame)
            return
        service.draining = True
        logger.info("SIGTERM: not ready from now on, to stop in %g s", seconds)
        loop.call_soon_threadsafe(loop.call_later, seconds, stop_server, signum, None)

    signal.signal(signal.SIGTERM, begin)
