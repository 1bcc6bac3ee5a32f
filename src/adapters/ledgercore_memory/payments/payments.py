"""Payments in memory, where one unit of work comes after the other and so nothing needs a lock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from ledgercore.payments.payments import Payment, PaymentFilter, PaymentStatus, Return
from ledgercore.statements.statements import Direction
from ledgercore_memory.payments.state import State


class MemoryPayments:
    """See the port `Payments`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, payment: Payment) -> None:
        """See the port."""
        self._state.payments[payment.id] = payment

    def find(self, id: UUID) -> Payment | None:
        """See the port."""
        return self._state.payments.get(id)

    def lock(self, ids: Sequence[UUID]) -> Sequence[Payment]:
        """See the port."""
        return [self._state.payments[id] for id in sorted(set(ids)) if id in self._state.payments]

    def save_all(self, payments: Sequence[Payment]) -> None:
        """See the port."""
        self._state.payments.update({payment.id: payment for payment in payments})

    def page(self, wanted: PaymentFilter, *, offset: int, limit: int) -> tuple[Sequence[Payment], int]:
        """See the port."""
        found = [payment for payment in self._state.payments.values() if _fits(payment, wanted)]
        found.sort(key=attrgetter("inserted_at", "id"), reverse=True)
        return found[offset : offset + limit], len(found)

    def list_processing(self, *, after: UUID | None, limit: int) -> Sequence[Payment]:
        """See the port."""
        return [
            payment
            for id, payment in sorted(self._state.payments.items())
            if payment.status is PaymentStatus.PROCESSING and (after is None or id > after)
        ][:limit]

    def spent(self, account_ids: Sequence[UUID], *, since: datetime) -> Mapping[UUID, int]:
        """See the port."""
        spent: Counter[UUID] = Counter()
        for payment in self._completed(since):
            if payment.direction is Direction.DEBIT and payment.user_bank_account_id in account_ids:
                spent[payment.user_bank_account_id] += payment.amount.minor
        return dict(spent)

    def look_alikes(self, payments: Sequence[Payment], *, since: datetime) -> Sequence[Payment]:
        """See the port."""
        wanted = {payment.likeness for payment in payments}
        found = [payment for payment in self._completed(since) if payment.likeness in wanted]
        return sorted(found, key=attrgetter("posted_at", "id"), reverse=True)

    def count(self, user_id: UUID | None) -> Mapping[PaymentStatus, int]:
        """See the port."""
        return Counter(each.status for each in self._state.payments.values() if user_id in (None, each.user_id))

    def add_return(self, returned: Return) -> None:
        """See the port."""
        self._state.returns[returned.payment_id, returned.number] = returned

    def returns_of(self, payment_id: UUID) -> Sequence[Return]:
        """See the port."""
        found = (each for each in self._state.returns.values() if each.payment_id == payment_id)
        return sorted(found, key=attrgetter("number"))

    def _completed(self, since: datetime) -> list[Payment]:
        return [
            each for each in self._state.payments.values() if each.posted_at is not None and each.posted_at >= since
        ]


def _fits(payment: Payment, wanted: PaymentFilter) -> bool:
    at, units = payment.posted_at or payment.inserted_at, payment.amount.decimal
    return (
        wanted.user_id in (None, payment.user_id)
        and wanted.status in (None, payment.status)
        and wanted.direction in (None, payment.direction)
        and wanted.payment_type in (None, payment.payment_type)
        and (wanted.date_from is None or wanted.date_from <= at)
        and (wanted.date_to is None or at <= wanted.date_to)
        and (wanted.amount_min is None or wanted.amount_min <= units)
        and (wanted.amount_max is None or units <= wanted.amount_max)
    )
