"""Turning the driver's errors into reasons, where they happen and by constraint rather than by text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
import sqlalchemy.exc
from psycopg import errors

from ledgercore.errors import ConflictError, ExternalDependencyError, InternalError
from ledgercore.errors.catalog import (
    ACCOUNT_ALREADY_LINKED,
    BANK_ALREADY_EXISTS,
    BRANCH_ALREADY_EXISTS,
    COMMIT_OUTCOME_UNKNOWN,
    DATABASE_ERROR,
    DATABASE_UNAVAILABLE,
    EMAIL_ALREADY_EXISTS,
    TOO_MUCH_CONTENTION,
)
from ledgercore.errors.reason import Reason


class MetOthers(Exception):
    """Another batch got in between: nothing was stored, and the same batch may be tried again."""


TAKEN: Final[Mapping[str | None, tuple[Reason, str]]] = {
    "users_email": (EMAIL_ALREADY_EXISTS, "email"),
    "banks_name": (BANK_ALREADY_EXISTS, "name"),
    "banks_code": (BANK_ALREADY_EXISTS, "code"),
    "bank_branches_iban": (BRANCH_ALREADY_EXISTS, "iban"),
    "bank_branches_swift_code": (BRANCH_ALREADY_EXISTS, "swift_code"),
    "bank_accounts_external_id": (ACCOUNT_ALREADY_LINKED, "external_account_id"),
}
"""What is refused when a constraint keeps something unique, and the field that it is about."""
RACED_CONSTRAINTS: Final = frozenset({"journal_id", "journal_pkey", "accounts_path", "accounts_pkey", "log_pkey"})
_TRY_AGAIN: Final = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
# Connections, resources, shutdowns and cancellations, and the system around the server.
_AWAY_CLASSES: Final = frozenset({"08", "53", "57", "58"})
# A server that has become a standby; sessions that were ended for being idle or for taking too long.
_AWAY_STATES: Final = frozenset({"25006", "25P03", "25P04"})


@contextmanager
def noticed_others() -> Iterator[None]:
    """Raise `MetOthers` for what a new attempt mends, and catalogued reasons for the rest."""
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        cause = error.orig
        raise (_reason_for(cause) if isinstance(cause, psycopg.Error) else _unavailable(error)) from error
    except psycopg.Error as error:
        raise _reason_for(error) from error
    except sqlalchemy.exc.TimeoutError as error:
        raise _unavailable(error) from error


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise catalogued reasons, where nobody makes a new attempt."""
    try:
        with noticed_others():
            yield
    except MetOthers as met:
        raise ExternalDependencyError(TOO_MUCH_CONTENTION, why=str(met), attempts=1) from met


@contextmanager
def translated_commit() -> Iterator[None]:
    """Raise `commit_outcome_unknown` when the connection was lost while committing."""
    try:
        yield
    except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
        if isinstance(cause, psycopg.Error) and cause.sqlstate is not None and not _is_away(cause):
            raise _reason_for(cause) from error
        raise ExternalDependencyError(
            COMMIT_OUTCOME_UNKNOWN,
            why="the connection was lost around the commit; repeat with the same ids or keys",
        ) from error


def _reason_for(error: psycopg.Error) -> Exception:
    if isinstance(error, _TRY_AGAIN):
        return MetOthers(_first_line(error))
    if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name in RACED_CONSTRAINTS:
        return MetOthers(_first_line(error))
    if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name in TAKEN:
        reason, field = TAKEN[error.diag.constraint_name]
        return ConflictError(reason, field=field)
    if _is_away(error):
        return _unavailable(error)
    return InternalError(DATABASE_ERROR, sqlstate=error.sqlstate, constraint=error.diag.constraint_name)


def _is_away(error: psycopg.Error) -> bool:
    """Whether the server, or the way to it, is away for now."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES


def _unavailable(error: Exception) -> ExternalDependencyError:
    state = getattr(error, "sqlstate", None)
    return ExternalDependencyError(DATABASE_UNAVAILABLE, why=type(error).__name__, sqlstate=state)


def _first_line(error: psycopg.Error) -> str:
    # The lines below it quote the row that was met, which may be somebody else's.
    return str(error).partition("\n")[0]
