"""The application that a server process runs: it opens everything when it starts, and drains before it ends."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from ledgercore.errors import LedgercoreError
from ledgercore_app.service import open_service, telemetry_of
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_http import create_app
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Routes

if TYPE_CHECKING:
    from ledgercore_http.edge import Edge

YOUNG_OBJECTS_MAX: Final = 50_000
"""So many new objects before the collector looks at them: a batch of a thousand posts makes about as many."""


class Application:
    """ASGI. Between its start and its end it has a database, threads, and everything else that requests need."""

    def __init__(
        self, settings: Settings, service_settings: ServiceSettings, *, tables: Sequence[Routes] = TABLES
    ) -> None:
        self._settings = settings
        self._service_settings = service_settings
        self._tables = tables
        # From the first moment on, so that the log also holds what the server says before the start.
        self._telemetry = telemetry_of(service_settings, tables)
        self._open = ExitStack()
        self._open.callback(self._telemetry.shutdown)
        self._edge: Edge | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or live through the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._edge is not None
        await self._edge(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await asyncio.to_thread(self._start)
        except LedgercoreError as error:
            await send({"type": "lifespan.startup.failed", "message": f"{error.code}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._end)
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        _end_with_parent()
        told, telemetry = self._service_settings, self._telemetry
        service = self._open.enter_context(
            open_service(None, settings=self._settings, service_settings=told, telemetry=telemetry)
        )
        self._edge = create_app(service, self._tables)
        self._open.callback(self._edge.drain)
        _spare_the_collector()

    def _end(self) -> None:
        self._open.close()


def application() -> Application:
    """The application as the environment describes it; what a server process calls."""
    return Application(Settings.from_environment(os.environ), ServiceSettings.from_environment(os.environ))


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking what was loaded to start, and from walking a large batch many times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, *gc.get_threshold()[1:])


def _end_with_parent() -> None:
    """End as if told to when the process that started this one is gone: nobody would ever tell it again."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()
