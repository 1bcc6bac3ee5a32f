"""Several processes on one data directory, and what becomes of it when some of them are killed."""

import os
import signal
import subprocess
import time

import psycopg
import pytest

from ledgercore_embedded import attach, embedded_server

FORKS = """
import os, sys
from pathlib import Path
from ledgercore_embedded import embedded_server
with embedded_server(Path(sys.argv[1])) as server:
    child = os.fork()
    if child == 0:
        server.close()
        sys.exit()
    assert os.waitpid(child, 0) == (child, 0)
    print(server.url, flush=True)
    sys.stdin.readline()
"""

FORKS_A_SURVIVOR = """
import os, sys, time
from pathlib import Path
from ledgercore_embedded import attach
server = attach(Path(sys.argv[1]))
if child := os.fork():
    print(child, flush=True)
time.sleep(60)
"""

FORGETS_TO_CLOSE = """
import sys
from pathlib import Path
from ledgercore_embedded import attach
attach(Path(sys.argv[1]))
"""


def test_last_one_out_stops_the_server(directory, client, query, is_running):
    first, second = client(directory), client(directory)
    first_url, second_url = first.told(), second.told()
    assert first_url == second_url

    first.finish()
    assert query(second_url, "SELECT 1") == 1

    second.finish()
    assert not is_running(directory)


def test_six_start_at_once(fresh, client, query, is_running):
    clients = [client(fresh) for _ in range(6)]

    urls = {each.told() for each in clients}

    assert [query(url, "SELECT 1") for url in urls] == [1]
    for each in clients:
        assert is_running(fresh)
        each.finish()
    assert not is_running(fresh)


def test_all_leave_at_once(directory, client, is_running):
    clients = [client(directory) for _ in range(4)]
    for each in clients:
        each.told()

    for each in clients:
        each.leave()

    for each in clients:
        assert each.process.wait(30) == 0
    assert not is_running(directory)


def test_clients_come_and_go(directory, client, query, is_running):
    """Whoever attaches while the last one leaves gets a server that stays."""
    clients = [client(directory) for _ in range(2)]
    urls = [each.told() for each in clients]

    for _ in range(3):
        for each in clients:
            each.leave()
        clients = [client(directory) for _ in range(2)]
        urls = [each.told() for each in clients]

    assert [query(url, "SELECT 1") for url in urls] == [1, 1]
    for each in clients:
        each.finish()
    assert not is_running(directory)


def test_killed_client_leaves_the_server_to_the_next(directory, client, query, is_running, postmaster_of):
    killed = client(directory)
    query(killed.told(), "CREATE TABLE kept AS SELECT 7 AS value")
    before = postmaster_of(directory)
    killed.kill()
    assert is_running(directory)

    with embedded_server(directory) as server:
        assert postmaster_of(directory) == before
        assert query(server, "SELECT value FROM kept") == 7

    assert not is_running(directory)


def test_forgotten_server_is_directory_at_exit(directory, client, is_running):
    forgetful = client(directory, code=FORGETS_TO_CLOSE)

    assert forgetful.process.wait(30) == 0

    assert not is_running(directory)


def test_killed_server_recovers_what_was_committed(directory, client, query, crash, is_running):
    killed = client(directory)
    query(killed.told(), "CREATE TABLE kept AS SELECT 7 AS value")
    killed.kill()
    crash(directory)

    with embedded_server(directory) as server:
        assert query(server, "SELECT value FROM kept") == 7

    assert not is_running(directory)


def test_killed_postmaster_is_replaced_while_clients_stay(directory, query, is_running, postmaster_of):
    with embedded_server(directory):
        os.kill(postmaster_of(directory), signal.SIGKILL)

        with embedded_server(directory) as server:
            assert query(server, "SELECT 1") == 1

    assert not is_running(directory)


def test_kill_in_the_middle_of_initdb_leaves_nothing_half_made(fresh, client, query, is_running):
    killed = client(fresh)
    while not list(fresh.glob("cluster.unfinished/base/1/*")):
        time.sleep(0.001)
    killed.kill()
    assert not (fresh / "cluster").exists()

    with embedded_server(fresh) as server:
        assert query(server, "SELECT 1") == 1

    assert not (fresh / "cluster.unfinished").exists()
    assert not is_running(fresh)


def test_forked_child_that_exits_does_not_stop_the_server(directory, client, query, is_running):
    parent = client(directory, code=FORKS)

    assert query(parent.told(), "SELECT 1") == 1

    parent.finish()
    assert not is_running(directory)


def test_forked_child_does_not_keep_the_server_of_a_killed_parent(directory, client, is_running):
    parent = client(directory, code=FORKS_A_SURVIVOR)
    child = int(parent.told())
    parent.process.kill()
    parent.process.wait(30)

    attach(directory).close()

    os.kill(child, signal.SIGKILL)
    assert not is_running(directory)


def test_interrupt_from_the_terminal_does_not_reach_the_server(directory, client, query, is_running):
    interrupted = client(directory, process_group=0, stderr=subprocess.DEVNULL)
    url = interrupted.told()

    with embedded_server(directory) as server:
        os.killpg(interrupted.process.pid, signal.SIGINT)
        assert interrupted.process.wait(30) != 0

        assert server.url == url
        assert query(server, "SELECT 1") == 1

    assert not is_running(directory)


@pytest.mark.parametrize("status", ["open connection", "open transaction"])
def test_last_one_out_does_not_wait_for_sessions(directory, status, is_running):
    with embedded_server(directory) as server:
        connection = psycopg.connect(server.url.replace("+psycopg", ""))
        if status == "open transaction":
            connection.execute("CREATE TABLE unfinished (value int)")

    assert not is_running(directory)
    connection.close()
