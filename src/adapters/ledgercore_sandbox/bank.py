"""The sandbox bank as a whole: its books, grants, consents and faults, under one clock and one lock."""

from datetime import datetime, timedelta
from random import Random
from threading import RLock
from typing import Any, Final

from attrs import define, field

from ledgercore.clock import Clock
from ledgercore_sandbox.books import Books, Brand
from ledgercore_sandbox.consents import Consents
from ledgercore_sandbox.faults import Faults
from ledgercore_sandbox.generating import Names, fill
from ledgercore_sandbox.grants import Grants
from ledgercore_sandbox.webhooks import Webhooks

LIFETIMES: Final = {Brand.MONZO: timedelta(hours=6), Brand.BERLIN_GROUP: timedelta(hours=1)}


@define
class MovableClock:
    """Tells another clock's time, moved forward by as much as was asked for."""

    base: Clock
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        """The bank's time."""
        return self.base() + self.ahead

    def advance(self, seconds: int) -> None:
        """Let so many seconds pass at once."""
        self.ahead += timedelta(seconds=seconds)


@define(kw_only=True)
class SandboxBank:
    """Everything there is, in memory. Whoever reads or changes it holds `lock`."""

    clock: MovableClock
    names: Names
    books: Books
    grants: dict[Brand, Grants]
    consents: Consents
    webhooks: Webhooks
    faults: Faults = field(factory=Faults)
    lock: Any = field(factory=RLock)


def make_bank(*, clock: Clock, seed: int, customers: int, accounts: int, transactions: int) -> SandboxBank:
    """A bank whose names, amounts and tokens all follow from the seed, and its times from the clock."""
    movable, names = MovableClock(clock), Names(Random(seed))
    books = Books(movable)
    fill(books, names, customers=customers, accounts=accounts, transactions=transactions)
    return SandboxBank(
        clock=movable,
        names=names,
        books=books,
        grants={
            brand: Grants(clock=movable, names=names, lifetime=lifetime, one_at_a_time=brand is Brand.MONZO)
            for brand, lifetime in LIFETIMES.items()
        },
        consents=Consents(clock=movable, names=names),
        webhooks=Webhooks(names),
    )
