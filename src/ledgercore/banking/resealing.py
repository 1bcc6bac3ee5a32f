"""Sealing anew what is kept for long, so that an earlier secret of the deployment can be forgotten."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.ports import Store
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.secrets import Sealer

PAGE: Final = 100


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...


_Found = TypeVar("_Found", bound=_Named)


@frozen(kw_only=True)
class Resealed:
    """How many secrets of each kind were sealed anew."""

    clients: int
    logins: int
    webhooks: int


@frozen(kw_only=True)
class Resealing:
    """Opens every secret of banks, logins and webhooks with the key it has, and seals it with the newest.

    Each in a unit of work of its own, so it disturbs nobody and can be done again. What is kept for a day at most
    (answers under idempotency keys, connections on their way) ends by itself.
    """

    store: Store
    sealer: Sealer

    def run(self, *, actor: Actor) -> Resealed:
        """Seal all anew; raises `configuration_error` for what was sealed under a secret that is not known any more."""
        with self.store.begin() as work:
            banks = [bank.id for bank in _all(lambda after: work.banks.list_after(after, limit=PAGE))]
            logins = [login.id for login in _all(lambda after: work.bank_logins.list_of(None, after=after, limit=PAGE))]
            hooks = [hook.id for hook in _all(lambda after: work.webhooks.list_of(None, after=after, limit=PAGE))]
        resealed = Resealed(
            clients=sum(map(self._client, banks)),
            logins=sum(map(self._login, logins)),
            webhooks=sum(map(self._webhook, hooks)),
        )
        with self.store.begin() as work:
            details = {"clients": resealed.clients, "logins": resealed.logins, "webhooks": resealed.webhooks}
            work.audit.append(AuditEvent(action="secrets_resealed", actor=actor, details=details))
        return resealed

    def _client(self, id: UUID) -> bool:
        with self.store.begin() as work:
            bank = work.banks.find(id)
            if bank is None or bank.sealed_client_secret is None:
                return False
            sealed = self._anew(bank.sealed_client_secret, bank.secret_context)
            work.banks.save(evolve(bank, sealed_client_secret=sealed))
        return True

    def _login(self, id: UUID) -> bool:
        with self.store.begin() as work:
            login = work.bank_logins.find(id)
            if login is None or login.sealed_tokens is None:
                return False
            # The tokens are the same, and so is their version: whoever uses them just now may go on.
            work.bank_logins.save(evolve(login, sealed_tokens=self._anew(login.sealed_tokens, login.tokens_context)))
        return True

    def _webhook(self, id: UUID) -> bool:
        with self.store.begin() as work:
            hook = work.webhooks.find(id)
            if hook is None:
                return False
            previous = hook.previous_secret
            work.webhooks.save(
                evolve(
                    hook,
                    secret=self._anew(hook.secret, hook.seal_context),
                    previous_secret=None if previous is None else self._anew(previous, hook.seal_context),
                )
            )
        return True

    def _anew(self, sealed: bytes, context: str) -> bytes:
        return self.sealer.seal(self.sealer.open(sealed, context=context), context=context)


def _all(page: Callable[[UUID | None], Sequence[_Found]]) -> Iterator[_Found]:
    after: UUID | None = None
    while found := page(after):
        yield from found
        after = found[-1].id
