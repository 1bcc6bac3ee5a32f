"""Live updates: one reader of the outbox in each process, for all who listen to it."""

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import AuthenticationError, ExternalDependencyError, LedgercoreError, error_for
from ledgercore.errors.catalog import RATE_LIMIT_EXCEEDED, SERVICE_OVERLOADED
from ledgercore.errors.category import Category
from ledgercore.events.events import StoredEvent
from ledgercore.events.live import BALANCE, is_live
from ledgercore.identity.access import bearer, check_access
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.principals import Principal, Subject
from ledgercore.identity.service_tokens import Scope
from ledgercore.rate_limits import Quota, Take
from ledgercore_http.edge import network_of
from ledgercore_http.ports import Service

ACCESS: Final = bearer(Scope.PAYMENTS_READ)
POLL_SECONDS: Final = 0.25
STANDING_SECONDS: Final = 30.0
"""So often it is asked again whether those who listen still may; and when their token ends, so does listening."""
PAGE: Final = 500
QUEUED_MAX: Final = 1_000
"""Whoever is further behind is cut off, and goes on from the last event that came."""
LISTENERS_PER_USER: Final = 10
LISTENERS_MAX: Final = 2_000
_Result = TypeVar("_Result")


@frozen(kw_only=True, eq=False)
class Listener:
    """Somebody who listens. `queue` holds events to be told, and at last what ended it: an error, or nothing.

    `sees_balances` is false for a service token that could not read the balances of accounts otherwise.
    """

    token: str = field(repr=False)
    subject: Subject
    user_id: UUID
    sees_balances: bool
    queue: "asyncio.Queue[StoredEvent | LedgercoreError | None]" = field(factory=lambda: asyncio.Queue(QUEUED_MAX + 1))

    def may_hear(self, stored: StoredEvent) -> bool:
        """Whether an event is told to this listener: only to its owner."""
        is_seen = self.sees_balances or not stored.event.type.startswith(BALANCE)
        return stored.event.owner_id == self.user_id and is_seen and is_live(stored)

    def tell(self, stored: StoredEvent) -> None:
        """Queue an event; nothing comes after the end."""
        if self.queue.qsize() < QUEUED_MAX:
            self.queue.put_nowait(stored)
        else:
            self.end(None)

    def end(self, why: LedgercoreError | None) -> None:
        """Let the listener end, once all that is queued was told."""
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(why)


class Live:
    """Reads the outbox while anybody listens, and tells each the events that are theirs."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._listeners: set[Listener] = set()
        self._counts: Counter[UUID] = Counter()
        self._reader: asyncio.Task[None] | None = None
        self._is_reading = asyncio.Event()

    async def admit(self, token: str, *, actor: Actor) -> Listener:
        """Let somebody listen, or raise why not as every other route does; refusals are audited."""
        try:
            subject, principal = await self._in_thread(self._look_up, token, actor.source or "")
        except LedgercoreError as error:
            await self._note(error, actor)
            raise
        self._check_room(principal.user_id)
        sees_balances = principal.has_scope(Scope.BANKING_READ)
        return Listener(token=token, subject=subject, user_id=principal.user_id, sees_balances=sees_balances)

    async def events(
        self, listener: Listener, after: int | None, *, seconds: float
    ) -> AsyncIterator[StoredEvent | None]:
        """The listener's events after a number, or from now on.

        `None` comes first, when nothing can be missed any more, and whenever nothing came for so many seconds. Ends
        when the listener is too slow, and raises why when it may listen no longer.
        """
        with self._listening(listener):
            await self._is_reading.wait()
            # From here on events are queued, so what is read now and what is queued leave no gap.
            told = await self._in_thread(self._last_number) if after is None else after
            yield None
            while after is not None and (page := await self._in_thread(self._backlog, listener.user_id, told)):
                for stored in page:
                    told = stored.number
                    if listener.may_hear(stored):
                        yield stored
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        found = await listener.queue.get()
                except TimeoutError:
                    yield None
                    continue
                if found is None:
                    return
                if isinstance(found, LedgercoreError):
                    raise found
                if found.number > told:
                    told = found.number
                    yield found

    def _check_room(self, user_id: UUID) -> None:
        if self._counts[user_id] >= LISTENERS_PER_USER:
            raise error_for(RATE_LIMIT_EXCEEDED, {"scope": "user", "limit": LISTENERS_PER_USER})
        if len(self._listeners) >= LISTENERS_MAX:
            raise ExternalDependencyError(SERVICE_OVERLOADED, listeners=LISTENERS_MAX)

    @contextmanager
    def _listening(self, listener: Listener) -> Iterator[None]:
        # Asked again: of many who were admitted at once none was counted then.
        self._check_room(listener.user_id)
        self._listeners.add(listener)
        self._counts[listener.user_id] += 1
        if self._reader is None or self._reader.done():
            self._is_reading.clear()
            self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._listeners.discard(listener)
            self._counts[listener.user_id] -= 1
            if not self._counts[listener.user_id]:
                del self._counts[listener.user_id]

    async def _read(self) -> None:
        """Follow the outbox until nobody listens; what goes wrong ends all listeners, who come again."""
        loop = asyncio.get_running_loop()
        try:
            last, checked_at = await self._in_thread(self._last_number), loop.time()
            self._is_reading.set()
            while self._listeners:
                page = await self._in_thread(self._page, last)
                for stored in filter(is_live, page):
                    for listener in self._listeners:
                        if listener.may_hear(stored):
                            listener.tell(stored)
                last = page[-1].number if page else last
                if loop.time() - checked_at >= STANDING_SECONDS:
                    checked_at = loop.time()
                    await self._check_standings()
                if len(page) < PAGE:
                    await asyncio.sleep(POLL_SECONDS)
        except Exception as error:
            self._service.telemetry.request_broke(error, correlation_id="live")
            for listener in self._listeners:
                listener.end(None)
        finally:
            self._is_reading.set()

    async def _check_standings(self) -> None:
        """End those who may listen no longer; one look-up for all of them."""
        listeners = list(self._listeners)
        refused = await self._in_thread(self._refused, listeners)
        for listener, why in zip(listeners, refused, strict=True):
            if why is not None:
                listener.end(why)

    def _refused(self, listeners: Sequence[Listener]) -> list[LedgercoreError | None]:
        standings = self._service.identity.store.standings([listener.subject for listener in listeners])
        authenticator, now = self._service.identity.authenticator, self._service.clock()
        found: list[LedgercoreError | None] = []
        for listener, standing in zip(listeners, standings, strict=True):
            try:
                authenticator.subject_of(listener.token, ledger=None, now=now)
                check_access(ACCESS, authenticator.principal_of(listener.subject, standing, now), standing)
                found.append(None)
            except LedgercoreError as error:
                found.append(error)
        return found

    def _look_up(self, token: str, address: str) -> tuple[Subject, Principal]:
        service, limits = self._service, self._service.limits
        authenticator, now = service.identity.authenticator, service.clock()
        try:
            subject = authenticator.subject_of(token, ledger=None, now=now)
        except AuthenticationError:
            self._take(f"address:{network_of(address)}", limits.per_address, now)
            raise
        if subject.token_digest is not None:
            self._take(f"token:{subject.token_digest.hex()}", limits.per_token, now)
        else:
            self._take(f"user:{subject.user_id}", limits.per_user, now)
        [standing] = service.identity.store.standings([subject])
        principal = authenticator.principal_of(subject, standing, now)
        check_access(ACCESS, principal, standing)
        return subject, principal

    def _take(self, account: str, quota: Quota | None, now: datetime) -> None:
        if quota is not None:
            [taken] = self._service.limiter.take([Take(account, quota)])
            if not taken.allowed:
                raise error_for(RATE_LIMIT_EXCEEDED, {"scope": account.partition(":")[0], "limit": taken.limit})

    async def _note(self, error: LedgercoreError, actor: Actor) -> None:
        actions = {Category.AUTHENTICATION: "authentication_failure", Category.AUTHORIZATION: "authorization_failure"}
        action = actions.get(error.reason.category)
        if action is not None:
            details = {"reason": error.code, "route": "live"}
            event = AuditEvent(action=action, actor=actor, details=details)
            await self._in_thread(self._service.identity.audit.record, event)

    def _last_number(self) -> int:
        with self._service.bank.store.begin() as work:
            return work.events.last_number()

    def _page(self, after: int) -> Sequence[StoredEvent]:
        with self._service.bank.store.begin() as work:
            return work.events.list_after(after, limit=PAGE)

    def _backlog(self, user_id: UUID, after: int) -> Sequence[StoredEvent]:
        with self._service.bank.store.begin() as work:
            return work.events.list_after(after, owner_id=user_id, limit=PAGE)

    async def _in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._service.executor, functools.partial(work, *arguments))
