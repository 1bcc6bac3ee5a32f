"""`ledgercore serve`: the HTTP service, in one process or several."""

import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import click

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore_app.databases import Embedded, Memory, database_from
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import PREFIX, Settings
from ledgercore_cli.exit_codes import UNAVAILABLE
from ledgercore_cli.session import Session, pass_session

if TYPE_CHECKING:
    from uvicorn import Config

PORT: Final = 4_000
BACKLOG: Final = 2_048
DRAIN_SECONDS: Final = 30
KEEP_ALIVE_SECONDS: Final = 30
HUNG_SECONDS: Final = 30
"""A process that does not answer the one that started it for so long is replaced."""
SOCKET_BYTES_MAX: Final = 16_384
"""What a client may say in one message of a WebSocket."""
OPEN_FILES: Final = 65_536
APPLICATION: Final = "ledgercore_app.asgi:application"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535), help="The port; 0 takes any.")
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="How many processes serve the port."
)
@pass_session
def serve(session: Session, host: str, port: int, processes: int) -> None:
    """Serve the HTTP API until interrupted.

    \b
    ledgercore serve                      # on the embedded database
    LEDGERCORE_DATABASE_URL=postgresql://… LEDGERCORE_SECRET=… ledgercore serve --processes 2

    Requests that were accepted are answered before it ends. /api/docs shows all routes.
    """
    # Whoever asks for the end, at the keyboard or by SIGTERM, gets the same one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _serve(session, host, port, processes)


def _serve(session: Session, host: str, port: int, processes: int) -> None:
    import uvicorn

    from ledgercore.bank import CALLBACK_PATH
    from ledgercore_app.service import open_service, telemetry_of
    from ledgercore_http.deadlines import DeadlineProtocol

    if session.database is not None:
        # The processes that serve read the environment.
        os.environ[f"{PREFIX}DATABASE_URL"] = session.database
    settings = Settings.from_environment(os.environ)
    told = ServiceSettings.from_environment(os.environ)
    named = database_from(None, settings)
    if isinstance(named, Memory) and processes > 1:
        raise click.UsageError("each process would have a memory of its own; name a database")
    _allow_many_connections()
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        if not (told.public_url or told.bank_redirect_url):
            # Users who try it out come back from their banks to this very port.
            os.environ[f"{PREFIX}BANK_REDIRECT_URL"] = f"{_url(listening)}{CALLBACK_PATH}"
            told = ServiceSettings.from_environment(os.environ)
        # Held open here, the embedded database outlives each process that serves; what is wrong is told before they
        # start.
        telemetry = telemetry_of(told)
        stack.callback(telemetry.shutdown)
        stack.enter_context(open_service(None, settings=settings, service_settings=told, telemetry=telemetry))
        if isinstance(named, Embedded):
            session.note(f"database: {named}")
        config = uvicorn.Config(
            APPLICATION,
            factory=True,
            workers=processes,
            http=DeadlineProtocol,
            ws="websockets-sansio",
            ws_max_size=SOCKET_BYTES_MAX,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # Forwarded addresses are read at our own edge, from trusted proxies alone.
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_worker_healthcheck=HUNG_SECONDS,
        )
        session.note(f"{_url(listening)}/api/docs ({told.environment})")
        if not _run(config, listening):
            # Why it did not start stands in the log.
            sys.exit(UNAVAILABLE)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything is started for it; raises `configuration_error`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        # Where it was tried is told by our own fields.
        why = str(error.strerror).partition(" (")[0] if isinstance(error, OSError) else "not the name of a host"
        raise InternalError(CONFIGURATION_ERROR, host=host, port=port, why=why) from error


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(config: "Config", listening: socket.socket) -> bool:
    """Serve until told to end; whether the server ever started."""
    from uvicorn import Server
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    if config.workers == 1:
        server = Server(config)
        with suppress(SystemExit):
            server.run(sockets=[listening])
        return server.started

    class Processes(Multiprocess):
        """Lets nobody connect any more once the processes are told to end."""

        def terminate_all(self) -> None:
            listening.close()
            super().terminate_all()

    several = Processes(config, sockets=[listening])
    several.run()
    return all(process.exitcode != STARTUP_FAILURE for process in several.processes)


def _allow_many_connections() -> None:
    """Let a process have as many connections open as the system allows it, not only the usual thousand."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
