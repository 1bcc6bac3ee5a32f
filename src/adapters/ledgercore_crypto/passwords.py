"""Passwords hashed with Argon2id (RFC 9106); hashes that were imported are read until their next login."""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final

import argon2
from argon2.exceptions import Argon2Error, VerifyMismatchError

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
PBKDF2_ITERATIONS_MAX: Final = 10_000_000

# What an imported hash may cost is bounded here: nobody should wait for hours for a login.
_BCRYPT: Final = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES_MAX: Final = 72
_PBKDF2_NAMED: Final = re.compile(
    r"pbkdf2_(?P<digest>sha256|sha512)\$(?P<iterations>[0-9]{1,8})\$(?P<salt>[^$]+)\$(?P<hash>[A-Za-z0-9+/]{22,172}={0,2})"
)
_PBKDF2_CRYPT: Final = re.compile(
    r"\$pbkdf2-(?P<digest>sha256|sha512)\$(?:i=)?(?P<iterations>[0-9]{1,8})(?:,l=[0-9]{1,3})?"
    r"\$(?P<salt>[A-Za-z0-9+/.]+)\$(?P<hash>[A-Za-z0-9+/.]{22,172})"
)


class Argon2Hasher:
    """Hashes with Argon2id; the defaults are the least that OWASP advises, about 20 ms of one processor.

    Also knows passwords by bcrypt (`$2a$`, `$2b$`, `$2y$`; with the package `bcrypt`) and PBKDF2 hashes
    (`pbkdf2_sha256$…` and `$pbkdf2-sha256$…`, or with SHA-512), and calls those outdated. Raises
    `configuration_error` for parameters that Argon2 does not have.
    """

    def __init__(self, *, time_cost: int = 2, memory_kib: int = 19_456, parallelism: int = 1) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost, memory_kib, parallelism, hash_len=HASH_BYTES, salt_len=SALT_BYTES
        )
        try:
            # Stands in for the hash of an unknown user; made now, so that not even the first one takes longer.
            self._dummy = self._argon2.hash(secrets.token_bytes(HASH_BYTES))
        except Argon2Error as error:
            raise InternalError(
                CONFIGURATION_ERROR, why=str(error), time_cost=time_cost, memory_kib=memory_kib, parallelism=parallelism
            ) from error

    def hash(self, password: str) -> str:
        """The password's hash; see `PasswordHasher`."""
        return self._argon2.hash(_bytes(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether this password was hashed to that; see `PasswordHasher`.

        Imported hashes cost what their algorithm costs.
        """
        secret = _bytes(password)
        if hashed is None:
            self._is_argon2(secret, self._dummy)
            return False
        try:
            if hashed.startswith("$argon2"):
                return self._is_argon2(secret, hashed)
            if _BCRYPT.fullmatch(hashed):
                return _is_bcrypt(secret, hashed)
            if found := _PBKDF2_NAMED.fullmatch(hashed):
                return _is_pbkdf2(secret, found, salt=found["salt"].encode())
            if found := _PBKDF2_CRYPT.fullmatch(hashed):
                return _is_pbkdf2(secret, found, salt=_base64(found["salt"]))
            raise ValueError("a hash of another kind")
        except (ValueError, Argon2Error) as error:
            raise InternalError(
                CONFIGURATION_ERROR, why="a stored password hash cannot be read", cause=str(error)
            ) from error

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with another algorithm or other parameters than these."""
        return not hashed.startswith("$argon2id$") or self._argon2.check_needs_rehash(hashed)

    def _is_argon2(self, secret: bytes, hashed: str) -> bool:
        try:
            return self._argon2.verify(hashed, secret)
        except VerifyMismatchError:
            return False


def _is_bcrypt(secret: bytes, hashed: str) -> bool:
    try:
        import bcrypt
    except ImportError as error:
        raise InternalError(
            CONFIGURATION_ERROR, why="a bcrypt hash was imported; install the package that reads it", package="bcrypt"
        ) from error
    # Those who hashed it looked no further than this.
    return bcrypt.checkpw(secret[:_BCRYPT_BYTES_MAX], hashed.encode())


def _is_pbkdf2(secret: bytes, found: re.Match[str], *, salt: bytes) -> bool:
    expected, iterations = _base64(found["hash"]), int(found["iterations"])
    if not 1 <= iterations <= PBKDF2_ITERATIONS_MAX:
        raise ValueError("a number of iterations that no login should wait for")
    actual = hashlib.pbkdf2_hmac(found["digest"], secret, salt, iterations, dklen=len(expected))
    return hmac.compare_digest(actual, expected)


def _bytes(password: str) -> bytes:
    # Every text is a possible password, also one that UTF-8 proper cannot carry.
    return password.encode("utf-8", "surrogatepass")


def _base64(text: str) -> bytes:
    # Without padding in most formats, and with a dot for the plus in some.
    unpadded = text.rstrip("=").replace(".", "+")
    return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4))
