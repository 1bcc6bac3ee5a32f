"""Stopping a server that is busy with something else."""

import os
import signal

import psycopg

from ledgercore_embedded import attach, embedded_server
from ledgercore_embedded.patience import attempts


def test_server_that_recovers_from_a_crash_is_stopped_too(directory, query, is_running, monkeypatch):
    """One that was told while it began to recover waits for ever, and nobody else could start or stop it."""
    monkeypatch.setattr("ledgercore_embedded.server.FAST_SECONDS_MAX", 1)
    server = attach(directory)
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        for _ in attempts(10):
            if b"reinitializing" in (directory / "server.log").read_bytes():
                break

        server.close()

    assert not is_running(directory)
    with embedded_server(directory) as again:
        assert query(again, "SELECT 1") == 1
