"""Webhooks in their owners' hands: adding, changing, rotating secrets, and sending again."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, NotFoundError, ValidationError
from ledgercore.errors.catalog import (
    DELIVERY_NOT_FOUND,
    INSUFFICIENT_PERMISSIONS,
    INVALID_ARGUMENT,
    LEDGER_NOT_FOUND,
    WEBHOOK_NOT_FOUND,
)
from ledgercore.events.deliveries import Delivery, DeliveryStatus
from ledgercore.events.ports import Store, Work
from ledgercore.events.relaying import redelivery_job
from ledgercore.events.standard_webhooks import new_secret
from ledgercore.events.types import BANK_TYPES
from ledgercore.events.webhooks import WebhookEndpoint, check_types
from ledgercore.identity.access import Caller
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.policies import can_read_ledger
from ledgercore.identity.principals import Principal
from ledgercore.identity.secrets import Sealer
from ledgercore.identity.service_tokens import Scope
from ledgercore.ids import TimeOrderedIds
from ledgercore.pages import Page, check_limit, decode_cursor, page_of

ENDPOINTS_MAX: Final = 50
"""How many webhooks a user may have."""
URL_LENGTH_MAX: Final = 2_000
BY_OWNER: Final = "disabled_by_owner"


class AddressCheck(Protocol):
    """Judges an address before anything is sent there."""

    def check(self, url: str) -> object:
        """Raise `forbidden_address` for a URL that must not be called, by its looks alone."""
        ...


@frozen(kw_only=True)
class NewWebhook:
    """A webhook and its secret, which nobody can learn again."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


@frozen(kw_only=True)
class WebhookAdministration:
    """Adds, changes and removes webhooks; to everybody but its owner a webhook is not there."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    sealer: Sealer
    addresses: AddressCheck

    def create(
        self, *, by: Principal, url: str, types: Iterable[object] = (), ledger: str | None = None, actor: Actor
    ) -> NewWebhook:
        """Have one's events from now on, or the log of a ledger, delivered to an address.

        Raises `forbidden_address`, `invalid_event_type`, `ledger_not_found`, `insufficient_permissions` for a token
        that may not read what it wants delivered, and `invalid_argument` when there are 50 already.
        """
        self._check_url(url)
        _check_may_hear(by, types := check_types(types, ledger), ledger)
        secret, now = new_secret(self.random_bytes), self.clock()
        endpoint = WebhookEndpoint(
            id=TimeOrderedIds(self.random_bytes).one(now),
            owner_id=by.user_id,
            url=url,
            types=types,
            ledger=ledger,
            secret=b"",
            created_at=now,
            updated_at=now,
        )
        endpoint = evolve(endpoint, secret=self.sealer.seal(secret.encode(), context=endpoint.seal_context))
        with self.store.begin() as work:
            if len(work.webhooks.list_of(by.user_id, after=None, limit=ENDPOINTS_MAX)) == ENDPOINTS_MAX:
                raise ValidationError(INVALID_ARGUMENT, field="url", why=f"a user has at most {ENDPOINTS_MAX} webhooks")
            endpoint = evolve(endpoint, after_number=_last_number(work, by, ledger))
            work.webhooks.add(endpoint)
            work.audit.append(_event("webhook_created", endpoint, actor, url=url, ledger=ledger))
        return NewWebhook(endpoint=endpoint, secret=secret)

    def page(self, *, by: Caller, cursor: str | None = None, limit: int = 100) -> Page[WebhookEndpoint]:
        """One's webhooks in the order in which they were added; for an operator those of everybody."""
        owner_id = by.user_id if isinstance(by, Principal) else None
        after = None if cursor is None else decode_cursor("webhooks", cursor, UUID)[0]
        with self.store.begin() as work:
            found = work.webhooks.list_of(owner_id, after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "webhooks", lambda endpoint: (str(endpoint.id),))

    def get(self, id: UUID, *, by: Caller) -> WebhookEndpoint:
        """A webhook; raises `webhook_not_found`."""
        with self.store.begin() as work:
            return _owned(work, id, by)

    def change(
        self,
        id: UUID,
        *,
        by: Caller,
        url: str | None = None,
        types: Iterable[object] | None = None,
        active: bool | None = None,
        actor: Actor,
    ) -> WebhookEndpoint:
        """Change what is given. An enabled webhook goes on where it was when it was disabled.

        Raises `webhook_not_found`, and as `create` does.
        """
        if url is not None:
            self._check_url(url)
        now = self.clock()
        with self.store.begin() as work:
            before = endpoint = _owned(work, id, by)
            endpoint = endpoint if url is None else evolve(endpoint, url=url, failing=False)
            endpoint = endpoint if types is None else evolve(endpoint, types=check_types(types, endpoint.ledger))
            if active is not None and active is not endpoint.is_active:
                endpoint = endpoint.enabled(now) if active else endpoint.disabled(BY_OWNER, now)
            if endpoint == before:
                return before
            _check_may_hear(by, endpoint.types, endpoint.ledger)
            endpoint = evolve(endpoint, updated_at=now)
            work.webhooks.save(endpoint)
            details = {"url": endpoint.url, "types": endpoint.types, "status": endpoint.status}
            work.audit.append(_event("webhook_changed", endpoint, actor, **details))
        return endpoint

    def rotate(self, id: UUID, *, by: Caller, actor: Actor) -> NewWebhook:
        """Give a webhook a new secret; for a day deliveries are signed with the one before it too.

        Raises `webhook_not_found`.
        """
        secret = new_secret(self.random_bytes)
        with self.store.begin() as work:
            endpoint = _owned(work, id, by)
            sealed = self.sealer.seal(secret.encode(), context=endpoint.seal_context)
            endpoint = endpoint.rotated(sealed, self.clock())
            work.webhooks.save(endpoint)
            work.audit.append(_event("webhook_secret_rotated", endpoint, actor))
        return NewWebhook(endpoint=endpoint, secret=secret)

    def remove(self, id: UUID, *, by: Caller, actor: Actor) -> WebhookEndpoint:
        """Remove a webhook with its delivery log; raises `webhook_not_found`."""
        with self.store.begin() as work:
            endpoint = _owned(work, id, by)
            work.webhooks.remove(id)
            work.audit.append(_event("webhook_removed", endpoint, actor, url=endpoint.url))
        return endpoint

    def deliveries(self, id: UUID, *, by: Caller, cursor: str | None = None, limit: int = 100) -> Page[Delivery]:
        """The delivery log of a webhook, newest first; raises `webhook_not_found`."""
        before = None if cursor is None else decode_cursor("deliveries", cursor, UUID)[0]
        with self.store.begin() as work:
            _owned(work, id, by)
            found = work.webhooks.list_deliveries(id, before=before, limit=check_limit(limit) + 1)
        return page_of(found, limit, "deliveries", lambda delivery: (str(delivery.id),))

    def redeliver(self, id: UUID, delivery_id: UUID, *, by: Caller, actor: Actor) -> Delivery:
        """Send one delivery again, whatever became of it; raises `webhook_not_found` and `delivery_not_found`."""
        with self.store.begin() as work:
            endpoint = _owned(work, id, by)
            delivery = work.webhooks.find_delivery(delivery_id)
            if delivery is None or delivery.endpoint_id != id:
                raise NotFoundError(DELIVERY_NOT_FOUND, delivery_id=delivery_id)
            delivery = evolve(delivery, status=DeliveryStatus.PENDING, next_attempt_at=self.clock())
            work.webhooks.save_delivery(delivery)
            work.jobs.enqueue([redelivery_job(delivery)])
            work.audit.append(_event("webhook_redelivered", endpoint, actor, delivery_id=delivery_id))
        return delivery

    def replay(self, id: UUID, from_number: int, *, by: Caller, actor: Actor) -> WebhookEndpoint:
        """Deliver everything again from the event of a number on, under the ids that it had.

        Raises `webhook_not_found`, and `invalid_argument` for a number that is not yet reached.
        """
        with self.store.begin() as work:
            endpoint = _owned(work, id, by)
            if not 1 <= from_number <= endpoint.after_number + 1:
                raise ValidationError(
                    INVALID_ARGUMENT, field="from_number", value=from_number, least=1, most=endpoint.after_number + 1
                )
            endpoint = evolve(
                endpoint, after_number=from_number - 1, replays=endpoint.replays + 1, updated_at=self.clock()
            )
            work.webhooks.save(endpoint)
            work.audit.append(_event("webhook_replayed", endpoint, actor, from_number=from_number))
        return endpoint

    def _check_url(self, url: str) -> None:
        if len(url) > URL_LENGTH_MAX:
            raise ValidationError(INVALID_ARGUMENT, field="url", why=f"at most {URL_LENGTH_MAX} characters")
        self.addresses.check(url)


def _owned(work: Work, id: UUID, by: Caller) -> WebhookEndpoint:
    endpoint = work.webhooks.find(id)
    if endpoint is None or (isinstance(by, Principal) and by.user_id != endpoint.owner_id):
        raise NotFoundError(WEBHOOK_NOT_FOUND, webhook_id=id)
    return endpoint


def _check_may_hear(by: Caller, types: frozenset[str], ledger: str | None) -> None:
    """Refuse a token that could not read over any other route what is delivered."""
    if not isinstance(by, Principal):
        return
    needed = {Scope.LEDGER_READ}
    if ledger is None:
        is_payment = {type.startswith("payment.") for type in types or BANK_TYPES}
        needed = {Scope.PAYMENTS_READ if each else Scope.BANKING_READ for each in is_payment}
    for scope in sorted(needed):
        if not by.has_scope(scope):
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, scope=scope)
    if ledger is not None and not by.covers_ledger(ledger):
        raise NotFoundError(LEDGER_NOT_FOUND, ledger=ledger)


def _last_number(work: Work, by: Principal, ledger: str | None) -> int:
    """The last event that the endpoint is not told any more; raises unless the ledger may be followed."""
    if ledger is None:
        return work.events.last_number()
    member = work.members.find(ledger, by.user_id)
    if not can_read_ledger(by, None if member is None else member.access):
        raise NotFoundError(LEDGER_NOT_FOUND, ledger=ledger)
    return work.ledgers.journal(ledger).state().number


def _event(action: str, endpoint: WebhookEndpoint, actor: Actor, **details: object) -> AuditEvent:
    return AuditEvent(action=action, actor=actor, target=f"webhook:{endpoint.id}", details=details)
