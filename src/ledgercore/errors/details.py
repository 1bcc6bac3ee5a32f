"""Values that explain a failure, as JSON can carry them."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Final, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

# An error is logged and shown, so secrets never get into one.
SENSITIVE_KEYS: Final = frozenset(
    {"password", "password_hash", "access_token", "refresh_token", "secret", "private_key", "api_key"}
)
_SHOWN_MAX: Final = 200
_SHORTENED_MAX: Final = 60
# Python refuses to write out integers of more than 4,300 digits; no amount has a tenth of that.
_BITS_MAX: Final = 1024


def json_details(details: Mapping[str, object]) -> dict[str, JsonValue]:
    """Turn the details of an error into JSON values, leaving out whatever has a sensitive key."""
    return {
        _encodable(str(key)): json_value(value)
        for key, value in details.items()
        if str(key).lower() not in SENSITIVE_KEYS
    }


def json_value(value: object) -> JsonValue:
    """Turn one value into what JSON has: exact numbers, moments and identifiers become text.

    >>> from decimal import Decimal
    >>> from uuid import UUID
    >>> json_value((Decimal("0.10"), UUID(int=7)))
    ['0.10', '00000000-0000-0000-0000-000000000007']
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return json_value(value.value)
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _BITS_MAX else shortened(value)
    if isinstance(value, float):
        # JSON has neither NaN nor Infinity.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return json_details(value)
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_encodable(str(json_value(item))) for item in value)
    return _encodable(str(value))


def shortened(value: object) -> str:
    """Write what a caller sent in at most 60 characters: enough to recognise it, whatever it is.

    >>> shortened("1,00"), shortened([1, 2]), shortened(10**5000)
    ('1,00', '[1, 2]', 'an integer of 16610 bits')
    """
    if isinstance(value, str):
        return value[:_SHORTENED_MAX]
    if isinstance(value, int) and value.bit_length() > _BITS_MAX:
        return f"an integer of {value.bit_length()} bits"
    try:
        return str(value)[:_SHORTENED_MAX]
    except (ValueError, RecursionError):
        return f"a value of type {type(value).__name__}"


def shown(value: JsonValue) -> str:
    """Write a detail on one line of at most 200 characters, without control characters."""
    text = str(value)
    if len(text) > _SHOWN_MAX:
        text = text[: _SHOWN_MAX - 1] + "…"
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _encodable(text: str) -> str:
    """Keep a text that UTF-8 can carry; spell out lone surrogates, which would fail when written."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
