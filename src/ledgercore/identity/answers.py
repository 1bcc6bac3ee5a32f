"""Kept answers: what a request under an idempotency key was told, for whoever repeats it."""

from datetime import timedelta
from typing import Final

from attrs import field, frozen

KEPT_FOR: Final = timedelta(hours=24)


@frozen(kw_only=True)
class KeptAnswer:
    """An answer under a key; `fingerprint` is a digest of the request, `sealed` the answer: it may hold tokens."""

    fingerprint: bytes
    sealed: bytes | None = field(default=None, repr=False)
