"""Bytes sealed with AES-256-GCM: version, length of the key id, key id, nonce, ciphertext with its tag."""

import os
from collections.abc import Sequence
from typing import Final

from attrs import field, frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, INTERNAL_SERVER_ERROR
from ledgercore_crypto.configuration import check_key_id, check_key_ids, check_secret, refused

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_INFO: Final = b"ledgercore sealing key 1"


@frozen(eq=False)
class SealingKey:
    """32 random bytes under the id that what they sealed names them by; `configuration_error` for others.

    With random nonces one key is good for 2^32 seals (NIST SP 800-38D).
    """

    id: str = field(validator=check_key_id)
    key: bytes = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise refused(self.id, "a sealing key has 32 bytes", bytes_found=len(self.key))


def sealing_key_from(secret: bytes, id: str) -> SealingKey:
    """A key derived (HKDF, RFC 5869) from a secret of at least 32 bytes, which may serve for other things too.

    Raises `configuration_error` for a secret that is shorter or easily guessed.
    """
    check_secret(secret, key_id=id)
    return SealingKey(id, HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_INFO).derive(secret))


class AesGcmSealer:
    """Seals with the first key and opens with all; see `Sealer`.

    Raises `configuration_error` when there is no key or ids repeat.
    """

    def __init__(self, keys: Sequence[SealingKey]) -> None:
        check_key_ids(key.id for key in keys)
        self._ciphers = {_header(key): AESGCM(key.key) for key in keys}
        self._sealing_header = _header(keys[0])

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """The bytes encrypted under the first key and bound to their context."""
        header, nonce = self._sealing_header, os.urandom(NONCE_BYTES)
        return header + nonce + self._ciphers[header].encrypt(nonce, plain, header + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The bytes that were sealed for this context.

        Raises `configuration_error` when the key is not among those given, `internal_server_error` when the
        bytes were changed or sealed for another context.
        """
        header = sealed[: 2 + sealed[1]] if len(sealed) > 1 else b""
        cipher = self._ciphers.get(header)
        if cipher is None:
            raise InternalError(CONFIGURATION_ERROR, why="no key is known that sealed this", context=context)
        nonce, ciphertext = sealed[len(header) :][:NONCE_BYTES], sealed[len(header) + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, header + context.encode())
        except (InvalidTag, ValueError) as error:
            raise InternalError(
                INTERNAL_SERVER_ERROR, why="sealed for another context, or changed since", context=context
            ) from error


def _header(key: SealingKey) -> bytes:
    return bytes([VERSION, len(key.id)]) + key.id.encode()
