"""What payments need from a store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledgercore.banking.ports import Work as BankingWork
from ledgercore.payments.payments import Payment, PaymentFilter, PaymentStatus, Return


class Payments(Protocol):
    """Payments and what came back of them. None is ever removed."""

    def add(self, payment: Payment) -> None:
        """Store a new payment."""
        ...

    def find(self, id: UUID) -> Payment | None:
        """A payment; not locked."""
        ...

    def lock(self, ids: Sequence[UUID]) -> Sequence[Payment]:
        """Those of the payments that are there, by id, each locked until the end of the unit of work.

        They are locked in that order, and read as whoever held one before has left it.
        """
        ...

    def save_all(self, payments: Sequence[Payment]) -> None:
        """Replace payments that this unit of work has locked."""
        ...

    def page(self, wanted: PaymentFilter, *, offset: int, limit: int) -> tuple[Sequence[Payment], int]:
        """Payments that fit from an offset, newest first by inserted_at and id, and how many fit in all."""
        ...

    def list_processing(self, *, after: UUID | None, limit: int) -> Sequence[Payment]:
        """At most `limit` payments that are being processed, by id, after one of them; not locked."""
        ...

    def spent(self, account_ids: Sequence[UUID], *, since: datetime) -> Mapping[UUID, int]:
        """Minor units of the debits that were completed from an account since a time; none for one without."""
        ...

    def look_alikes(self, payments: Sequence[Payment], *, since: datetime) -> Sequence[Payment]:
        """Payments completed since a time that look like one of these, newest first.

        From then until the unit of work ends nobody else who asked for the same completes one, so that what is not
        here will not be there either.
        """
        ...

    def count(self, user_id: UUID | None) -> Mapping[PaymentStatus, int]:
        """How many payments of a user, or of all, have each status; those that none has may be left out."""
        ...

    def add_return(self, returned: Return) -> None:
        """Store what came back of a payment that this unit of work has locked."""
        ...

    def returns_of(self, payment_id: UUID) -> Sequence[Return]:
        """What came back of a payment, by number."""
        ...


class Work(BankingWork, Protocol):
    """A unit of work with everything."""

    @property
    def payments(self) -> Payments: ...


class Store(Protocol):
    """Where everything is kept."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
