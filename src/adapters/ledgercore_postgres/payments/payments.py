"""Payments in PostgreSQL: a batch of any size takes one statement of each kind."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Numeric, cast, func, insert, literal_column, select

from ledgercore.ledger.texts import encode_json
from ledgercore.money import Money, known_currency
from ledgercore.payments.payments import (
    Likeness,
    Payment,
    PaymentFilter,
    PaymentStatus,
    PaymentType,
    Return,
)
from ledgercore.statements.statements import Direction
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.parameters import Amounts, Integers, Moments, Texts, Uuids
from ledgercore_postgres.payments.tables import PAYMENTS, RETURNS

_LOOK_ALIKES_LOCK: Final = 0x1ED6E5
"""The class of the locks that keep two look-alikes from being completed side by side."""
_FIELDS: Final = ", ".join(column.name for column in PAYMENTS.columns)
_LOCK: Final = f"SELECT {_FIELDS} FROM payments WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"
_SAVE: Final = (
    "UPDATE payments SET status = new.status, failure = new.failure, posted_at = new.posted_at,"
    " transaction_id = new.transaction_id, external_transaction_id = new.external_transaction_id,"
    " updated_at = new.updated_at"
    " FROM unnest(%b, %b, %s::text[], %b, %b, %s::text[], %b)"
    " AS new (id, status, failure, posted_at, transaction_id, external_transaction_id, updated_at)"
    " WHERE payments.id = new.id"
)
_SPENT: Final = (
    "SELECT user_bank_account_id, sum(minor) FROM payments"
    " WHERE user_bank_account_id = ANY(%b) AND posted_at >= %s AND status = 'COMPLETED' AND direction = 'DEBIT'"
    " GROUP BY user_bank_account_id"
)
# The keys come sorted, so that nobody waits for these locks in a circle.
_LOCK_LOOK_ALIKES: Final = "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%b) AS key"
_LOOK_ALIKES: Final = (
    f"SELECT {', '.join(f'payment.{column.name}' for column in PAYMENTS.columns)}"
    " FROM unnest(%b, %b, %b, %b, %b) AS wanted (user_id, direction, minor, currency, description)"
    " JOIN LATERAL (SELECT * FROM payments"
    " WHERE user_id = wanted.user_id AND minor = wanted.minor AND posted_at >= %s AND status = 'COMPLETED'"
    " AND direction = wanted.direction AND currency = wanted.currency AND description = wanted.description)"
    " AS payment ON true ORDER BY payment.posted_at DESC, payment.id DESC"
)
# By value, since calling an enumeration takes longer than the rest of a row.
_DIRECTIONS: Final = {direction.value: direction for direction in Direction}
_TYPES: Final = {kind.value: kind for kind in PaymentType}
_STATUSES: Final = {status.value: status for status in PaymentStatus}


class PostgresPayments:
    """See the port `Payments`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, payment: Payment) -> None:
        """See the port."""
        self._connection.execute(insert(PAYMENTS).values(_values(payment)))

    def find(self, id: UUID) -> Payment | None:
        """See the port."""
        found = self._connection.execute(select(PAYMENTS).where(PAYMENTS.c.id == id)).first()
        return None if found is None else _payment(found)

    def lock(self, ids: Sequence[UUID]) -> Sequence[Payment]:
        """See the port."""
        found = driver_cursor(self._connection).execute(_LOCK, (Uuids(id.bytes for id in sorted(set(ids))),))
        return [_payment(row) for row in found.fetchall()]

    def save_all(self, payments: Sequence[Payment]) -> None:
        """See the port."""
        saved = driver_cursor(self._connection).execute(
            _SAVE,
            (
                Uuids(each.id.bytes for each in payments),
                Texts(each.status.value for each in payments),
                [each.failure for each in payments],
                Moments(each.posted_at for each in payments),
                Uuids(None if each.transaction_id is None else each.transaction_id.bytes for each in payments),
                [each.external_transaction_id for each in payments],
                Moments(each.updated_at for each in payments),
            ),
        )
        assert saved.rowcount == len(payments), "a payment is locked before it is saved"

    def page(self, wanted: PaymentFilter, *, offset: int, limit: int) -> tuple[Sequence[Payment], int]:
        """See the port."""
        fitting = _fits(wanted)
        found = self._connection.execute(
            select(PAYMENTS)
            .where(*fitting)
            .order_by(PAYMENTS.c.inserted_at.desc(), PAYMENTS.c.id.desc())
            .offset(offset)
            .limit(limit)
        ).all()
        total = self._connection.execute(select(func.count()).select_from(PAYMENTS).where(*fitting)).scalar_one()
        return [_payment(row) for row in found], total

    def list_processing(self, *, after: UUID | None, limit: int) -> Sequence[Payment]:
        """See the port."""
        found = select(PAYMENTS).where(PAYMENTS.c.status == literal_column("'PROCESSING'"))
        found = found if after is None else found.where(PAYMENTS.c.id > after)
        return [_payment(row) for row in self._connection.execute(found.order_by(PAYMENTS.c.id).limit(limit))]

    def spent(self, account_ids: Sequence[UUID], *, since: datetime) -> Mapping[UUID, int]:
        """See the port."""
        found = driver_cursor(self._connection).execute(_SPENT, (Uuids(id.bytes for id in account_ids), since))
        return {id: int(minor) for id, minor in found.fetchall()}

    def look_alikes(self, payments: Sequence[Payment], *, since: datetime) -> Sequence[Payment]:
        """See the port."""
        wanted = list(dict.fromkeys(payment.likeness for payment in payments))
        cursor = driver_cursor(self._connection)
        with cursor.connection.pipeline():
            # A statement of its own, so that the next one sees what those did for whom it has waited.
            cursor.execute(_LOCK_LOOK_ALIKES, (_LOOK_ALIKES_LOCK, Integers(sorted(set(map(_lock_key, wanted))))))
            found = driver_cursor(self._connection).execute(
                _LOOK_ALIKES,
                (
                    Uuids(user_id.bytes for user_id, _, _, _ in wanted),
                    Texts(direction.value for _, direction, _, _ in wanted),
                    Amounts(amount.minor for _, _, amount, _ in wanted),
                    Texts(amount.currency.code for _, _, amount, _ in wanted),
                    Texts(description for _, _, _, description in wanted),
                    since,
                ),
            )
        return [_payment(row) for row in found.fetchall()]

    def count(self, user_id: UUID | None) -> Mapping[PaymentStatus, int]:
        """See the port."""
        counted = select(PAYMENTS.c.status, func.count()).group_by(PAYMENTS.c.status)
        if user_id is not None:
            counted = counted.where(PAYMENTS.c.user_id == user_id)
        return {_STATUSES[status]: count for status, count in self._connection.execute(counted)}

    def add_return(self, returned: Return) -> None:
        """See the port."""
        self._connection.execute(
            insert(RETURNS).values(
                payment_id=returned.payment_id,
                number=returned.number,
                **_money(returned.amount),
                transaction_id=returned.transaction_id,
                returned_at=returned.returned_at,
            )
        )

    def returns_of(self, payment_id: UUID) -> Sequence[Return]:
        """See the port."""
        found = select(RETURNS).where(RETURNS.c.payment_id == payment_id).order_by(RETURNS.c.number)
        return [
            Return(
                payment_id=row.payment_id,
                number=row.number,
                amount=Money(int(row.minor), known_currency(row.currency, row.exponent)),
                transaction_id=row.transaction_id,
                returned_at=row.returned_at,
            )
            for row in self._connection.execute(found)
        ]


def _lock_key(likeness: Likeness) -> int:
    """Four bytes that look-alikes share; others that happen to share them only wait for one another."""
    user_id, direction, amount, description = likeness
    spelled = encode_json([str(user_id), direction.value, str(amount), description])
    return int.from_bytes(hashlib.sha256(spelled).digest()[:4], signed=True)


def _money(money: Money) -> dict[str, Any]:
    return {"minor": money.minor, "currency": money.currency.code, "exponent": money.currency.exponent}


def _values(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "user_id": payment.user_id,
        "user_bank_account_id": payment.user_bank_account_id,
        **_money(payment.amount),
        "direction": payment.direction,
        "payment_type": payment.payment_type,
        "description": payment.description,
        "status": payment.status,
        "failure": payment.failure,
        "posted_at": payment.posted_at,
        "transaction_id": payment.transaction_id,
        "external_transaction_id": payment.external_transaction_id,
        "inserted_at": payment.inserted_at,
        "updated_at": payment.updated_at,
    }


def _payment(row: Sequence[Any]) -> Payment:
    (
        id, user_id, account_id, minor, currency, exponent, direction, payment_type, description, status, failure,
        posted_at, transaction_id, external_transaction_id, inserted_at, updated_at,
    ) = row  # fmt: skip
    return Payment(
        id=id,
        user_id=user_id,
        user_bank_account_id=account_id,
        amount=Money(int(minor), known_currency(currency, exponent)),
        direction=_DIRECTIONS[direction],
        payment_type=_TYPES[payment_type],
        description=description,
        status=_STATUSES[status],
        failure=failure,
        posted_at=posted_at,
        transaction_id=transaction_id,
        external_transaction_id=external_transaction_id,
        inserted_at=inserted_at,
        updated_at=updated_at,
    )


def _fits(wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    table = PAYMENTS.c
    at = func.coalesce(table.posted_at, table.inserted_at)
    # An amount is compared in minor units, which are exact, of the currency that the payment has.
    unit = func.power(cast(Decimal(10), Numeric), table.exponent)
    clauses: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "user_id": lambda value: table.user_id == value,
        "status": lambda value: table.status == value,
        "direction": lambda value: table.direction == value,
        "payment_type": lambda value: table.payment_type == value,
        "date_from": lambda value: at >= value,
        "date_to": lambda value: at <= value,
        "amount_min": lambda value: table.minor >= cast(value, Numeric) * unit,
        "amount_max": lambda value: table.minor <= cast(value, Numeric) * unit,
    }
    given = {name: getattr(wanted, name) for name in clauses}
    return [clauses[name](value) for name, value in given.items() if value is not None]
