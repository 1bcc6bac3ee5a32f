"""Account paths: `assets:bank:checking`, the names by which a ledger knows its accounts."""

import re
from functools import lru_cache
from typing import Final

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ACCOUNT_PATH

PATH_LENGTH_MAX: Final = 255
SEGMENTS_MAX: Final = 16
_PATH: Final = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*", re.ASCII)
_SHOWN: Final = 60


def check_path(path: str, /, *, field: str = "account") -> str:
    """Return the path itself when it may name an account.

    Segments hold ASCII letters, digits and `_ - .`, joined by colons; at most 16 of them and 255
    characters. Raises `ValidationError` (`invalid_account_path`) naming the field and what is wrong.
    """
    try:
        return _checked(path, field)
    except TypeError:
        # Lists and the like cannot be looked up in the cache.
        raise _refused(path, field) from None


@lru_cache(maxsize=262_144)
def _checked(path: str, field: str) -> str:
    if _fault(path):
        raise _refused(path, field)
    return path


@lru_cache(maxsize=262_144)
def is_path(path: str) -> bool:
    """Whether the text may name an account."""
    return _fault(path) is None


def account_path(path: str) -> str:
    """`check_path` as the converter of a command's field."""
    return check_path(path)


def check_prefix(prefix: str) -> str:
    """A path above accounts, or nothing for all of them; `invalid_account_path` otherwise."""
    return check_path(prefix, field="prefix") if prefix != "" else prefix


def is_below(path: str, prefix: str) -> bool:
    """Whether the account lies at the prefix or below it, segment by segment.

    >>> is_below("assets:bank", "assets"), is_below("assetsx", "assets")
    (True, False)
    """
    return path == prefix or path.startswith(f"{prefix}:") or prefix == ""


def parents_of(path: str) -> tuple[str, ...]:
    """The paths above this one, topmost first.

    >>> parents_of("assets:bank:checking")
    ('assets', 'assets:bank')
    """
    segments = path.split(":")
    return tuple(":".join(segments[:depth]) for depth in range(1, len(segments)))


def _refused(path: object, field: str) -> ValidationError:
    shown = path if isinstance(path, str) else repr(path)
    return ValidationError(INVALID_ACCOUNT_PATH, field=field, path=_printable(shown[:_SHOWN]), why=_fault(path))


def _fault(path: object) -> str | None:
    if not isinstance(path, str):
        return f"a path is text, not {type(path).__name__}"
    if not path:
        return "the path is empty"
    if len(path) > PATH_LENGTH_MAX:
        return f"{len(path)} characters, at most {PATH_LENGTH_MAX} are allowed"
    if not _PATH.fullmatch(path):
        return "segments hold letters, digits and _ - . and are joined by single colons"
    if path.count(":") >= SEGMENTS_MAX:
        return f"{path.count(':') + 1} segments, at most {SEGMENTS_MAX} are allowed"
    return None


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii").replace("\x00", "\\x00")
