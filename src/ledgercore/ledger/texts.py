"""Free text that callers attach: checked once, so that it can be stored and read back unchanged."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import (
    DATETIME_OUT_OF_RANGE,
    INVALID_DATETIME_FORMAT,
    INVALID_DESCRIPTION_FORMAT,
    INVALID_IDEMPOTENCY_KEY,
    INVALID_METADATA,
    INVALID_REFERENCE,
)
from ledgercore.errors.reason import Reason

DESCRIPTION_LENGTH_MAX: Final = 1_000
REFERENCE_LENGTH_MAX: Final = 255
KEY_LENGTH_MAX: Final = 255
METADATA_BYTES_MAX: Final = 16_384
METADATA_DEPTH_MAX: Final = 8
METADATA_INTEGER_BITS_MAX: Final = 1_024
YEAR_MIN: Final = 1000
YEAR_MAX: Final = 9998
EARLIEST: Final = datetime(YEAR_MIN, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(YEAR_MAX, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def check_description(text: str | None) -> str | None:
    """Free text of at most 1,000 characters; `invalid_description_format` otherwise."""
    return _checked(text, INVALID_DESCRIPTION_FORMAT, "description", DESCRIPTION_LENGTH_MAX, empty=True)


def check_reference(text: str | None) -> str | None:
    """The caller's own number for a transaction; `invalid_reference` when it cannot be stored."""
    return _checked(text, INVALID_REFERENCE, "reference", REFERENCE_LENGTH_MAX)


def check_key(text: str | None) -> str | None:
    """An idempotency key of 1 to 255 characters; `invalid_idempotency_key` otherwise."""
    return _checked(text, INVALID_IDEMPOTENCY_KEY, "key", KEY_LENGTH_MAX)


def check_moment(moment: datetime | None, *, field: str) -> datetime | None:
    """An aware time between the years 1000 and 9998, in UTC.

    Raises `ValidationError` with `invalid_datetime_format` for a time without offset and
    `datetime_out_of_range` beyond those years.
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise ValidationError(INVALID_DATETIME_FORMAT, field=field, value=str(moment)[:60], why="no UTC offset")
    try:
        moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError as error:
        raise _out_of_range(field, moment) from error
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise _out_of_range(field, moment)
    return moment


def parse_moment(text: str, *, field: str) -> datetime:
    """Read an ISO 8601 time with offset; a date or a time without offset is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        if isinstance(text, str) and text[:5] in ("0000-", "10000"):
            raise ValidationError(DATETIME_OUT_OF_RANGE, field=field, value=text[:60]) from error
        raise ValidationError(
            INVALID_DATETIME_FORMAT, field=field, value=_shown(text), why="not an ISO 8601 time with offset"
        ) from error
    checked = check_moment(moment, field=field)
    assert checked is not None
    return checked


def check_metadata(metadata: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A JSON object of at most 16 KiB without floats, NUL or lone surrogates; else `invalid_metadata`."""
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping):
        raise ValidationError(INVALID_METADATA, field="metadata", why=f"an object, not {type(metadata).__name__}")
    checked: dict[str, Any] = _checked_json(metadata, depth=0, where="metadata")
    size = len(encode_json(checked))
    if size > METADATA_BYTES_MAX:
        raise ValidationError(INVALID_METADATA, field="metadata", why=f"{size} bytes, at most {METADATA_BYTES_MAX}")
    return checked or None


def encode_json(value: object) -> bytes:
    """The one JSON spelling that is stored and hashed: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fault_in(text: object, length_max: int, *, empty: bool = False) -> str | None:
    """Why a text cannot be stored, or `None` when it can."""
    if not isinstance(text, str):
        return f"text is expected, not {type(text).__name__}"
    if not text and not empty:
        return "it is empty"
    if len(text) > length_max:
        return f"{len(text)} characters, at most {length_max} are allowed"
    if text.isascii():
        return "it contains a NUL byte" if "\x00" in text else None
    if "\x00" in text:
        return "it contains a NUL byte"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it contains a lone surrogate"
    return None


def _checked(text: str | None, reason: Reason, field: str, length_max: int, *, empty: bool = False) -> str | None:
    if text is None or (empty and text == ""):
        return None
    if why := fault_in(text, length_max, empty=empty):
        raise ValidationError(reason, field=field, value=_shown(text), why=why)
    return text


def _checked_json(value: object, *, depth: int, where: str) -> Any:
    """A copy as JSON reads it back, so that a command stays what it was when its caller's objects change."""
    why: str | None = None
    if depth > METADATA_DEPTH_MAX:
        why = f"deeper than {METADATA_DEPTH_MAX} levels"
    elif isinstance(value, Mapping):
        for key in value:
            if fault := fault_in(key, KEY_LENGTH_MAX):
                raise ValidationError(INVALID_METADATA, field=where, why=f"a key is wrong: {fault}")
        return {key: _checked_json(inner, depth=depth + 1, where=f"{where}.{key}"[:80]) for key, inner in value.items()}
    elif isinstance(value, list | tuple):
        return [
            _checked_json(inner, depth=depth + 1, where=f"{where}[{index}]"[:80]) for index, inner in enumerate(value)
        ]
    elif isinstance(value, str):
        why = fault_in(value, METADATA_BYTES_MAX, empty=True)
    elif isinstance(value, float):
        why = "floats are not exact; write the number as text"
    elif isinstance(value, int) and value.bit_length() > METADATA_INTEGER_BITS_MAX:
        why = "an integer of more than 308 digits; write it as text"
    elif value is not None and not isinstance(value, bool | int):
        why = f"{type(value).__name__} is not JSON"
    if why:
        raise ValidationError(INVALID_METADATA, field=where, why=why)
    return value


def _out_of_range(field: str, moment: datetime) -> ValidationError:
    return ValidationError(DATETIME_OUT_OF_RANGE, field=field, value=str(moment), earliest=EARLIEST, latest=LATEST)


def _shown(text: object) -> str:
    return str(text)[:60].encode("ascii", "backslashreplace").decode().replace("\x00", "\\x00")
