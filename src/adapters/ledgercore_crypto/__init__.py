"""Cryptography for identity: Argon2id passwords, JSON Web Tokens, AES-GCM for what is kept sealed."""

from ledgercore_crypto.keys import TokenAlgorithm, TokenKey, key_from_pem, key_from_secret
from ledgercore_crypto.passwords import Argon2Hasher
from ledgercore_crypto.sealing import AesGcmSealer, SealingKey, sealing_key_from
from ledgercore_crypto.tokens import JwtSigner

__all__ = [
    "AesGcmSealer",
    "Argon2Hasher",
    "JwtSigner",
    "SealingKey",
    "TokenAlgorithm",
    "TokenKey",
    "key_from_pem",
    "key_from_secret",
    "sealing_key_from",
]
