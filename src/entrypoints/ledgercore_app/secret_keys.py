"""The deployment's secret: what signs tokens and seals what is kept, read from where the settings say."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore_app.databases import Database, Embedded, Memory
from ledgercore_app.service_settings import ServiceSettings

if TYPE_CHECKING:
    from ledgercore_crypto import AesGcmSealer, JwtSigner

FILE_NAME: Final = "service-secret"
MADE_BYTES: Final = 64
LEEWAY_SECONDS: Final = 10
"""How far the clocks of processes that share a database may differ."""


@frozen
class Secrets:
    """The secret that is used, and those before it that are still believed."""

    present: bytes = field(repr=False)
    previous: tuple[bytes, ...] = field(repr=False)

    @property
    def all(self) -> tuple[bytes, ...]:
        """Every secret, the present one first."""
        return self.present, *self.previous


def read_secrets(settings: ServiceSettings, database: Database) -> Secrets:
    """The secrets of the settings; a database of our own keeps one beside its data, made when first needed.

    Raises `configuration_error` for a server's database without a secret: processes that share it must share one.
    """
    previous = tuple(secret.encode() for secret in settings.previous_secrets)
    if settings.secret is not None:
        return Secrets(settings.secret.encode(), previous)
    if settings.secret_file is not None:
        return Secrets(_read(settings.secret_file), previous)
    if isinstance(database, Embedded):
        return Secrets(_kept(database.data_directory.parent / f"{database.data_directory.name}.{FILE_NAME}"), previous)
    if isinstance(database, Memory):
        return Secrets(secrets.token_bytes(MADE_BYTES), previous)
    raise InternalError(
        CONFIGURATION_ERROR, setting="LEDGERCORE_SECRET",
        why="the processes that serve one database sign tokens with one secret: set it, or LEDGERCORE_SECRET_FILE",
    )  # fmt: skip


def signer_of(settings: ServiceSettings, found: Secrets) -> "JwtSigner":
    """What signs and verifies tokens; raises `configuration_error` for secrets that are too weak."""
    from ledgercore_crypto import JwtSigner, key_from_pem, key_from_secret

    present = "LEDGERCORE_SECRET_FILE" if settings.secret is None else "LEDGERCORE_SECRET"
    with _about(present):
        keys = [key_from_secret(_id_of(found.present), found.present, production=settings.production)]
    with _about("LEDGERCORE_PREVIOUS_SECRETS"):
        keys += [key_from_secret(_id_of(secret), secret) for secret in found.previous]
    if settings.token_key_file is not None:
        pem = _read(settings.token_key_file)
        with _about("LEDGERCORE_TOKEN_KEY_FILE"):
            keys.insert(0, key_from_pem(_id_of(pem), pem))
    return JwtSigner(
        keys, issuer=settings.token_issuer, audience=settings.token_audience, leeway_seconds=LEEWAY_SECONDS
    )


def sealer_of(found: Secrets) -> "AesGcmSealer":
    """What seals answers that are kept."""
    from ledgercore_crypto import AesGcmSealer, sealing_key_from

    return AesGcmSealer([sealing_key_from(secret, _id_of(secret)) for secret in found.all])


@contextmanager
def _about(setting: str) -> Iterator[None]:
    """Say of a refused key where it came from; its id is known to nobody yet."""
    try:
        yield
    except InternalError as error:
        told = {name: detail for name, detail in error.details.items() if name != "key_id"}
        raise InternalError(error.reason, setting=setting, **told) from error


def _id_of(secret: bytes) -> str:
    """A short name that tells nothing of the key."""
    return hashlib.sha256(b"ledgercore key id\x00" + secret).hexdigest()[:8]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise InternalError(CONFIGURATION_ERROR, setting=str(path), why=f"cannot be read: {error.strerror}") from error


def _kept(path: Path) -> bytes:
    """The secret in a file that only we may read, made in one step if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(secrets.token_hex(MADE_BYTES).encode())
                file.flush()
                # An empty file after a power cut would be in the way for ever.
                os.fsync(descriptor)
            # Of processes that start together one succeeds, and all read its secret.
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            os.unlink(fresh)
    return _read(path)
