"""Starting, using and stopping the server of one process."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, EMBEDDED_SERVER_FAILED, UNSAFE_DURABILITY
from ledgercore_embedded import attach, embedded_server
from ledgercore_embedded.locks import FileLock


def test_first_start_makes_a_database_that_keeps_what_it_acknowledged(fresh, query):
    with embedded_server(fresh) as server:
        settings = {
            name: query(server, f"SHOW {name}")
            for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums", "autovacuum")
        }

        assert set(settings.values()) == {"on"}
        assert query(server, "SELECT current_database()") == "ledgercore"
        assert query(server, "SHOW server_encoding") == "UTF8"
        assert query(server, "SHOW TimeZone") == "UTC"
        assert query(server, "SHOW jit") == "off"
        assert query(server, "SHOW server_version").startswith(server.version)
        assert server.data_directory == fresh
        assert (server.binaries / "postgres").is_file()


def test_only_the_private_socket_is_open(directory, query):
    with embedded_server(directory) as server:
        assert query(server, "SHOW listen_addresses") == ""
        assert stat.S_IMODE((directory / "socket").stat().st_mode) == 0o700
        assert stat.S_IMODE((directory / "cluster").stat().st_mode) == 0o700
        assert query(server, "SELECT count(*) FROM pg_hba_file_rules WHERE type = 'host' AND auth_method <> 'reject'") == 0  # fmt: skip # noqa: E501


def test_data_survives_a_restart(directory, query, is_running):
    with embedded_server(directory) as server:
        query(server, "CREATE TABLE kept AS SELECT 7 AS value")
    assert not is_running(directory)

    with embedded_server(directory) as server:
        assert query(server, "SELECT value FROM kept") == 7


def test_url_is_for_sqlalchemy_whatever_the_environment_says(directory, monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")

    with embedded_server(directory) as server:
        engine = create_engine(server.url, poolclass=NullPool)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_one_process_may_attach_several_times(directory, query, is_running):
    first, second = attach(directory), attach(directory)

    first.close()
    first.close()

    assert query(second, "SELECT 1") == 1
    second.close()
    assert not is_running(directory)


def test_threads_may_close_at_once(directory, is_running):
    server = attach(directory)
    assert repr(server) == f"<EmbeddedServer PostgreSQL {server.version} in '{directory}'>"

    with ThreadPoolExecutor(4) as pool:
        closed = [pool.submit(server.close) for _ in range(4)]

    assert [each.result() for each in closed] == [None] * 4
    assert not is_running(directory)


def test_stop_that_takes_too_long_is_reported(directory, is_running, monkeypatch):
    server = attach(directory)
    with monkeypatch.context() as patched:
        patched.setattr("ledgercore_embedded.server.STOP_SECONDS_MAX", 0.05)
        patched.setattr("ledgercore_embedded.server._listener", lambda _: None)
        with pytest.raises(InternalError, match="did not stop within"):
            server.close()

    attach(directory).close()
    assert not is_running(directory)


def test_closed_gate_is_not_waited_for_without_end(directory):
    with FileLock(directory / "gate.lock") as gate:
        assert gate.try_exclusive()

        with pytest.raises(InternalError, match="another process has been starting or stopping"):
            attach(directory, start_seconds_max=0.05)


def test_nothing_is_left_open(directory):
    with embedded_server(directory):
        pass
    before = sorted(os.listdir("/dev/fd"))

    with embedded_server(directory), embedded_server(directory):
        pass

    assert sorted(os.listdir("/dev/fd")) == before
    assert not {"server.json", "socket"} & set(os.listdir(directory))


def test_settings_count_when_the_server_starts(directory, query):
    with embedded_server(directory, settings={"work_mem": "5MB", "max-connections": "17"}) as server:
        assert query(server, "SHOW work_mem") == "5MB"
        assert query(server, "SHOW max_connections") == "17"


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit", "FSYNC", "full-page-writes"])
def test_durability_is_not_for_sale(fresh, name):
    with pytest.raises(InternalError) as caught:
        attach(fresh, settings={name: "off"})

    assert caught.value.reason is UNSAFE_DURABILITY
    assert not fresh.exists()


@pytest.mark.parametrize("name", ["listen_addresses", "port", "hba_file", "Unix-Socket-Directories", "a b", ""])
def test_settings_of_the_supervisor_are_refused(fresh, name):
    with pytest.raises(InternalError) as caught:
        attach(fresh, settings={name: "x"})

    assert caught.value.reason is CONFIGURATION_ERROR


def test_failed_start_says_why_at_once_and_leaves_nothing(directory, is_running):
    with pytest.raises(InternalError) as caught:
        attach(directory, settings={"shared_buffers": "plenty"})

    assert caught.value.reason is EMBEDDED_SERVER_FAILED
    assert 'invalid value for parameter "shared_buffers"' in str(caught.value.details["why"])
    assert "plenty" in str(caught.value.details["log_tail"])
    assert not is_running(directory)
    attach(directory).close()


def test_interrupted_start_leaves_no_server(fresh, is_running, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ledgercore_embedded.server._answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        attach(fresh)

    assert not is_running(fresh)


def test_start_that_takes_too_long_goes_on_for_the_next_client(directory, query, is_running, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("ledgercore_embedded.server._answers", lambda _: False)
        with pytest.raises(InternalError, match="not ready after"):
            attach(directory, start_seconds_max=0.2)
        with pytest.raises(InternalError, match="has not answered"):
            attach(directory, start_seconds_max=0.1)

    with embedded_server(directory) as server:
        assert query(server, "SELECT 1") == 1
    assert not is_running(directory)


def test_long_log_is_put_aside(directory, monkeypatch):
    monkeypatch.setattr("ledgercore_embedded.directory.LOG_BYTES_MAX", 10)
    before = (directory / "server.log").read_bytes()

    attach(directory).close()

    assert (directory / "server.log.old").read_bytes() == before
    assert (directory / "server.log").read_bytes()


def test_windows_is_told_so(fresh, monkeypatch):
    monkeypatch.setattr("ledgercore_embedded.server.os", SimpleNamespace(name="nt"))

    with pytest.raises(InternalError, match="Windows"):
        attach(fresh)
