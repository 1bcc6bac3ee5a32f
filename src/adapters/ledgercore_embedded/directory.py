"""What lies in a data directory, and who it belongs to."""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

from attrs import frozen

from ledgercore_embedded.accounts import Account, user_name
from ledgercore_embedded.failures import ServerFailure
from ledgercore_embedded.settings import PORT

SOCKET: Final = f".s.PGSQL.{PORT}"
_SOCKET_FILES: Final = (SOCKET, f"{SOCKET}.lock")
# Addresses of sockets hold 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_BYTES_MAX: Final = 103
LOG_BYTES_MAX: Final = 10_000_000
TAIL_LINES: Final = 20
TAIL_BYTES_MAX: Final = 8_000
# Made by file systems themselves at the top of a volume.
NOT_CONTENT: Final = frozenset({"lost+found"})


@frozen
class DataDirectory:
    """The places in a data directory.

    `gate` is held alone while the server is started or stopped; `usage` is shared by its clients; `work` is
    held by whatever works on the cluster: initdb, the server, and each process of the server.
    """

    path: Path

    @property
    def gate(self) -> Path:
        return self.path / "gate.lock"

    @property
    def usage(self) -> Path:
        return self.path / "usage.lock"

    @property
    def work(self) -> Path:
        return self.path / "work.lock"

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def cluster_unfinished(self) -> Path:
        return self.path / "cluster.unfinished"

    @property
    def binaries(self) -> Path:
        return self.path / "binaries"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def state(self) -> Path:
        return self.path / "server.json"

    @property
    def socket_directory(self) -> Path:
        return self.path / "socket"

    @classmethod
    def claim(cls, path: Path) -> Self:
        """Make the directory, or take one that is empty or was made here before.

        Only the directory itself becomes private; those above it are left as they are. The user who runs the
        server for root can pass it, but not list it.
        """
        directory = cls(path.expanduser().resolve())
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.path.stat()
        if status.st_uid != os.geteuid():
            # Root trusts what lies in it, so it must not be writable for anybody else either.
            raise ServerFailure(
                f"the directory belongs to {user_name(status.st_uid)}; run as that user, or name a new one"
            )
        # Whatever is in it was put there after the gate, which may have come between the two questions.
        content = {file.name for file in directory.path.iterdir()} - NOT_CONTENT
        if content and not directory.gate.exists():
            raise ServerFailure("the directory holds other files; name a new or an empty one")
        mode = 0o711 if os.geteuid() == 0 else 0o700
        if status.st_mode & 0o777 != mode:
            directory.path.chmod(mode)
        return directory

    def major_version(self) -> int | None:
        """The major version that made the cluster; `None` while there is none."""
        try:
            return int((self.cluster / "PG_VERSION").read_text(encoding="utf-8"))
        except FileNotFoundError:
            if self.cluster.exists():
                raise ServerFailure("the directory cluster in it is not a PostgreSQL cluster") from None
            return None

    def open_log(self) -> IO[bytes]:
        """Open the server's log to be added to; one that has grown long is put aside first."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.rename(self.log.with_suffix(".log.old"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        return os.fdopen(os.open(self.log, flags, 0o600), "wb", buffering=0)

    def log_tail(self, since: int) -> str:
        """The last lines of the log that were written after its first `since` bytes."""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(since, end - TAIL_BYTES_MAX))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


@frozen(kw_only=True)
class Running:
    """What one needs to know of a server to use it; written down by who starts it."""

    version: str
    binaries: Path
    socket_directory: Path

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        return self.socket_directory / SOCKET

    def save(self, directory: DataDirectory) -> None:
        """Write it down for the next clients, whole or not at all."""
        unfinished = directory.state.with_suffix(".unfinished")
        content = {
            "version": self.version,
            "binaries": str(self.binaries),
            "socket_directory": str(self.socket_directory),
        }
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(directory.state)

    @classmethod
    def find(cls, directory: DataDirectory) -> Self | None:
        """Read what was written down, if it was: it says where a server would be, not that there is one."""
        try:
            content = json.loads(directory.state.read_text(encoding="utf-8"))
            return cls(
                version=content["version"],
                binaries=Path(content["binaries"]),
                socket_directory=Path(content["socket_directory"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def make_socket_directory(directory: DataDirectory, *, account: Account) -> Path:
    """Make a private directory for the socket, or take over what a dead server left.

    It lies in the data directory or, where that path cannot be an address, among the temporary files under
    a name that only this data directory has.
    """
    if _is_address(directory.socket_directory):
        return _private(directory.socket_directory, account)
    digest = hashlib.sha256(os.fsencode(directory.path)).hexdigest()[:16]
    # Not the user's runtime directory: it goes when the user logs out, and the server may stay.
    for base in (Path("/tmp"), Path(tempfile.gettempdir())):
        place = base / f"ledgercore-{account.user_id}-{digest}"
        if _is_address(place) and base.is_dir() and os.access(base, os.W_OK) and account.can_use(base):
            return _private(place, account)
    raise ServerFailure("the path is too long for a socket, and there is no temporary directory to put one")


def drop_socket_directory(running: Running) -> None:
    """Remove the directory of a socket that nobody listens on any more."""
    with suppress(FileNotFoundError):
        for name in _SOCKET_FILES:
            (running.socket_directory / name).unlink(missing_ok=True)
        running.socket_directory.rmdir()


def _is_address(socket_directory: Path) -> bool:
    """Whether libpq and the kernel take it: a comma separates hosts, and odd bytes do not survive a URL."""
    text = str(socket_directory)
    return (
        "," not in text and text.isprintable() and len(os.fsencode(socket_directory / SOCKET)) <= SOCKET_PATH_BYTES_MAX
    )


def _private(path: Path, account: Account) -> Path:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if path.lstat().st_uid not in (account.user_id, os.geteuid()):
            raise ServerFailure(f"{path} is needed for the socket, but another user made it") from None
    account.own(path)
    for name in _SOCKET_FILES:
        # A lock of a process whose number is in use again would keep the server from starting.
        (path / name).unlink(missing_ok=True)
    return path
