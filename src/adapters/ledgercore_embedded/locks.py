"""Locks on files: the kernel drops them when the last process that holds them ends, however it ends."""

import os
import sys
import threading
from pathlib import Path
from typing import Self

from ledgercore_embedded.patience import attempts

if sys.platform != "win32":
    import fcntl


class FileLock:
    """One opening of a lock file, not locked yet; two openings exclude each other even in one process.

    Programs started by this process do not inherit it, except those that get `descriptor` on purpose, and
    neither do forked children: there it is closed, and what the parent holds stays as it is.
    """

    def __init__(self, path: Path) -> None:
        with _guard:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            _open_locks.add(self)

    @property
    def descriptor(self) -> int:
        """The open file, to hand the lock on to another program; raises `ValueError` when closed."""
        if self._descriptor is None:
            raise ValueError("the lock is closed")
        return self._descriptor

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, or left behind by a fork."""
        return self._descriptor is None

    def try_exclusive(self) -> bool:
        """Hold it alone, if nobody else holds it now; a shared hold may be lost when that fails."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait_exclusive(self, seconds_max: float) -> bool:
        """Hold it alone, waiting for the others; `False` when they took too long."""
        return any(self.try_exclusive() for _ in attempts(seconds_max))

    def share(self) -> None:
        """Hold it together with others, waiting for somebody who holds it alone."""
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go; what another program inherited stays locked."""
        with _guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
                _open_locks.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# Held while the set changes and while the process forks, so that no child misses a lock it has to close.
_guard = threading.RLock()
_open_locks: set[FileLock] = set()


def _close_in_child() -> None:
    for lock in tuple(_open_locks):
        lock.close()
    _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_close_in_child)
