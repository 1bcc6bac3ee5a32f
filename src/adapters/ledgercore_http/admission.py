"""Admission: who asks, how they stand now, and whether their rate allows it; one look-up for all who come together."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from attrs import frozen

from ledgercore.identity.principals import Standing, Subject
from ledgercore.rate_limits import Take, Taken
from ledgercore_http.ports import Service


@frozen
class Ask:
    """What one request needs to know at its door."""

    subject: Subject | None
    takes: tuple[Take, ...]


@frozen
class Admitted:
    """How the subject stands, and what became of each take."""

    standing: Standing
    taken: tuple[Taken, ...]


NOBODY = Standing()
USE_NOTED_EVERY: Final = timedelta(minutes=1)


class Admission:
    """The door. Suspension, logout and other changes count from the next look-up on."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._gathering = None if service.immediate else service.gather(self._look_up)

    async def ask(self, subject: Subject | None, takes: Sequence[Take]) -> Admitted:
        """Look up a subject and take from the accounts of its rate limits."""
        ask = Ask(subject, tuple(takes))
        if subject is None and not takes:
            return Admitted(NOBODY, ())
        if self._gathering is None:
            return self._look_up([ask])[0]
        return await self._gathering.ask(ask)

    def close(self) -> None:
        """Finish what was asked."""
        if self._gathering is not None:
            self._gathering.close()

    def _look_up(self, asks: list[Ask]) -> list[Admitted]:
        subjects = [ask.subject for ask in asks if ask.subject is not None]
        takes = [take for ask in asks for take in ask.takes]
        found = self._service.identity.store.standings(subjects) if subjects else ()
        self._note_use(found)
        standings = iter(found)
        taken = iter(self._service.limiter.take(takes) if takes else ())
        return [
            Admitted(
                NOBODY if ask.subject is None else next(standings),
                tuple(next(taken) for _ in ask.takes),
            )
            for ask in asks
        ]

    def _note_use(self, standings: Sequence[Standing]) -> None:
        """Note once a minute that a service token is in use, so that forgotten ones can be told from those."""
        now = self._service.clock()
        used = {
            token.id: now
            for token in (standing.token for standing in standings)
            if token is not None
            and token.is_live(now)
            and (token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY)
        }
        if used:
            self._service.identity.store.touch_tokens(list(used.items()))
