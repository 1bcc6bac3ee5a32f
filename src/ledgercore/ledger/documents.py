"""Transactions, holds and accounts as JSON documents: read strictly, written whole.

`transaction_from` reads

    {"id" or "key": …, "effective_at": …, "description": …, "reference": …, "metadata": {…},
     "lines": [{"debit": "assets:bank", "credit": "income:sales", "amount": "12.00", "currency": "EUR"}, …],
     "preconditions": [{"account": …, "balance_minor": "1200", "version": 3}, …]}

A line names an account to debit, an account to credit, or both. Amounts are decimal text or whole
numbers of units; JSON numbers with a point or an exponent are refused, since they pass through
floats. A field that is `null` counts as absent.

What is written has each amount twice: as decimal text, and as minor units in text, since they may
have 38 digits.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from math import isinf
from typing import Any, Final, NoReturn
from uuid import UUID

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    INVALID_ARGUMENT,
    INVALID_ENCODING,
    INVALID_JSON,
    INVALID_UUID_FORMAT,
    MISSING_FIELDS,
    UNKNOWN_FIELDS,
)
from ledgercore.ledger.accounts import Account, Limits
from ledgercore.ledger.holds import Hold, PlaceHold
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.ledger.texts import parse_moment
from ledgercore.ledger.transactions import Line, PostedTransaction, Precondition, Transaction, plain_transfer
from ledgercore.money import Currencies, Currency, Money, format_amount, parse_positive_amount

TRANSACTION_FIELDS: Final = frozenset(
    {"id", "key", "effective_at", "description", "reference", "metadata", "lines", "preconditions"}
)
HOLD_FIELDS: Final = frozenset(
    {"id", "key", "expires_at", "tolerance_bps", "group", "description", "metadata", "lines"}
)
LINE_FIELDS: Final = frozenset({"debit", "credit", "amount", "currency"})
PLAIN_FIELDS: Final = frozenset({"id", "key", "effective_at", "description", "lines"})
PRECONDITION_FIELDS: Final = frozenset({"account", "balance_minor", "version"})
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]{1,38}", re.ASCII)


def parse_json(text: str | bytes, *, field: str = "document") -> Any:
    """Read one JSON value as RFC 8259 has it.

    Raises `ValidationError`: `invalid_json` with the place for NaN, numbers that would become infinite, repeated
    names and text after the end, `invalid_encoding` for bytes that are not UTF-8.
    """
    try:
        return json.loads(
            text.decode() if isinstance(text, bytes) else text,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise ValidationError(
            INVALID_JSON, field=field, line=error.lineno, column=error.colno, why=error.msg
        ) from error
    except UnicodeDecodeError as error:
        raise ValidationError(INVALID_ENCODING, field=field, byte=error.start, why=error.reason) from error
    except (_Fault, RecursionError, ValueError) as error:
        why = str(error) if isinstance(error, _Fault) else "too deep, or a number of too many digits"
        raise ValidationError(INVALID_JSON, field=field, why=why) from error


def transaction_from(document: Mapping[str, Any], currencies: Currencies) -> Transaction:
    """The transaction that a document describes.

    Every `ValidationError` names the field by its path, such as `lines[1].amount`: `missing_fields`,
    `unknown_fields`, and the reasons of the values themselves.
    """
    plain = _plain_transfer_from(document, currencies)
    if plain is not None:
        return plain
    check_object(document, TRANSACTION_FIELDS, required=("lines",))
    get = document.get
    effective_at = get("effective_at")
    return Transaction(
        lines=lines_from(document["lines"], currencies),
        id=id_from(get("id")),
        key=get("key"),
        effective_at=None if effective_at is None else parse_moment(effective_at, field="effective_at"),
        description=get("description"),
        reference=get("reference"),
        metadata=object_from(get("metadata"), field="metadata"),
        preconditions=_preconditions_from(get("preconditions")),
    )


def hold_from(document: Mapping[str, Any], currencies: Currencies) -> PlaceHold:
    """The hold that a document asks to place; raises as `transaction_from` does."""
    check_object(document, HOLD_FIELDS, required=("lines",))
    get = document.get
    return PlaceHold(
        lines=lines_from(document["lines"], currencies),
        id=id_from(get("id")),
        key=get("key"),
        expires_at=moment_from(get("expires_at"), field="expires_at"),
        tolerance_bps=document["tolerance_bps"] if get("tolerance_bps") is not None else 0,
        group=get("group"),
        description=get("description"),
        metadata=object_from(get("metadata"), field="metadata"),
    )


def lines_from(value: object, currencies: Currencies, *, field: str = "lines") -> tuple[Line, ...]:
    """The lines of a document, each fault named by its place."""
    return tuple(
        _line_from(line, currencies, field=f"{field}[{index}]") for index, line in enumerate(_array(value, field=field))
    )


def id_from(value: object, *, field: str = "id") -> UUID | None:
    """A UUID written in its usual form; raises `invalid_uuid_format`."""
    if value is None:
        return None
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValidationError(INVALID_UUID_FORMAT, field=field, value=shortened(value))
    return UUID(value)


def moment_from(value: Any, *, field: str) -> datetime | None:
    """An ISO 8601 time with offset; raises `invalid_datetime_format` or `datetime_out_of_range`."""
    return None if value is None else parse_moment(value, field=field)


def whole_from(value: object, *, field: str) -> int | None:
    """A whole number, or its at most 38 digits as text; raises `invalid_argument`."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise refused(value, field, "a whole number, or its digits as text")


def object_from(value: object, *, field: str) -> Mapping[str, Any] | None:
    """A JSON object; raises `invalid_argument`."""
    if value is None or isinstance(value, Mapping):
        return value
    raise refused(value, field, "a JSON object")


def refused(value: object, field: str, wanted: str) -> ValidationError:
    """The error for a value that is not of the wanted kind, such as `a JSON array`."""
    return ValidationError(INVALID_ARGUMENT, field=field, value=shortened(value), why=f"{wanted} is expected")


def check_object(value: object, allowed: frozenset[str], *, required: Iterable[str] = (), field: str = "") -> None:
    """Refuse what is not an object, has fields beyond those allowed, or lacks one that is required."""
    if not isinstance(value, Mapping):
        raise refused(value, field or "document", "a JSON object")
    prefix = f"{field}." if field else ""
    if not value.keys() <= allowed:
        unknown = sorted(shortened(name) for name in value.keys() - allowed)
        raise ValidationError(
            UNKNOWN_FIELDS, field=f"{prefix}{unknown[0]}", fields=[f"{prefix}{name}" for name in unknown[:10]],
            allowed=sorted(allowed),
        )  # fmt: skip
    missing = [f"{prefix}{name}" for name in required if value.get(name) is None]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)


@contextmanager
def within(prefix: str) -> Iterator[None]:
    """Put a place before the field that a fault names: `amount` becomes `lines[1].amount`."""
    try:
        yield
    except ValidationError as error:
        details = dict(error.details)
        details["field"] = f"{prefix}.{details['field']}" if details.get("field") else prefix
        fields = details.get("fields")
        if isinstance(fields, list):
            details["fields"] = [f"{prefix}.{field}" for field in fields]
        raise ValidationError(error.reason, **details) from error


def transaction_document(posted: PostedTransaction) -> dict[str, Any]:
    """A posted transaction, with each account's posted balance just after each line."""
    return present(
        id=str(posted.id),
        number=posted.number,
        kind=KIND_NAMES[posted.kind],
        key=posted.key,
        effective_at=posted.effective_at.isoformat(),
        recorded_at=posted.recorded_at.isoformat(),
        description=posted.description,
        reference=posted.reference,
        metadata=posted.metadata,
        reverses=posted.reverses and str(posted.reverses),
        captures=posted.captures and str(posted.captures),
        lines=[
            present(
                **line_document(each.line),
                debit_balance=each.debit_balance and amount_text(each.debit_balance),
                credit_balance=each.credit_balance and amount_text(each.credit_balance),
            )
            for each in posted.lines
        ],
    )


def hold_document(hold: Hold) -> dict[str, Any]:
    """A hold with what was reserved, captured and remains of each line."""
    return present(
        id=str(hold.id),
        status=hold.status.value,
        placed_at=hold.placed_at.isoformat(),
        expires_at=hold.expires_at and hold.expires_at.isoformat(),
        tolerance_bps=hold.tolerance_bps,
        group=hold.group,
        description=hold.description,
        metadata=hold.metadata,
        replaces=hold.replaces and str(hold.replaces),
        lines=[
            {
                **line_document(held.line),
                "captured": format_amount(held.captured, held.line.amount.currency),
                "remaining": format_amount(held.remaining, held.line.amount.currency),
            }
            for held in hold.lines
        ],
    )


def account_document(account: Account) -> dict[str, Any]:
    """An account with its balances now; they and the limits count in the direction of its normal side."""
    balance = account.balance
    return present(
        account=account.path,
        type=account.type.value,
        normal_side=balance.normal_side.value,
        currency=account.currency.code,
        status=account.status.value,
        posted=amount_text(balance.posted),
        posted_minor=str(balance.posted.minor),
        pending_debits=amount_text(balance.pending_debits),
        pending_credits=amount_text(balance.pending_credits),
        available=amount_text(balance.available),
        available_minor=str(balance.available.minor),
        **limits_document(account.limits, account.currency),
        version=account.version,
        metadata=account.metadata,
        opened_at=account.opened_at.isoformat(),
        latest_effective_at=account.latest_effective_at and account.latest_effective_at.isoformat(),
    )


def limits_document(limits: Limits, currency: Currency) -> dict[str, Any]:
    """The limits that are set, as decimal text."""
    return present(
        minimum=None if limits.minimum is None else format_amount(limits.minimum, currency),
        maximum=None if limits.maximum is None else format_amount(limits.maximum, currency),
    )


def line_document(line: Line) -> dict[str, Any]:
    """A line as `transaction_from` reads it, and its minor units."""
    return present(debit=line.debit, credit=line.credit, **money_document(line.amount))


def money_document(money: Money) -> dict[str, str]:
    """An amount as decimal text and as minor units."""
    return {"amount": amount_text(money), "amount_minor": str(money.minor), "currency": money.currency.code}


def amount_text(money: Money) -> str:
    """The amount alone, with all decimals of its currency."""
    return format_amount(money.minor, money.currency)


def present(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _plain_transfer_from(document: Mapping[str, Any], currencies: Currencies) -> Transaction | None:
    """A transfer in its usual form, read in half the time; anything else, faults too, takes the long way."""
    try:
        if not document.keys() <= PLAIN_FIELDS:
            return None
        [line] = document["lines"]
        if line.keys() != LINE_FIELDS:
            return None
        currency = currencies.get(line["currency"])
        get = document.get
        return plain_transfer(
            debit=line["debit"],
            credit=line["credit"],
            minor=parse_positive_amount(line["amount"], currency),
            currency=currency,
            effective_at=moment_from(get("effective_at"), field="effective_at"),
            id=id_from(get("id")),
            key=get("key"),
            description=get("description"),
        )
    except (ValidationError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _line_from(value: Any, currencies: Currencies, *, field: str) -> Line:
    try:
        # The good case first: files of a million lines pass here.
        if value.keys() <= LINE_FIELDS:
            currency = currencies.find(value["currency"])
            if currency is not None:
                minor = parse_positive_amount(value["amount"], currency)
                return Line(Money(minor, currency), value.get("debit"), value.get("credit"))
    except (ValidationError, AttributeError, KeyError, TypeError):
        pass
    check_object(value, LINE_FIELDS, required=("amount", "currency"), field=field)
    if value.get("debit") is None and value.get("credit") is None:
        raise ValidationError(MISSING_FIELDS, field=field, fields=[f"{field}.debit", f"{field}.credit"])
    with within(field):
        currency = currencies.get(value["currency"])
        minor = parse_positive_amount(value["amount"], currency)
        return Line(Money(minor, currency), value.get("debit"), value.get("credit"))


def _preconditions_from(value: object) -> tuple[Precondition, ...]:
    if value is None:
        return ()
    found = []
    for index, item in enumerate(_array(value, field="preconditions")):
        place = f"preconditions[{index}]"
        check_object(item, PRECONDITION_FIELDS, required=("account",), field=place)
        balance = whole_from(item.get("balance_minor"), field=f"{place}.balance_minor")
        version = whole_from(item.get("version"), field=f"{place}.version")
        if balance is None and version is None:
            raise ValidationError(MISSING_FIELDS, field=place, fields=[f"{place}.balance_minor", f"{place}.version"])
        try:
            found.append(Precondition(item["account"], balance, version))
        except ValidationError as error:
            raise ValidationError(error.reason, **{**error.details, "field": f"{place}.account"}) from error
    return tuple(found)


def _array(value: object, *, field: str) -> Iterable[Any]:
    if not isinstance(value, list | tuple):
        raise refused(value, field, "a JSON array")
    return value


class _Fault(Exception):
    """What `json` lets pass and RFC 8259 does not."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"the name {shortened(repeated)!r} is repeated")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _Fault(f"{text[:40]} is beyond all numbers that can be written again")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise _Fault(f"{text} is not JSON")
