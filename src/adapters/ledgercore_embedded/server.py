"""The server of a data directory: started by the first client, stopped by the last."""

import atexit
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from psycopg import pq
from psycopg.conninfo import make_conninfo

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import EMBEDDED_SERVER_FAILED
from ledgercore_embedded.accounts import server_account
from ledgercore_embedded.binaries import find_binaries, readable_binaries
from ledgercore_embedded.cluster import DATABASE, SUPERUSER, drop_stale_pid, initialise
from ledgercore_embedded.directory import (
    DataDirectory,
    Running,
    drop_socket_directory,
    make_socket_directory,
)
from ledgercore_embedded.failures import ServerFailure, reported
from ledgercore_embedded.locks import FileLock
from ledgercore_embedded.patience import attempts
from ledgercore_embedded.settings import PORT, arguments, server_settings

START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 60
ANSWER_SECONDS_MAX: Final = 2
FAST_SECONDS_MAX: Final = 30
"""How long to wait for an orderly shutdown before another one is asked for, which recovers at the next start."""


class EmbeddedServer:
    """One client's use of the server; the server runs at least until it is closed.

    A forked child may use the URL while its parent keeps this open. Closing it there does nothing, so a child
    that outlives its parent attaches for itself.
    """

    def __init__(self, directory: DataDirectory, running: Running, usage: FileLock) -> None:
        self._directory = directory
        self._running = running
        self._usage = usage
        self._closing = threading.Lock()
        atexit.register(self.close)

    @property
    def data_directory(self) -> Path:
        """Where the data is kept, without links."""
        return self._directory.path

    @property
    def binaries(self) -> Path:
        """The directory of the programs that the server was started from."""
        return self._running.binaries

    @property
    def version(self) -> str:
        """The version of the server, such as `18.4`."""
        return self._running.version

    @property
    def url(self) -> str:
        """The URL of the database for SQLAlchemy with psycopg."""
        # The port is part of the socket's name, and would be taken from PGPORT if it were missing.
        host = quote(str(self._running.socket_directory), safe="")
        return f"postgresql+psycopg://{SUPERUSER}@/{DATABASE}?host={host}&port={PORT}"

    def close(self) -> None:
        """Stop using the server; the last one out stops it and waits until it is down. Repeats do nothing."""
        if self._usage.is_closed:
            return
        with self._closing, reported(self.data_directory):
            if self._usage.is_closed:
                return
            atexit.unregister(self.close)
            # The gate keeps others from arriving, or leaving, between the question and what follows from it.
            with self._usage, FileLock(self._directory.gate) as gate:
                _pass(gate, STOP_SECONDS_MAX)
                if self._usage.try_exclusive():
                    _stop(self._directory)
                # Before the gate opens: the next to ask must not find a hold that is about to go.
                self._usage.close()

    def __repr__(self) -> str:
        return f"<EmbeddedServer PostgreSQL {self.version} in {str(self.data_directory)!r}>"


@contextmanager
def embedded_server(
    data_directory: Path,
    *,
    settings: Mapping[str, str] | None = None,
    binaries: Path | None = None,
    start_seconds_max: float = START_SECONDS_MAX,
) -> Iterator[EmbeddedServer]:
    """Use the server of a data directory for the length of a block; see `attach`."""
    server = attach(data_directory, settings=settings, binaries=binaries, start_seconds_max=start_seconds_max)
    try:
        yield server
    finally:
        server.close()


def attach(
    data_directory: Path,
    *,
    settings: Mapping[str, str] | None = None,
    binaries: Path | None = None,
    start_seconds_max: float = START_SECONDS_MAX,
) -> EmbeddedServer:
    """Use the server of a data directory until `close`, starting it, and making the directory, if need be.

    Settings and binaries count when this call starts the server; one that runs is used as it is. A client
    that is killed leaves the server running for the next. Raises `embedded_server_failed` with the reason and
    the last lines of the log, `unsafe_durability` for a setting that would lose commits, and
    `configuration_error` for one that is not for the caller to choose.
    """
    if os.name != "posix":
        raise InternalError(
            EMBEDDED_SERVER_FAILED,
            why="the embedded server does not run on Windows; install PostgreSQL and use its URL instead",
            data_directory=data_directory,
            log_tail="",
        )
    chosen = server_settings(settings or {})
    with reported(data_directory):
        directory = DataDirectory.claim(data_directory)
        with FileLock(directory.gate) as gate:
            _pass(gate, start_seconds_max)
            usage = FileLock(directory.usage)
            try:
                usage.share()
                running = _running(directory, settings=chosen, binaries=binaries, start_seconds_max=start_seconds_max)
            except BaseException as error:
                with usage:
                    # Whoever interrupts the start wants no server; one that is slow may be ready next time.
                    if not isinstance(error, Exception) and usage.try_exclusive():
                        _stop(directory)
                raise
            return EmbeddedServer(directory, running, usage)


def _pass(gate: FileLock, seconds_max: float) -> None:
    if not gate.wait_exclusive(seconds_max):
        raise ServerFailure(
            f"another process has been starting or stopping the server for over {seconds_max:g} seconds"
        )


def _running(
    directory: DataDirectory, *, settings: Mapping[str, str], binaries: Path | None, start_seconds_max: float
) -> Running:
    """Find the server, or start it. Called behind the gate.

    Who gets the lock for the work knows that nothing of an earlier server is left. Otherwise a server runs,
    or is about to be ready or gone, or an initdb whose client was killed has not ended yet.
    """
    with FileLock(directory.work) as work:
        for _ in attempts(start_seconds_max):
            if work.try_exclusive():
                return _start(
                    directory, work, settings=settings, binaries=binaries, start_seconds_max=start_seconds_max
                )
            running = Running.find(directory)
            if running and _answers(running):
                return running
    raise ServerFailure(
        f"a server is there, but has not answered for {start_seconds_max:g} seconds; it may be recovering",
        log_tail=directory.log_tail(0) if directory.log.exists() else "",
    )


def _start(
    directory: DataDirectory,
    work: FileLock,
    *,
    settings: Mapping[str, str],
    binaries: Path | None,
    start_seconds_max: float,
) -> Running:
    account = server_account(directory.cluster)
    if not account.can_use(directory.path):
        raise ServerFailure(
            f"the server runs as {account.name}, who cannot get to the directory; choose one that is not "
            "below a closed directory, such as /var/lib/ledgercore, or run as an ordinary user"
        )
    programs = find_binaries(explicit=binaries, major=directory.major_version())
    programs = readable_binaries(programs, account=account, copies=directory.binaries)
    with directory.open_log() as log:
        if not directory.cluster.exists():
            initialise(directory, programs, account=account, log=log, lock=work.descriptor)
        drop_stale_pid(directory)
        running = Running(
            version=programs.version,
            binaries=programs.directory,
            socket_directory=make_socket_directory(directory, account=account),
        )
        running.save(directory)
        since = os.fstat(log.fileno()).st_size
        # The shell ends at once, so the server is nobody's child and outlives us. It inherits the lock, which
        # is thus held until the last of its processes is gone.
        command: list[str | Path] = [
            "/bin/sh", "-c", '"$@" &', "sh", programs.postgres, "-D", directory.cluster,
            *arguments(settings, socket_directory=running.socket_directory),
        ]  # fmt: skip
        account.run(command, output=log, lock=work.descriptor)
    work.close()
    with FileLock(directory.work) as ended:
        for _ in attempts(start_seconds_max):
            if _answers(running):
                return running
            if ended.try_exclusive():
                tail = directory.log_tail(since)
                raise ServerFailure(f"the server ended while starting{_fatal(tail)}", log_tail=tail)
    raise ServerFailure(
        f"the server was not ready after {start_seconds_max:g} seconds; it may be recovering, so try again",
        log_tail=directory.log_tail(since),
    )


def _stop(directory: DataDirectory) -> None:
    """Shut the server down, ending its sessions, and wait for the last of its processes.

    Called behind the gate, after an interrupted start as well: there may be no server, or one that does not
    listen yet.
    """
    running = Running.find(directory)
    told: int | None = None
    orders = [(0, signal.SIGINT), (FAST_SECONDS_MAX, signal.SIGQUIT)]
    began = time.monotonic()
    with FileLock(directory.work) as work:
        for _ in attempts(STOP_SECONDS_MAX):
            if work.try_exclusive():
                break
            if told is None and running is not None:
                told = _listener(running.socket)
            # A server that is recovering from the crash of one of its processes may never heed the first.
            if told is not None and orders and time.monotonic() - began >= orders[0][0]:
                with suppress(ProcessLookupError):
                    os.kill(told, orders.pop(0)[1])
        else:
            raise ServerFailure(
                f"the server did not stop within {STOP_SECONDS_MAX} seconds", log_tail=directory.log_tail(0)
            )
        if running is not None:
            drop_socket_directory(running)
        directory.state.unlink(missing_ok=True)
    if told is not None:
        # Orphans are ours where this process is the first of its container, and nobody else buries them.
        with suppress(ChildProcessError):
            os.waitpid(told, 0)


def _answers(running: Running) -> bool:
    """Whether the server accepts connections now."""
    conninfo = make_conninfo(
        "",
        host=str(running.socket_directory),
        port=PORT,
        user=SUPERUSER,
        dbname=DATABASE,
        connect_timeout=ANSWER_SECONDS_MAX,
    )
    return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK


def _listener(path: Path) -> int | None:
    """The process that listens on the socket, as the kernel tells; its number cannot be stale."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS_MAX)
        try:
            connection.connect(str(path))
        except OSError:
            return None
        if hasattr(socket, "SO_PEERCRED"):
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            process_id: int = struct.unpack("3i", credentials)[0]
        else:
            # macOS: SOL_LOCAL and LOCAL_PEERPID, which the socket module does not name.
            process_id = connection.getsockopt(0, 2)
    return process_id or None


def _fatal(log_tail: str) -> str:
    """The line in which the server says why it gives up."""
    lines = [line for line in log_tail.splitlines() if "FATAL:" in line or "PANIC:" in line]
    return f": {lines[-1].partition(':  ')[2]}" if lines else ""
