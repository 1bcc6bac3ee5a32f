"""Keyset pages: a slice of a unique order, and an opaque cursor to what comes after it."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from attrs import frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_CURSOR, INVALID_FILTER

PAGE_SIZE_MAX: Final = 1_000
POSITION_MAX: Final = 2**62
Item = TypeVar("Item")


@frozen
class Page(Generic[Item]):
    """Some items in order; `next_cursor` leads to those after them and is `None` at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


def check_limit(limit: int) -> int:
    """A page's size from 1 to 1,000; `invalid_filter` otherwise."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= PAGE_SIZE_MAX:
        raise ValidationError(INVALID_FILTER, field="limit", value=str(limit)[:60], least=1, most=PAGE_SIZE_MAX)
    return limit


def page_of(
    found: Sequence[Item], limit: int, kind: str, position: Callable[[Item], tuple[int | str, ...]]
) -> Page[Item]:
    """The page of a search that was asked for one item more than `limit`, to know whether more follow."""
    items = tuple(found[:limit])
    return Page(items, encode_cursor(kind, *position(items[-1])) if len(found) > limit else None)


def encode_cursor(kind: str, *position: int | str) -> str:
    """An opaque cursor for a position in the order that `kind` names."""
    return base64.urlsafe_b64encode(json.dumps([kind, *position], separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str, *types: type) -> tuple[Any, ...]:
    """The position of a cursor that this kind of page gave out; `invalid_cursor` for any other text."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found_kind, *position = json.loads(data)
        if found_kind != kind or len(position) != len(types):
            raise ValueError("another kind of cursor")
        return tuple(_part(value, wanted) for value, wanted in zip(position, types, strict=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValidationError(INVALID_CURSOR, field="cursor", cursor=str(cursor)[:60], kind=kind) from error


def _part(value: object, wanted: type) -> int | str | UUID:
    if wanted is UUID and isinstance(value, str):
        return UUID(value)
    if type(value) is int and wanted is int and 0 <= value <= POSITION_MAX:
        return value
    if isinstance(value, str) and wanted is str and value.isascii() and value.isprintable():
        return value
    raise ValueError("not a position")
