"""Start the API as the environment says: ``python -m app``."""

import logging
import os
import sys
import tempfile
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.api.telemetry import configure_logging, flush_logs
from app.settings import ApiSettings
from errors import DigitsError

SHUTDOWN_SECONDS = 8  # for requests in flight at SIGTERM; all must end within 10
logger = logging.getLogger("digits")


def load_app() -> FastAPI:
    """Make the app, in each worker; end the process with one sentence if that cannot be."""
    from app.main import create_app  # not above: the supervisor of several workers needs no model

    try:
        return create_app()
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        flush_logs()
        sys.exit(STARTUP_FAILURE)


def main() -> None:
    """Serve until told to stop."""
    try:
        settings = ApiSettings()
    except ValidationError as error:
        for fault in error.errors():
            print(f"error: API_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        sys.exit(2)
    configure_logging()
    if not settings.token and settings.host not in ("127.0.0.1", "::1", "localhost"):
        told = "API_TOKEN is not set: everyone can use the API at %s without one"
        logger.warning(told, settings.host)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # images come one by one
    config = uvicorn.Config(
        "app.__main__:load_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        root_path=settings.root_path.rstrip("/"),
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        ws="none",
        lifespan="on",
        log_config=None,  # what uvicorn logs is written as all other lines are
        access_log=False,  # the telemetry writes a line a request
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=30,
    )
    if settings.workers == 1:
        server = uvicorn.Server(config)
        with suppress(KeyboardInterrupt):
            server.run()
        failed = not server.started
    else:  # uvicorn.run would end with 0 if no worker can start
        with tempfile.TemporaryDirectory(prefix="digits-metrics-") as metrics_dir:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", metrics_dir)
            supervisor = Multiprocess(config, sockets=[config.bind_socket()])
            supervisor.run()
        failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    if failed:
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    status = 0
    try:
        main()
    except SystemExit as error:
        status = int(error.code or 0)
    flush_logs()
    os._exit(status)  # a thread that hangs would keep an ordinary exit waiting
