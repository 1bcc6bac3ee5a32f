"""What earlier servers and other programs leave in a data directory."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ledgercore.errors import InternalError
from ledgercore_embedded import attach, embedded_server

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc or becomes a subreaper")

BURIES_NOBODY = """
import ctypes, os, signal, sys
from pathlib import Path
from ledgercore_embedded import attach
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
directory = Path(sys.argv[1])
file = directory / "cluster" / "postmaster.pid"
server = attach(directory)
postmaster = int(file.read_text().split()[0])
os.kill(postmaster, signal.SIGKILL)
while "(postgres) Z" not in Path(f"/proc/{postmaster}/stat").read_text():
    pass
assert int(file.read_text().split()[0]) == postmaster
again = attach(directory)
print("started beside a dead one that nobody has buried", flush=True)
again.close()
server.close()
again = int(os.waitpid(postmaster, 0)[0])
print("buried" if again == postmaster else "lost", flush=True)
"""


def leave_pid_file(directory, content):
    file = directory / "cluster" / "postmaster.pid"
    file.write_text(content)
    owner = (directory / "cluster").stat()
    os.chown(file, owner.st_uid, owner.st_gid)


@pytest.mark.parametrize(
    "content",
    ["", "no number\n", "999999999\n", "99999999999999999999\n", "{own}\n{cluster}\n1\n5432\n"],
    ids=["empty", "garbage", "nobody's", "impossible", "our own"],
)
def test_stale_pid_file_does_not_block_the_start(directory, query, content):
    leave_pid_file(directory, content.format(own=os.getpid(), cluster=directory / "cluster"))

    with embedded_server(directory) as server:
        assert query(server, "SELECT 1") == 1


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_number_of_another_program_does_not_block_the_start(directory, query, platform, monkeypatch):
    if not shutil.which("ps" if platform == "darwin" else "sh") or sys.platform not in ("linux", platform):
        pytest.skip(f"cannot look at processes as on {platform}")
    monkeypatch.setattr("ledgercore_embedded.cluster.sys", SimpleNamespace(platform=platform))
    owner = (directory / "cluster").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as other:
        leave_pid_file(directory, f"{other.pid}\n{directory / 'cluster'}\n1\n5432\n")

        with embedded_server(directory) as server:
            assert query(server, "SELECT 1") == 1
        other.kill()


@linux_only
def test_dead_postmaster_that_nobody_buried_does_not_count(directory, client):
    undertaker = client(directory, code=BURIES_NOBODY)

    assert undertaker.told() == "started beside a dead one that nobody has buried"
    assert undertaker.told() == "buried"


@linux_only
def test_server_started_by_other_means_is_left_alone(directory, query):
    with embedded_server(directory) as server:
        postgres = server.binaries / "postgres"
    owner = (directory / "cluster").stat().st_uid
    settings = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={directory}/cluster")
    by_hand = subprocess.Popen(
        [postgres, "-D", directory / "cluster", *settings],
        user=owner if os.geteuid() == 0 else None,
        stderr=subprocess.PIPE,
    )
    assert by_hand.stderr is not None
    with by_hand:
        while b"ready to accept connections" not in by_hand.stderr.readline():
            assert by_hand.poll() is None

        with pytest.raises(InternalError, match="started by other means"):
            attach(directory)

        assert by_hand.poll() is None
        by_hand.terminate()
        by_hand.stderr.read()


def test_half_written_note_of_a_dead_server_is_no_hindrance(directory, query):
    (directory / "server.json").write_text('{"version": "18')

    with embedded_server(directory) as server:
        assert query(server, "SELECT 1") == 1


def test_another_major_version_names_both(directory):
    (directory / "cluster" / "PG_VERSION").write_text("9\n")

    with pytest.raises(InternalError, match=r"made by PostgreSQL 9, found: PostgreSQL 18\.\d+"):
        attach(directory)


def test_damaged_cluster_is_reported(directory):
    (directory / "cluster" / "PG_VERSION").unlink()

    with pytest.raises(InternalError, match="not a PostgreSQL cluster"):
        attach(directory)


def test_directory_with_other_files_is_refused(fresh):
    fresh.mkdir(mode=0o755)
    (fresh / "letter.txt").write_text("Dear reader")

    with pytest.raises(InternalError, match="holds other files"):
        attach(fresh)

    assert fresh.stat().st_mode & 0o777 == 0o755
    assert os.listdir(fresh) == ["letter.txt"]


def test_top_of_a_volume_is_accepted(fresh, query):
    (fresh / "lost+found").mkdir(parents=True)

    with embedded_server(fresh) as server:
        assert query(server, "SELECT 1") == 1


def test_file_in_place_of_the_directory_is_reported(fresh):
    fresh.write_text("")

    with pytest.raises(InternalError, match="File exists"):
        attach(fresh)
