"""The files of the database: made once, whole or not at all, and freed of what dead servers leave."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

from ledgercore_embedded.accounts import Account
from ledgercore_embedded.binaries import Binaries
from ledgercore_embedded.directory import DataDirectory
from ledgercore_embedded.failures import ServerFailure

DATABASE: Final = "ledgercore"
SUPERUSER: Final = "postgres"
BUILTIN_LOCALE_SINCE: Final = 17


def initialise(directory: DataDirectory, binaries: Binaries, *, account: Account, log: IO[bytes], lock: int) -> None:
    """Make a cluster with an empty database in it.

    It appears under its name when it is complete and on disk. Should this process be killed, initdb holds the
    lock for as long as it goes on writing, and what it leaves is removed here the next time.
    """
    unfinished = directory.cluster_unfinished
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir()
    account.own(unfinished)
    since = os.fstat(log.fileno()).st_size
    locale = ["--locale=C"]
    if binaries.major >= BUILTIN_LOCALE_SINCE:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb: list[str | Path] = [
        binaries.initdb, "--pgdata", unfinished, "--username", SUPERUSER, "--encoding=UTF8", *locale,
        "--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions",
    ]  # fmt: skip
    # On its own, without a socket: a server that clients can reach always has its database.
    single: list[str | Path] = [
        binaries.postgres, "--single", "-j", "-D", unfinished,
        "-c", "exit_on_error=on", "-c", "log_checkpoints=off", "postgres",
    ]  # fmt: skip
    for command, feed in ((initdb, ""), (single, f"CREATE DATABASE {DATABASE};\n\n")):
        if account.run(command, output=log, feed=feed.encode(), lock=lock):
            raise ServerFailure(
                f"{Path(command[0]).name} could not make the data directory",
                log_tail=directory.log_tail(since),
            )
    unfinished.rename(directory.cluster)
    _sync(directory.path)


def drop_stale_pid(directory: DataDirectory) -> None:
    """Remove `postmaster.pid` where PostgreSQL would take a dead server for a living one.

    Nothing of ours runs any more. But a process that nobody has buried keeps its number, and so does another
    program that got it since; the server would refuse to start for as long as they are there.
    """
    file = directory.cluster / "postmaster.pid"
    try:
        process_id = abs(int(file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]))
        os.kill(process_id, 0)
    except (FileNotFoundError, ProcessLookupError):
        return
    except (PermissionError, OverflowError, ValueError):
        pass
    else:
        if _works_on(process_id, directory.cluster):
            raise ServerFailure(f"a server that was started by other means uses it (process {process_id})")
    file.unlink()


def _works_on(process_id: int, cluster: Path) -> bool:
    """Whether the process is a living server of this cluster."""
    if sys.platform == "linux":
        try:
            # A server works in its cluster; a zombie works nowhere.
            return Path(os.readlink(f"/proc/{process_id}/cwd")) == cluster
        except OSError:
            return False
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-o", "comm=", "-p", str(process_id)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return not answer.startswith("Z") and answer.endswith("postgres")


def _sync(directory: Path) -> None:
    """See to it that names in the directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
