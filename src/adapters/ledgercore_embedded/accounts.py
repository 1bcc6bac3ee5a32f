"""Who runs the server: PostgreSQL refuses to run as root."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from attrs import frozen

from ledgercore_embedded.failures import ServerFailure

if sys.platform != "win32":
    import pwd

UNPRIVILEGED: Final = ("postgres", "nobody")
# The rest of our environment may hold secrets, or settings of PostgreSQL meant for other servers.
PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@frozen(kw_only=True)
class Account:
    """A user of the operating system; `switch` where it is another than the one we run as."""

    name: str
    user_id: int
    group_id: int
    switch: bool

    def own(self, path: Path) -> None:
        """Make a directory of ours private to the account; raises `OSError` where there is a link instead."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, 0o700)
            if self.switch:
                os.fchown(descriptor, self.user_id, self.group_id)
        finally:
            os.close(descriptor)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: IO[bytes] | int,
        feed: bytes = b"",
        lock: int | None = None,
    ) -> int:
        """Run a program to its end and give its exit status.

        It gets a session of its own, so Ctrl-C does not reach it, no open files but `lock`, and a bare
        environment.
        """
        return subprocess.run(
            command,
            input=feed,
            stdout=output,
            stderr=output,
            cwd="/",
            env={"LC_ALL": "C", **{name: os.environ[name] for name in PASSED_ON if name in os.environ}},
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
            user=self.user_id if self.switch else None,
            group=self.group_id if self.switch else None,
            extra_groups=() if self.switch else None,
            check=False,
        ).returncode

    def can_use(self, path: Path) -> bool:
        """Whether the account may run the program, or pass the directory and all above it.

        Found out by trying, as there may be more to it than modes.
        """
        if not self.switch:
            return os.access(path, os.X_OK)
        return self.run(["/bin/sh", "-c", 'test -x "$0"', path], output=subprocess.DEVNULL) == 0


def server_account(cluster: Path) -> Account:
    """Choose who runs the server: ourselves or, for root, the owner of the cluster.

    While there is no cluster, root chooses an existing unprivileged user; no user is added to the system.
    """
    if os.geteuid() != 0:
        return Account(name=user_name(os.geteuid()), user_id=os.geteuid(), group_id=os.getegid(), switch=False)
    if cluster.exists():
        owner = cluster.stat()
        return Account(name=user_name(owner.st_uid), user_id=owner.st_uid, group_id=owner.st_gid, switch=True)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, user_id=entry.pw_uid, group_id=entry.pw_gid, switch=True)
    raise ServerFailure("PostgreSQL does not run as root, and there is no user postgres or nobody")


def user_name(user_id: int) -> str:
    """The name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"
