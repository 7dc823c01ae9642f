"""Start the API as the environment says: ``python -m app``."""

import os
import sys
import tempfile

import uvicorn
from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.api.http_protocol import HardenedHttpProtocol
from app.settings import ApiSettings

HEALTHCHECK_SECONDS = 30  # in which a worker must answer its supervisor
SHUTDOWN_SECONDS = 10  # for requests that are in flight when the time to drain is over


def main() -> int:
    """Serve until told to stop; return the exit status."""
    try:
        settings = ApiSettings()
    except ValidationError as error:
        for fault in error.errors():
            print(f"error: API_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    # Images come one by one: more threads for each would only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=HardenedHttpProtocol,
        root_path=settings.root_path,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=settings.max_connections,
        ws="none",
        lifespan="on",
        access_log=False,  # the app writes its own line a request
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=HEALTHCHECK_SECONDS,
    )
    if settings.workers == 1:
        server = uvicorn.Server(config)
        server.run()
        return 0 if server.started else STARTUP_FAILURE
    with tempfile.TemporaryDirectory(prefix="digits-metrics-") as metrics_dir:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", metrics_dir)
        supervisor = Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
        failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
        return STARTUP_FAILURE if failed else 0


if __name__ == "__main__":
    sys.exit(main())
