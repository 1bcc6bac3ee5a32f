"""What keys and secrets must be before anything is signed or sealed with them."""

import re
from collections.abc import Iterable
from typing import Final

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR

SECRET_BYTES_MIN: Final = 32
SECRET_BYTES_MIN_IN_PRODUCTION: Final = 64

# A secret drawn at random holds none of these, repeats nothing and has many different bytes.
_PLACEHOLDERS: Final = re.compile(
    rb"secret|passw|change.?me|replace.?me|example|default|insecure|sample|testing|letmein|your[-_ ]"
    rb"|12345678|abcdefgh|qwerty",
    re.IGNORECASE,
)
_DIFFERENT_BYTES_MIN: Final = 8
_PERIOD_MAX: Final = 64
_KEY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_secret(secret: bytes, *, key_id: str, bytes_min: int = SECRET_BYTES_MIN) -> bytes:
    """A secret that cannot be guessed, as far as one can see; `configuration_error` otherwise."""
    if len(secret) < bytes_min:
        raise refused(key_id, "the secret is too short", bytes_min=bytes_min, bytes_found=len(secret))
    if _PLACEHOLDERS.search(secret) or len(set(secret)) < _DIFFERENT_BYTES_MIN or _repeats_itself(secret):
        raise refused(key_id, "the secret is easily guessed; draw it at random")
    return secret


def check_key_ids(key_ids: Iterable[str]) -> None:
    """One key at least, and no id twice; `configuration_error` otherwise."""
    found = list(key_ids)
    if not found:
        raise refused("", "no key is given")
    for key_id in found:
        if found.count(key_id) > 1:
            raise refused(key_id, "two keys have the same id")


def check_key_id(_: object, __: object, key_id: str) -> None:
    """An id of 1 to 64 letters, digits, `.`, `_` and `-`; `configuration_error` otherwise."""
    if not _KEY_ID.fullmatch(key_id):
        raise refused(key_id[:64], "a key id has 1 to 64 letters, digits, dots, dashes and underscores")


def refused(key_id: str, why: str, **details: object) -> InternalError:
    """The refusal of a key; never with the key itself."""
    return InternalError(CONFIGURATION_ERROR, key_id=key_id, why=why, **details)


def _repeats_itself(secret: bytes) -> bool:
    return any(secret[period:] == secret[:-period] for period in range(1, min(len(secret) // 2, _PERIOD_MAX) + 1))
