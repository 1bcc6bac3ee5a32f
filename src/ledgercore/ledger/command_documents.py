"""Commands as JSON documents: read strictly.

A typed document says in `type` what it asks for, a transaction when it says nothing, and names in a field
what it is about:

    {"type": "capture", "hold": "0197…", "amount": "12.00", "currency": "EUR", "key": "order-17"}

`{"group": [{…}, {…}]}` holds commands that all happen or none does. Everything is read as `transaction_from`
reads: a field that is `null` counts as absent, one that is unknown is refused, and a fault is named by its path.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    EMPTY_TRANSACTION,
    INVALID_ACCOUNT_TYPE,
    INVALID_ARGUMENT,
    INVALID_STATUS,
    MISSING_FIELDS,
)
from ledgercore.errors.reason import Reason
from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.commands import (
    AnyCommand,
    BatchItem,
    ChangeAccount,
    ClosePeriod,
    Group,
    OpenAccount,
    Reversal,
    Settings,
)
from ledgercore.ledger.documents import (
    check_object,
    hold_from,
    id_from,
    lines_from,
    moment_from,
    object_from,
    refused,
    transaction_from,
    whole_from,
    within,
)
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.transactions import Line
from ledgercore.money import ISO, Currencies, Money, parse_positive_amount

NAME_FIELDS: Final = frozenset({"id", "key"})
PART_FIELDS: Final = NAME_FIELDS | {"amount", "currency", "lines"}
REVERSAL_FIELDS: Final = PART_FIELDS | {"effective_at", "description"}
CAPTURE_FIELDS: Final = REVERSAL_FIELDS | {"final"}
REPLACEMENT_FIELDS: Final = NAME_FIELDS | {"expires_at"}
ACCOUNT_FIELDS: Final = NAME_FIELDS | {"account", "currency", "limits", "metadata"}
ACCOUNT_CHANGE_FIELDS: Final = NAME_FIELDS | {"status", "limits", "metadata"}
PERIOD_FIELDS: Final = NAME_FIELDS | {"through"}
LIMIT_FIELDS: Final = frozenset({"minimum_minor", "maximum_minor"})
SETTINGS_FIELDS: Final = frozenset({"on_first_use", "types", "limits", "assets"})
_Member = TypeVar("_Member", bound=Enum)


def command_from(document: Any, currencies: Currencies) -> BatchItem:
    """The command, or group of commands, that a typed document asks for."""
    if isinstance(document, Mapping) and document.get("type") is None and isinstance(document.get("group"), list):
        check_object(document, frozenset({"type", "group"}))
        commands = document["group"]
        if not commands:
            raise ValidationError(INVALID_ARGUMENT, field="group", value="[]", why="a group has at least one command")
        return Group([_member_from(command, currencies, index) for index, command in enumerate(commands)])
    return _typed_from(document, currencies)


def reversal_from(document: Mapping[str, Any], transaction: UUID, currencies: Currencies) -> Reversal:
    """The reversal of a transaction, or of an `amount` or `lines` of it."""
    check_object(document, REVERSAL_FIELDS)
    return Reversal(
        transaction=transaction,
        **_part_from(document, currencies),
        effective_at=moment_from(document.get("effective_at"), field="effective_at"),
        description=document.get("description"),
        **_name_from(document),
    )


def hold_change_from(document: Mapping[str, Any], hold: UUID, currencies: Currencies) -> ChangeHold:
    """The change of a hold to an `amount` or `lines`."""
    check_object(document, PART_FIELDS)
    return ChangeHold(hold=hold, **_part_from(document, currencies), **_name_from(document))


def capture_from(document: Mapping[str, Any], hold: UUID, currencies: Currencies) -> Capture:
    """The capture of what remains of a hold, or of an `amount` or `lines` of it."""
    check_object(document, CAPTURE_FIELDS)
    return Capture(
        hold=hold,
        **_part_from(document, currencies),
        final=_flag_from(document, "final"),
        effective_at=moment_from(document.get("effective_at"), field="effective_at"),
        description=document.get("description"),
        **_name_from(document),
    )


def void_from(document: Mapping[str, Any], hold: UUID) -> VoidHold:
    """The end of a hold."""
    check_object(document, NAME_FIELDS)
    return VoidHold(hold=hold, **_name_from(document))


def replacement_from(document: Mapping[str, Any], hold: UUID) -> ReplaceHold:
    """The replacement of an expired hold."""
    check_object(document, REPLACEMENT_FIELDS)
    return ReplaceHold(
        hold=hold, expires_at=moment_from(document.get("expires_at"), field="expires_at"), **_name_from(document)
    )


def group_capture_from(document: Mapping[str, Any], group: str) -> CaptureGroup:
    """The capture of every open hold of a group."""
    check_object(document, NAME_FIELDS)
    return CaptureGroup(group=group, **_name_from(document))


def group_void_from(document: Mapping[str, Any], group: str) -> VoidGroup:
    """The end of every open hold of a group."""
    check_object(document, NAME_FIELDS)
    return VoidGroup(group=group, **_name_from(document))


def account_from(document: Mapping[str, Any], currencies: Currencies, *, type_field: str = "type") -> OpenAccount:
    """The opening of an account; in typed documents, where `type` is taken, its type is in another field."""
    check_object(document, ACCOUNT_FIELDS | {type_field}, required=("account", "currency"))
    type_ = document.get(type_field)
    return OpenAccount(
        path=document["account"],
        currency=currencies.get(document["currency"]),
        type=None if type_ is None else _member_of(AccountType, type_, INVALID_ACCOUNT_TYPE, field=type_field),
        limits=limits_from(document.get("limits")) or Limits(),
        metadata=object_from(document.get("metadata"), field="metadata"),
        **_name_from(document),
    )


def account_change_from(document: Mapping[str, Any], path: str) -> ChangeAccount:
    """The change of an account; limits replace both that it has."""
    check_object(document, ACCOUNT_CHANGE_FIELDS)
    status = document.get("status")
    return ChangeAccount(
        path=path,
        status=None if status is None else _member_of(AccountStatus, status, INVALID_STATUS, field="status"),
        limits=limits_from(document.get("limits")),
        metadata=object_from(document.get("metadata"), field="metadata"),
        **_name_from(document),
    )


def period_close_from(document: Mapping[str, Any]) -> ClosePeriod:
    """The end of a period."""
    check_object(document, PERIOD_FIELDS, required=("through",))
    through = moment_from(document["through"], field="through")
    assert through is not None
    return ClosePeriod(through=through, **_name_from(document))


def limits_from(value: object, *, field: str = "limits") -> Limits | None:
    """Limits in minor units, as `{"minimum_minor": "0", "maximum_minor": null}`."""
    if value is None:
        return None
    check_object(value, LIMIT_FIELDS, field=field)
    assert isinstance(value, Mapping)
    minimum, maximum = (
        whole_from(value.get(name), field=f"{field}.{name}") for name in ("minimum_minor", "maximum_minor")
    )
    try:
        return Limits(minimum, maximum)
    except ValidationError as error:
        named = {**error.details, "field": f"{field}.{error.details['field']}_minor"}
        raise ValidationError(error.reason, **named) from error


def settings_from(document: Mapping[str, Any], known: Currencies = ISO) -> Settings:
    """A ledger's settings as `settings_document` writes them; what is left out has its default.

    Assets that are `known` already stay, and raise `asset_already_registered` with other decimals.
    """
    check_object(document, SETTINGS_FIELDS)
    default = Opening()
    types = object_from(document.get("types"), field="types")
    limits = object_from(document.get("limits"), field="limits") or {}
    for code, exponent in (object_from(document.get("assets"), field="assets") or {}).items():
        known = known.register(code, exponent)
    return Settings(
        opening=Opening(
            on_first_use=_flag_from(document, "on_first_use"),
            types=default.types
            if types is None
            else tuple(
                (prefix, _member_of(AccountType, name, INVALID_ACCOUNT_TYPE, field=f"types.{prefix[:60]}"))
                for prefix, name in types.items()
            ),
            limits=tuple(
                (prefix, limits_from(value, field=f"limits.{prefix[:60]}") or Limits())
                for prefix, value in limits.items()
            ),
        ),
        assets=known.assets,
    )


def settings_document(settings: Settings) -> dict[str, Any]:
    """A ledger's settings: account types and limits by path prefix, and decimals by asset."""
    opening = settings.opening
    return {
        "on_first_use": opening.on_first_use,
        "types": {prefix: type_.value for prefix, type_ in opening.types},
        "limits": {prefix: limits_minor_document(limits) for prefix, limits in opening.limits},
        "assets": {asset.code: asset.exponent for asset in settings.assets},
    }


def limits_minor_document(limits: Limits) -> dict[str, str]:
    """The limits that are set, as `limits_from` reads them."""
    both = {"minimum_minor": limits.minimum, "maximum_minor": limits.maximum}
    return {name: str(minor) for name, minor in both.items() if minor is not None}


def _typed_from(document: Any, currencies: Currencies) -> AnyCommand:
    if not isinstance(document, Mapping) or "type" not in document:
        return transaction_from(document, currencies)
    kind = "transaction" if document["type"] is None else document["type"]
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise ValidationError(INVALID_ARGUMENT, field="type", value=shortened(kind), allowed=sorted(_READERS))
    return read({name: value for name, value in document.items() if name != "type"}, currencies)


def _member_from(document: Any, currencies: Currencies, index: int) -> AnyCommand:
    with within(f"group[{index}]"):
        return _typed_from(document, currencies)


def _about(document: Mapping[str, Any], field: str) -> tuple[Mapping[str, Any], Any]:
    """A document without the field that names what it is about, and that field."""
    if document.get(field) is None:
        raise ValidationError(MISSING_FIELDS, field=field, fields=[field])
    return {name: value for name, value in document.items() if name != field}, document[field]


def _about_id(document: Mapping[str, Any], field: str) -> tuple[Mapping[str, Any], UUID]:
    rest, value = _about(document, field)
    found = id_from(value, field=field)
    assert found is not None
    return rest, found


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], Currencies], AnyCommand]]] = {
    "transaction": transaction_from,
    "reversal": lambda document, known: reversal_from(*_about_id(document, "transaction"), known),
    "hold": hold_from,
    "hold_change": lambda document, known: hold_change_from(*_about_id(document, "hold"), known),
    "capture": lambda document, known: capture_from(*_about_id(document, "hold"), known),
    "void": lambda document, _: void_from(*_about_id(document, "hold")),
    "hold_replacement": lambda document, _: replacement_from(*_about_id(document, "hold")),
    "group_capture": lambda document, _: group_capture_from(*_about(document, "group")),
    "group_void": lambda document, _: group_void_from(*_about(document, "group")),
    "account": lambda document, known: account_from(document, known, type_field="account_type"),
    "account_change": lambda document, _: account_change_from(*_about(document, "account")),
    "period_close": lambda document, _: period_close_from(document),
}


def _name_from(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": id_from(document.get("id")), "key": document.get("key")}


def _part_from(document: Mapping[str, Any], currencies: Currencies) -> dict[str, Any]:
    """The `amount` or the `lines` that a command is for; an empty list is no way to say everything."""
    lines: Sequence[Line] = ()
    if document.get("lines") is not None:
        lines = lines_from(document["lines"], currencies)
        if not lines:
            raise ValidationError(EMPTY_TRANSACTION, field="lines", why="there is no line")
    given = [name for name in ("amount", "currency") if document.get(name) is not None]
    if not given:
        return {"amount": None, "lines": lines}
    missing = {"amount", "currency"}.difference(given)
    if missing:
        raise ValidationError(MISSING_FIELDS, field=min(missing), fields=sorted(missing))
    currency = currencies.get(document["currency"])
    return {"amount": Money(parse_positive_amount(document["amount"], currency), currency), "lines": lines}


def _flag_from(document: Mapping[str, Any], field: str) -> bool:
    value = document.get(field)
    if value is not None and not isinstance(value, bool):
        raise refused(value, field, "true or false")
    return bool(value)


def _member_of(kind: type[_Member], value: object, reason: Reason, *, field: str) -> _Member:
    for member in kind:
        if member.value == value:
            return member
    raise ValidationError(reason, field=field, value=shortened(value), allowed=[member.value for member in kind])
