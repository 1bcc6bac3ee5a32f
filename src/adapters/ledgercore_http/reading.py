"""Reading what a request brings: its body within limits, its query by declared parameters."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from litestar.types import Receive

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    INVALID_ARGUMENT,
    INVALID_JSON,
    MALFORMED_REQUEST,
    MISSING_FIELDS,
    PAYLOAD_TOO_LARGE,
    REQUEST_TIMEOUT,
    UNKNOWN_FIELDS,
    UNSUPPORTED_MEDIA_TYPE,
)
from ledgercore.ledger.documents import parse_json
from ledgercore_http.routes import Body, Parameter


async def read_body(receive: Receive, *, declared: str | None, bytes_max: int, seconds_max: float) -> bytes:
    """The whole body.

    Raises `payload_too_large`, `request_timeout` for one that drips, and `malformed_request` when its sender left.
    """
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared[:20]) > bytes_max:
        raise ValidationError(PAYLOAD_TOO_LARGE, bytes_max=bytes_max)
    parts = []
    size = 0
    try:
        async with asyncio.timeout(seconds_max):
            more = True
            while more:
                message: Any = await receive()
                if message["type"] != "http.request":
                    raise ValidationError(MALFORMED_REQUEST, why="the connection was closed before the body's end")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > bytes_max:
                    raise ValidationError(PAYLOAD_TOO_LARGE, bytes_max=bytes_max)
                more = message.get("more_body", False)
    except TimeoutError as error:
        raise ValidationError(REQUEST_TIMEOUT, seconds_max=seconds_max, received=size) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def check_content_type(content_type: str | None, body: Body) -> str:
    """The content type that a body came with; `unsupported_media_type` unless the route reads it, in UTF-8."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower() or "utf-8"
    kind = kind.strip().lower()
    if kind not in body.content_types or charset not in ("utf-8", "utf8"):
        raise ValidationError(
            UNSUPPORTED_MEDIA_TYPE, content_type=shortened(content_type or ""), supported=list(body.content_types)
        )
    return kind


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object of a body; raises `invalid_json`, `invalid_encoding`."""
    found = parse_json(data, field="body")
    if not isinstance(found, dict):
        raise ValidationError(INVALID_JSON, field="body", why="a JSON object is expected")
    return found


def read_query(pairs: Sequence[tuple[str, str]], parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The parameters of the query by name, defaults filled in.

    Raises `unknown_fields` for one that the route does not have, `invalid_argument` for one that is repeated, and
    `missing_fields` for one that is required.
    """
    found: dict[str, Any] = {}
    for name, text in pairs:
        parameter = parameters.get(name)
        if parameter is None:
            raise ValidationError(
                UNKNOWN_FIELDS, field=shortened(name), fields=[shortened(name)], allowed=sorted(parameters)
            )
        if name in found:
            raise ValidationError(INVALID_ARGUMENT, field=name, value=shortened(text), why="it is given twice")
        found[name] = parameter.read(text, name)
    missing = [name for name, each in parameters.items() if each.required and name not in found]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)
    return {**{name: each.default for name, each in parameters.items()}, **found}
