"""Keys that sign tokens or only verify them; each is good for one algorithm."""

from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt import InvalidKeyError, get_algorithm_by_name

from ledgercore_crypto.configuration import SECRET_BYTES_MIN_IN_PRODUCTION, check_key_id, check_secret, refused

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey


class TokenAlgorithm(StrEnum):
    """The algorithms of RFC 7518 and RFC 8037 that tokens are signed with."""

    HS256 = "HS256"
    EDDSA = "EdDSA"
    ES256 = "ES256"


_KEY_TYPES: Final[dict[TokenAlgorithm, tuple[type, ...]]] = {
    TokenAlgorithm.HS256: (bytes,),
    TokenAlgorithm.EDDSA: (Ed25519PrivateKey, Ed25519PublicKey),
    TokenAlgorithm.ES256: (EllipticCurvePrivateKey, EllipticCurvePublicKey),
}


@frozen(eq=False)
class TokenKey:
    """A key under the id that tokens name it by, and its one algorithm.

    Raises `configuration_error` for a key of another kind than the algorithm wants, a secret that can be
    guessed, and an id of other characters than letters, digits, dots, dashes and underscores.
    """

    id: str = field(validator=check_key_id)
    algorithm: TokenAlgorithm
    key: bytes | PrivateKey | PublicKey = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.key, _KEY_TYPES[self.algorithm]):
            raise refused(self.id, f"the key is not one for {self.algorithm}")
        if isinstance(self.key, bytes):
            check_secret(self.key, key_id=self.id)
        try:
            # Refuses other curves than P-256, and public keys that somebody took for a secret.
            get_algorithm_by_name(self.algorithm).prepare_key(self.key)
        except InvalidKeyError as error:
            raise refused(self.id, str(error)) from error

    @property
    def can_sign(self) -> bool:
        """Whether tokens can be made with it, not only verified."""
        return not isinstance(self.key, PublicKey)

    @property
    def verifying_key(self) -> bytes | PublicKey:
        """What verifies: the secret itself, or the public half."""
        return self.key.public_key() if isinstance(self.key, PrivateKey) else self.key


def key_from_secret(id: str, secret: bytes, *, production: bool = False) -> TokenKey:
    """A key for HS256; the secret has at least 32 bytes, in production 64, and is not easily guessed.

    Raises `configuration_error` otherwise.
    """
    if production:
        check_secret(secret, key_id=id, bytes_min=SECRET_BYTES_MIN_IN_PRODUCTION)
    return TokenKey(id, TokenAlgorithm.HS256, secret)


def key_from_pem(id: str, pem: bytes) -> TokenKey:
    """A key for EdDSA (Ed25519) or ES256 (P-256), whichever is in the PEM text: private, or public to verify only.

    Raises `configuration_error` for any other key, and for an encrypted one.
    """
    try:
        key = load_pem_public_key(pem) if b"PUBLIC KEY" in pem else load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise refused(id, "the PEM text has no key that can be read; it must not be encrypted") from error
    if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        return TokenKey(id, TokenAlgorithm.EDDSA, key)
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey):
        return TokenKey(id, TokenAlgorithm.ES256, key)
    raise refused(id, "the PEM text has a key of another kind than Ed25519 and P-256")
