"""Statements as banks send them, whatever the format: entries, balances, and whether they close."""

from datetime import date
from enum import StrEnum

from attrs import frozen

from ledgercore.money import Money


class Direction(StrEnum):
    """Which way an entry moves the account, as its holder sees it: credits raise it, debits lower it."""

    CREDIT = "CREDIT"
    DEBIT = "DEBIT"

    @property
    def sign(self) -> int:
        """1 for what raises the account, -1 for what lowers it."""
        return 1 if self is Direction.CREDIT else -1


class BalanceKind(StrEnum):
    """What a balance is of, by the codes of ISO 20022 that other formats are mapped to."""

    OPENING = "OPBD"
    PREVIOUS = "PRCD"
    INTERIM = "ITBD"
    CLOSING = "CLBD"
    OPENING_AVAILABLE = "OPAV"
    AVAILABLE = "CLAV"
    INTERIM_AVAILABLE = "ITAV"
    FORWARD_AVAILABLE = "FWAV"
    EXPECTED = "XPCD"
    INFORMATION = "INFO"


@frozen(kw_only=True)
class Balance:
    """A balance on a day; `minor` is negative when the holder owes the bank. `on` is `None` where the file has none."""

    kind: BalanceKind
    amount: Money
    on: date | None


@frozen(kw_only=True)
class EntryDetail:
    """One transaction of an entry that was booked as a batch, or the only one of a plain entry."""

    direction: Direction
    amount: Money | None = None
    end_to_end_id: str | None = None
    bank_id: str | None = None
    counterparty: str | None = None
    counterparty_account: str | None = None
    structured_reference: str | None = None
    text: str = ""


@frozen(kw_only=True)
class StatementEntry:
    """One line of a statement. `amount` is never negative; `direction` already has a reversal turned round.

    `position` says where in the file it stands: a line, or an element counted from 1. `bank_id` is the bank's own
    name of it, unique where the format promises so. `warnings` tell what was read in spite of a fault.
    """

    direction: Direction
    amount: Money
    booked_on: date | None
    value_on: date | None
    position: str
    is_pending: bool = False
    is_reversal: bool = False
    bank_id: str | None = None
    reference: str | None = None
    code: str | None = None
    text: str = ""
    counterparty: str | None = None
    counterparty_account: str | None = None
    details: tuple[EntryDetail, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def signed_minor(self) -> int:
        """Minor units, negative for a debit."""
        return self.direction.sign * self.amount.minor


@frozen(kw_only=True)
class Statement:
    """One statement of one account. `account` is the IBAN or whatever the file calls the account by.

    `format` names what it was read from, such as `mt940` or `camt.053.001.08`.
    """

    format: str
    account: str | None
    currency: str | None
    reference: str | None = None
    number: str | None = None
    opening: Balance | None = None
    closing: Balance | None = None
    balances: tuple[Balance, ...] = ()
    entries: tuple[StatementEntry, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def booked(self) -> tuple[StatementEntry, ...]:
        """The entries that count; pending ones do not."""
        return tuple(entry for entry in self.entries if not entry.is_pending)

    @property
    def difference(self) -> Money | None:
        """Opening + booked entries - closing: zero for a statement that closes.

        `None` where it cannot be told: a balance is missing, or amounts are in several currencies.
        """
        if self.opening is None or self.closing is None:
            return None
        currencies = {self.opening.amount.currency, self.closing.amount.currency}
        currencies |= {entry.amount.currency for entry in self.booked}
        if len(currencies) > 1:
            return None
        moved = sum(entry.signed_minor for entry in self.booked)
        return Money(self.opening.amount.minor + moved - self.closing.amount.minor, self.opening.amount.currency)
