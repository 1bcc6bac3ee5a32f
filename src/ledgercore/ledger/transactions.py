"""Transactions: lines that balance in every currency, posted whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs
from attrs import field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    EMPTY_TRANSACTION,
    INVALID_AMOUNT_FORMAT,
    INVALID_ARGUMENT,
    INVALID_IDEMPOTENCY_KEY,
    SAME_ACCOUNT_BOTH_SIDES,
    TOO_MANY_LINES,
    UNBALANCED_TRANSACTION,
)
from ledgercore.ledger.accounts import BALANCE_MINOR_MAX, Side
from ledgercore.ledger.paths import check_path, is_path
from ledgercore.ledger.texts import (
    DESCRIPTION_LENGTH_MAX,
    KEY_LENGTH_MAX,
    check_description,
    check_key,
    check_metadata,
    check_moment,
    check_reference,
    fault_in,
)
from ledgercore.money import Currency, Money

LINES_MAX: Final = 5_000


@frozen
class Entry:
    """One side of a line: so much, on this side of this account."""

    account: str
    side: Side
    amount: Money


@frozen
class Line:
    """A positive amount that debits an account, credits an account, or moves between two.

    A line with both accounts balances by itself and is stored as one row. Raises
    `invalid_amount_format` unless the amount is above zero and at most 38 digits,
    `invalid_account_path`, `same_account_both_sides`, or `empty_transaction` without any account.
    """

    amount: Money
    debit: str | None = None
    credit: str | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 < self.amount.minor <= BALANCE_MINOR_MAX:
            raise ValidationError(
                INVALID_AMOUNT_FORMAT, field="amount", value=str(self.amount)[:60],
                why="an amount is above zero and has at most 38 digits; the side gives the direction",
            )  # fmt: skip
        if self.debit is not None:
            check_path(self.debit, field="debit")
            if self.debit == self.credit:
                raise ValidationError(SAME_ACCOUNT_BOTH_SIDES, field="credit", account=self.debit)
        if self.credit is not None:
            check_path(self.credit, field="credit")
        elif self.debit is None:
            raise ValidationError(EMPTY_TRANSACTION, field="lines", why="a line names an account to debit or to credit")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The line as one or two entries."""
        both = ((self.debit, Side.DEBIT), (self.credit, Side.CREDIT))
        return tuple(Entry(account, side, self.amount) for account, side in both if account is not None)


@frozen
class Precondition:
    """What an account must look like just before the transaction: its balance, its version, or both.

    `balance` is the posted balance in minor units in the direction of the normal side; `version`
    counts the account's entries.
    """

    account: str
    balance: int | None = None
    version: int | None = None

    def __attrs_post_init__(self) -> None:
        check_path(self.account, field="preconditions.account")
        for name, value in (("balance", self.balance), ("version", self.version)):
            if value is not None and (type(value) is not int or abs(value) > BALANCE_MINOR_MAX):
                raise ValidationError(
                    INVALID_ARGUMENT, field=f"preconditions.{name}", value=shortened(value), why="a whole number"
                )


def as_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Any lines as the tuple that commands keep."""
    return tuple(lines)


def _as_preconditions(preconditions: Iterable[Precondition]) -> tuple[Precondition, ...]:
    return tuple(preconditions)


@frozen(kw_only=True)
class Transaction:
    """A command to post lines as one.

    `id` or `key` makes the command idempotent for ever: give one of them and repeat it freely. A
    time-ordered UUID as `id` is the cheapest, since it is stored anyway. `effective_at` is when the
    transaction counts (default: when it is recorded). Raises `unbalanced_transaction`,
    `empty_transaction`, `too_many_lines`, `same_account_both_sides` and the checks of its texts.
    """

    lines: tuple[Line, ...] = field(converter=as_lines)
    id: UUID | None = None
    key: str | None = field(default=None, converter=check_key)
    effective_at: datetime | None = None
    description: str | None = field(default=None, converter=check_description)
    reference: str | None = field(default=None, converter=check_reference)
    metadata: Mapping[str, Any] | None = field(default=None, converter=check_metadata)
    preconditions: tuple[Precondition, ...] = field(default=(), converter=_as_preconditions)

    def __attrs_post_init__(self) -> None:
        lines = self.lines
        if len(lines) != 1 or lines[0].debit is None or lines[0].credit is None:
            check_lines(lines)
        check_identity(self.id, self.key)
        if self.effective_at is not None:
            moment = check_moment(self.effective_at, field="effective_at")
            if moment is not self.effective_at:
                object.__setattr__(self, "effective_at", moment)


def transfer(
    *,
    debit: str,
    credit: str,
    amount: Money,
    id: UUID | None = None,
    key: str | None = None,
    effective_at: datetime | None = None,
    description: str | None = None,
    reference: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    preconditions: Iterable[Precondition] = (),
) -> Transaction:
    """Move one amount: debit one account and credit another."""
    return Transaction(
        lines=(Line(amount, debit, credit),),
        id=id,
        key=key,
        effective_at=effective_at,
        description=description,
        reference=reference,
        metadata=metadata,
        preconditions=preconditions,
    )


def _setter(of: type, name: str) -> Callable[[Any, Any], None]:
    """What sets a field of a frozen class whose fields are slots."""
    found: Callable[[Any, Any], None] = vars(of)[name].__set__
    return found


_new: Final = object.__new__
_money_minor, _money_currency = (_setter(Money, name) for name in ("minor", "currency"))
_line_amount, _line_debit, _line_credit = (_setter(Line, name) for name in ("amount", "debit", "credit"))
(
    _transaction_lines, _transaction_id, _transaction_key, _transaction_effective_at, _transaction_description,
    _transaction_reference, _transaction_metadata, _transaction_preconditions,
) = (_setter(Transaction, attribute.name) for attribute in attrs.fields(Transaction))  # fmt: skip


def plain_transfer(
    *,
    debit: str,
    credit: str,
    minor: int,
    currency: Currency,
    effective_at: datetime | None,
    id: UUID | None,
    key: str | None,
    description: str | None,
) -> Transaction:
    """`transfer` for readers of long files and batches: the same checks and the same result in a third of the time.

    `effective_at`, if there is one, comes from `parse_moment`. What is in any way unusual takes the long way, which
    also finds the words for what is wrong with it.
    """
    if (
        not 0 < minor <= BALANCE_MINOR_MAX
        or debit == credit
        or not (is_path(debit) and is_path(credit))
        or (key is not None and (id is not None or not key or fault_in(key, KEY_LENGTH_MAX)))
        or (description is not None and (not description or fault_in(description, DESCRIPTION_LENGTH_MAX)))
    ):
        amount = Money(minor, currency)
        return transfer(
            debit=debit, credit=credit, amount=amount, id=id, key=key, effective_at=effective_at,
            description=description,
        )  # fmt: skip
    # What the generated constructors do, without their calls to converters that have nothing to convert.
    amount = _new(Money)
    _money_minor(amount, minor)
    _money_currency(amount, currency)
    line = _new(Line)
    _line_amount(line, amount)
    _line_debit(line, debit)
    _line_credit(line, credit)
    made = _new(Transaction)
    _transaction_lines(made, (line,))
    _transaction_id(made, id)
    _transaction_key(made, key)
    _transaction_effective_at(made, effective_at)
    _transaction_description(made, description)
    _transaction_reference(made, None)
    _transaction_metadata(made, None)
    _transaction_preconditions(made, ())
    return made


def debit(account: str, amount: Money) -> Line:
    """A line that only debits; others of the transaction credit as much."""
    return Line(amount, debit=account)


def credit(account: str, amount: Money) -> Line:
    """A line that only credits; others of the transaction debit as much."""
    return Line(amount, credit=account)


def check_lines(lines: tuple[Line, ...]) -> None:
    """Refuse lines that are none, too many, unbalanced in a currency, or on both sides of an account."""
    if not lines:
        raise ValidationError(EMPTY_TRANSACTION, field="lines", why="there is no line")
    if len(lines) > LINES_MAX:
        raise ValidationError(TOO_MANY_LINES, field="lines", lines=len(lines), lines_max=LINES_MAX)
    difference: dict[Currency, int] = {}
    for line in lines:
        if line.debit is None or line.credit is None:
            signed = line.amount.minor if line.credit is None else -line.amount.minor
            difference[line.amount.currency] = difference.get(line.amount.currency, 0) + signed
    for currency, minor in difference.items():
        if minor:
            more, less = ("debits", "credits") if minor > 0 else ("credits", "debits")
            raise ValidationError(
                UNBALANCED_TRANSACTION, field="lines", currency=currency.code,
                difference=str(Money(abs(minor), currency)), why=f"{more} exceed {less}",
            )  # fmt: skip
    both = {line.debit for line in lines if line.debit} & {line.credit for line in lines if line.credit}
    if both:
        raise ValidationError(SAME_ACCOUNT_BOTH_SIDES, field="lines", account=min(both))


def check_identity(id: UUID | None, key: str | None) -> None:
    """One name for one intent: an `id` or a `key`, not both."""
    if id is not None:
        if not isinstance(id, UUID):
            raise ValidationError(INVALID_IDEMPOTENCY_KEY, field="id", value=str(id)[:60], why="not a UUID")
        if key is not None:
            raise ValidationError(
                INVALID_IDEMPOTENCY_KEY,
                field="key",
                value=key,
                why="give an id or a key, not both: each names the intent",
            )


def reversed_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """The same amounts on the other sides."""
    return (Line(line.amount, debit=line.credit, credit=line.debit) for line in lines)


@frozen(kw_only=True)
class PostedLine:
    """A line as it stands in the journal, with each account's posted balance just after it."""

    line: Line
    debit_balance: Money | None
    credit_balance: Money | None


@frozen(kw_only=True)
class PostedTransaction:
    """A transaction as it stands in the journal; never edited afterwards.

    `number` is its place in the ledger's log. `reverses` and `captures` name the transaction or the
    hold it came from.
    """

    id: UUID
    number: int
    kind: str
    lines: tuple[PostedLine, ...]
    effective_at: datetime
    recorded_at: datetime
    key: str | None = None
    description: str | None = None
    reference: str | None = None
    metadata: Mapping[str, Any] | None = None
    reverses: UUID | None = None
    captures: UUID | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry, in the order of the lines."""
        return tuple(entry for posted in self.lines for entry in posted.line.entries)
