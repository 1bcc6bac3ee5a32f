"""The deployment's secret: what signs tokens and seals what is kept, read from where the settings say."""

import os
import secrets
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

    keys = [
        key_from_secret(_id_of(secret), secret, production=settings.production and not index)
        for index, secret in enumerate(found.all)
    ]
    if settings.token_key_file is not None:
        pem = _read(settings.token_key_file)
        keys.insert(0, key_from_pem(_id_of(pem), pem))
    return JwtSigner(
        keys, issuer=settings.token_issuer, audience=settings.token_audience, leeway_seconds=LEEWAY_SECONDS
    )


def sealer_of(found: Secrets) -> "AesGcmSealer":
    """What seals answers that are kept."""
    from ledgercore_crypto import AesGcmSealer, sealing_key_from

    return AesGcmSealer([sealing_key_from(secret, _id_of(secret)) for secret in found.all])


def _id_of(secret: bytes) -> str:
    """A short name that tells nothing of the key."""
    import hashlib

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
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(MADE_BYTES).encode())
        try:
            # Of processes that start together one succeeds, and all read its secret.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return _read(path)
