"""The bare server over HTTP: `python -m bench.bare_http_server PORT WORKERS`."""

import sys

import uvicorn
from starlette.types import ASGIApp

from bench.bare_server import bare


def app() -> ASGIApp:
    """The app as the SDK makes it."""
    return bare().streamable_http_app()


def main() -> None:
    """Serve on loopback."""
    port, workers = (int(argument) for argument in sys.argv[1:])
    uvicorn.run(
        "bench.bare_http_server:app",
        factory=True,
        port=port,
        workers=workers,
        log_level="error",
        access_log=False,
    )


if __name__ == "__main__":
    main()
