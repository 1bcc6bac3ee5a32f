"""Why the server cannot be had, and how callers are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import EMBEDDED_SERVER_FAILED


class ServerFailure(Exception):
    """One sentence on what is wrong and what to do; the last lines of the log where they explain it."""

    def __init__(self, why: str, *, log_tail: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.log_tail = log_tail


@contextmanager
def reported(data_directory: Path) -> Iterator[None]:
    """Turn failures and errors of the operating system into `embedded_server_failed`."""
    try:
        yield
    except ServerFailure as failure:
        raise InternalError(
            EMBEDDED_SERVER_FAILED, why=failure.why, data_directory=data_directory, log_tail=failure.log_tail
        ) from failure
    except OSError as error:
        raise InternalError(
            EMBEDDED_SERVER_FAILED, why=str(error), data_directory=data_directory, log_tail=""
        ) from error
