"""Locks on files, within one process and across forks."""

import os
import subprocess
import sys

import pytest

from ledgercore_embedded.locks import FileLock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.lock"


def test_two_openings_exclude_each_other(path):
    with FileLock(path) as first, FileLock(path) as second:
        assert first.try_exclusive()
        assert not second.try_exclusive()

        first.close()

        assert second.wait_exclusive(0)


def test_shared_holds_keep_out_who_wants_it_alone(path):
    with FileLock(path) as first, FileLock(path) as second, FileLock(path) as third:
        first.share()
        second.share()

        assert not third.wait_exclusive(0.01)


def test_sharing_becomes_holding_alone_when_the_others_are_gone(path):
    with FileLock(path) as first, FileLock(path) as second:
        first.share()
        second.share()
        second.close()

        assert first.try_exclusive()


def test_programs_inherit_only_what_they_are_given(path):
    given = FileLock(path)
    assert given.try_exclusive()
    with subprocess.Popen(["sleep", "60"], pass_fds=(given.descriptor,)) as holder, FileLock(path) as other:
        given.close()
        assert not other.try_exclusive()
        holder.kill()
        holder.wait()

        assert other.wait_exclusive(5)


def test_closed_lock_has_no_descriptor(path):
    lock = FileLock(path)
    lock.close()
    lock.close()

    assert lock.is_closed
    with pytest.raises(ValueError, match="closed"):
        lock.try_exclusive()


def test_links_are_not_followed(path):
    path.symlink_to("elsewhere")

    with pytest.raises(OSError, match="symbolic link"):
        FileLock(path)


FORK = """
import os, sys
from pathlib import Path
from ledgercore_embedded.locks import FileLock
path = Path(sys.argv[1])
lock = FileLock(path)
lock.share()
child = os.fork()
if child == 0:
    os._exit(0 if lock.is_closed else 1)
assert os.waitpid(child, 0) == (child, 0)
assert not lock.is_closed
assert not FileLock(path).try_exclusive()
"""


def test_forked_child_has_it_closed_and_the_parent_keeps_it(path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}

    assert subprocess.run([sys.executable, "-c", FORK, path], env=environment, check=False).returncode == 0
