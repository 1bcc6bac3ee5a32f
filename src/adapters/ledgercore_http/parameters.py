"""Parameters of the query that many routes share, and how their texts are read."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_FILTER
from ledgercore.ledger.documents import id_from
from ledgercore.ledger.texts import parse_moment
from ledgercore.pages import PAGE_SIZE_MAX, POSITION_MAX
from ledgercore_http.routes import JsonSchema, Parameter
from ledgercore_http.schemas.building import MOMENT, one_of, text, whole

LIMIT_DEFAULT: Final = 100


def read_text(value: str, name: str) -> str:
    """A text that is not empty and can be stored."""
    if not value or not value.isprintable():
        raise ValidationError(INVALID_ARGUMENT, field=name, value=shortened(value), why="a printable text is expected")
    return value


def read_whole(value: str, name: str) -> int:
    """A whole number in plain digits."""
    if not (value.isascii() and value.isdigit() and len(value) <= 39):
        raise ValidationError(INVALID_FILTER, field=name, value=shortened(value), why="a whole number is expected")
    return int(value)


def read_flag(value: str, name: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise ValidationError(INVALID_FILTER, field=name, value=shortened(value), why="true or false is expected")
    return value == "true"


def read_place(value: str, name: str) -> int:
    """A place in a log; what is beyond any is the same as the last that can be."""
    return min(read_whole(value, name), POSITION_MAX)


def read_moment(value: str, name: str) -> datetime:
    """An ISO 8601 time with offset; a plus sign that arrived as a blank is understood."""
    return parse_moment(value.replace(" ", "+"), field=name)


def read_id(value: str, name: str) -> UUID:
    """A UUID."""
    found = id_from(value, field=name)
    assert found is not None
    return found


def path_id(value: str, name: str = "id") -> UUID:
    """A UUID in the path; raises `invalid_uuid_format`."""
    return read_id(value, name)


def choice_parameter(name: str, values: Iterable[str], description: str, *, default: str | None = None) -> Parameter:
    """One of some texts in the query; raises `invalid_filter` for any other."""
    allowed = [str(value) for value in values]

    def read(value: str, name: str) -> str:
        if value not in allowed:
            raise ValidationError(INVALID_FILTER, field=name, value=shortened(value), allowed=allowed)
        return value

    schema = one_of(allowed) if default is None else {**one_of(allowed), "default": default}
    return Parameter(name=name, schema=schema, read=read, description=description, default=default)


def checked_parameter(name: str, schema: JsonSchema, description: str, *, default: str | None = None) -> Parameter:
    """A text in the query that the ledger itself checks."""
    return Parameter(name=name, schema=schema, read=lambda value, _: value, description=description, default=default)


def moment_parameter(name: str, description: str) -> Parameter:
    """A time in the query."""
    return Parameter(
        name=name, schema=MOMENT, read=read_moment, description=description, example="2026-03-02T09:00:00+00:00"
    )


def text_parameter(name: str, description: str, **bounds: Any) -> Parameter:
    """A text in the query."""
    return Parameter(name=name, schema=text(**{"minLength": 1, **bounds}), read=read_text, description=description)


def pattern_parameter(name: str, pattern: str, description: str, example: str | None = None) -> Parameter:
    """A text of the query that a pattern fits as a whole."""

    def read(value: str, name: str) -> str:
        if not re.search(pattern, value):
            raise ValidationError(INVALID_FILTER, field=name, value=shortened(value), pattern=pattern)
        return value

    return Parameter(name=name, schema=text(pattern=pattern), read=read, description=description, example=example)


LIMIT: Final = Parameter(
    name="limit",
    schema=whole(minimum=1, maximum=PAGE_SIZE_MAX, default=LIMIT_DEFAULT),
    read=read_whole,
    default=LIMIT_DEFAULT,
    description="How many items, at most 1,000.",
)
CURSOR: Final = Parameter(
    name="cursor",
    schema=text(minLength=1),
    read=lambda value, _: value,
    description="The `next_cursor` of the page before.",
)
EFFECTIVE_AT: Final = moment_parameter("effective_at", "Count what was effective by then, whenever it was recorded.")
RECORDED_AT: Final = moment_parameter("recorded_at", "Count only what had been recorded by then.")
