"""Proof Key for Code Exchange (RFC 7636): whoever brings a code also shows that they asked for it."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

METHOD: Final = "S256"


def challenge_of(verifier: str) -> str:
    """What is shown to the bank before the verifier itself is: base64url of its SHA-256, unpadded.

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
