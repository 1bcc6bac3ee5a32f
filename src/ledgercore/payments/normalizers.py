"""What callers send of payments, brought into one form and read; see `ledgercore.identity.normalizers`."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    INVALID_AMOUNT_FORMAT,
    INVALID_DESCRIPTION_FORMAT,
    INVALID_DIRECTION,
    INVALID_PAYMENT_TYPE,
    INVALID_STATUS,
    MISSING_FIELDS,
)
from ledgercore.errors.reason import Reason
from ledgercore.ledger.documents import id_from
from ledgercore.ledger.texts import parse_moment
from ledgercore.money import Currency, Money, parse_amount
from ledgercore.payments.payments import DESCRIPTION_LENGTH_MAX, PaymentFilter, PaymentStatus, PaymentType
from ledgercore.statements.statements import Direction

REQUIRED: Final = ("amount", "direction", "payment_type", "description", "user_bank_account_id")
AMOUNT: Final = re.compile(r"-?[0-9]{1,38}(?:\.[0-9]{1,18})?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_Choice = TypeVar("_Choice", bound=StrEnum)


@frozen(kw_only=True)
class NewPayment:
    """What somebody asks to be paid, checked as far as it can be before its account is known.

    `amount` is text in the form of an amount, maybe below zero, or whole units.
    """

    amount: str | int
    direction: Direction
    payment_type: PaymentType
    description: str
    user_bank_account_id: UUID


def payment_attrs(attrs: object) -> dict[str, Any]:
    """What is sent of a new payment: blanks around texts do not count, nor does the case of choices."""
    if not isinstance(attrs, Mapping):
        return {}
    kept = {name: attrs[name] for name in REQUIRED if name in attrs}
    return {name: _TRANSFORMS[name](value) if name in _TRANSFORMS else value for name, value in kept.items()}


def new_payment(attrs: object) -> NewPayment:
    """Read what somebody asks to be paid.

    Raises `missing_fields`, `invalid_amount_format`, `invalid_direction`, `invalid_payment_type`,
    `invalid_description_format` and `invalid_uuid_format`.
    """
    normal = payment_attrs(attrs)
    missing = [name for name in REQUIRED if normal.get(name) in (None, "")]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)
    account_id = id_from(normal["user_bank_account_id"], field="user_bank_account_id")
    assert account_id is not None
    return NewPayment(
        amount=check_amount_form(normal["amount"]),
        direction=check_direction(normal["direction"]),
        payment_type=check_payment_type(normal["payment_type"]),
        description=check_description(normal["description"]),
        user_bank_account_id=account_id,
    )


def payment_filter(attrs: Mapping[str, Any], *, user_id: UUID | None) -> PaymentFilter:
    """Which payments a query wants; what is blank does not count.

    Raises `invalid_status`, `invalid_direction`, `invalid_payment_type`, `invalid_datetime_format` and
    `invalid_amount_format`.
    """
    kept = {name: attrs[name] for name in FILTERS if _trimmed(attrs.get(name)) not in (None, "")}
    return PaymentFilter(user_id=user_id, **{name: FILTERS[name](value, name) for name, value in kept.items()})


def check_amount_form(value: object, *, field: str = "amount") -> str | int:
    """Plain decimal text, maybe with a minus, or a whole number; floats are refused. `invalid_amount_format`."""
    if (isinstance(value, str) and AMOUNT.fullmatch(value)) or (type(value) is int and AMOUNT.fullmatch(str(value))):
        return value
    raise ValidationError(
        INVALID_AMOUNT_FORMAT, field=field, value=shortened(value), why="plain decimal text is expected"
    )


def read_amount(amount: str | int, currency: Currency) -> Money:
    """An amount in a currency, maybe below zero; `invalid_amount_format` for more decimals than the currency has."""
    text = str(amount)
    minor = parse_amount(text.removeprefix("-"), currency)
    return Money(-minor if text.startswith("-") else minor, currency)


def check_direction(value: object) -> Direction:
    """CREDIT or DEBIT, in any case; `invalid_direction`."""
    return _choice(Direction, value, "direction", INVALID_DIRECTION)


def check_payment_type(value: object) -> PaymentType:
    """TRANSFER, PAYMENT, DEPOSIT or WITHDRAWAL, in any case; `invalid_payment_type`."""
    return _choice(PaymentType, value, "payment_type", INVALID_PAYMENT_TYPE)


def check_status(value: object) -> PaymentStatus:
    """A status of a payment, in any case; `invalid_status`."""
    return _choice(PaymentStatus, value, "status", INVALID_STATUS)


def check_description(value: object) -> str:
    """1 to 255 printable characters; `invalid_description_format`."""
    if not isinstance(value, str) or len(value) > DESCRIPTION_LENGTH_MAX or _CONTROL.search(value):
        raise ValidationError(
            INVALID_DESCRIPTION_FORMAT,
            field="description",
            value=shortened(value),
            length_max=DESCRIPTION_LENGTH_MAX,
        )
    return value


def _read_moment(value: object, name: str) -> datetime:
    # A plus sign that arrived as a blank is understood.
    return parse_moment(str(value).replace(" ", "+"), field=name)


def _read_bound(value: object, name: str) -> Decimal:
    return Decimal(check_amount_form(value, field=name))


def _choice(choices: type[_Choice], value: object, field: str, reason: Reason) -> _Choice:
    try:
        return choices(str(_upper(value)))
    except ValueError as error:
        raise ValidationError(reason, field=field, value=shortened(value), allowed=list(choices)) from error


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


_TRANSFORMS: Final = {"direction": _upper, "payment_type": _upper, "description": _trimmed}
FILTERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "status": lambda value, _: check_status(value),
    "direction": lambda value, _: check_direction(value),
    "payment_type": lambda value, _: check_payment_type(value),
    "date_from": _read_moment,
    "date_to": _read_moment,
    "amount_min": _read_bound,
    "amount_max": _read_bound,
}
"""What payments are filtered by, and how each is read."""
