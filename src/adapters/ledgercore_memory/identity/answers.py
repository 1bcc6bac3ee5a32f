"""Kept answers in memory."""

from datetime import datetime
from itertools import islice
from typing import Final

from attrs import evolve

from ledgercore.identity.answers import KEPT_FOR, KeptAnswer
from ledgercore_memory.identity.state import State

FORGOTTEN_MAX: Final = 2
"""How many answers are forgotten at most with each that is claimed: more than one, so that they become fewer."""


class MemoryAnswers:
    """See the port `Answers`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def claim(self, scope: str, key: str, fingerprint: bytes, *, now: datetime) -> KeptAnswer | None:
        """See the port."""
        kept_since = now - KEPT_FOR
        claimed_at, kept = self._state.answers.get((scope, key), (now, None))
        if kept is not None and kept.sealed is not None and claimed_at >= kept_since:
            return kept
        # What was claimed last stands last.
        self._state.answers.pop((scope, key), None)
        self._state.answers[scope, key] = (now, KeptAnswer(fingerprint=fingerprint))
        for name, (earlier_at, _) in list(islice(self._state.answers.items(), FORGOTTEN_MAX)):
            if earlier_at < kept_since:
                del self._state.answers[name]
        return None

    def keep(self, scope: str, key: str, sealed: bytes) -> None:
        """See the port."""
        claimed_at, claimed = self._state.answers[scope, key]
        assert claimed.sealed is None, "a key is claimed before an answer is kept under it, once"
        self._state.answers[scope, key] = (claimed_at, evolve(claimed, sealed=sealed))
