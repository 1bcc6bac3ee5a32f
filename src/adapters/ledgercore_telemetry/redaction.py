"""Keeping secrets out of what is written about requests: by the name of a field, and by the look of a text."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from ledgercore.errors.details import SENSITIVE_KEYS, JsonValue, json_value

REDACTED: Final = "[redacted]"
TEXT_MAX: Final = 20_000
DEPTH_MAX: Final = 20

# The ends of names: `new_password`, `refresh_token` and `Set-Cookie` are meant as well.
SENSITIVE_ENDS: Final = (
    *sorted(SENSITIVE_KEYS), "authorization", "cookie", "passwd", "password_confirmation", "token",
)  # fmt: skip
# Without one of these there is none of the names in a text, and no need to search it slowly.
_HINTS: Final = ("passw", "token", "secret", "key", "authorization", "cookie")
_ANY_NAME: Final = "|".join(SENSITIVE_ENDS).replace("_", "[-_]")

# Each alternative begins with a few letters, so that the search passes over all others at once.
_TOKEN: Final = re.compile(
    r"[Bb][Ee][Aa][Rr][Ee][Rr](?:\s|%20)+[\w.~+/=-]+|eyJ[\w-]*(?:\.[\w-]*)+|lc_[\w-]{16,}", re.ASCII
)
# What stands between the name and the last @ of a URL; a password may have an @ that nobody encoded.
_IN_URL: Final = re.compile(r"(://[^\s/:@'\"]*:)[^\s'\"]+(?=@)")
# `name=value`, `'name': 'value'` and `"name": "value"`, as in URLs, connection strings and printed objects.
_NAMED: Final = re.compile(
    rf"((?:{_ANY_NAME})(?:\s*=\s*|\\?['\"]\s*:\s*))"
    r"(?:b?'(?:[^'\\]|\\.)*'?|b?\"(?:[^\"\\]|\\.)*\"?|[^\s'\"&;,)}\]]+)",
    re.IGNORECASE,
)
# In headers the rest of the line is the value.
_HEADER: Final = re.compile(r"((?:authorization|cookie|api[-_]key)\s*:\s*)[^\r\n'\"]+", re.IGNORECASE)


@lru_cache(maxsize=1024)
def is_sensitive(name: str) -> bool:
    """Whether what goes by this name is kept secret.

    >>> is_sensitive("current_password"), is_sensitive("X-Api-Key"), is_sensitive("token_id")
    (True, True, False)
    """
    return name.lower().replace("-", "_").endswith(SENSITIVE_ENDS)


def masked(text: str) -> str:
    """Put `[redacted]` where a text shows a bearer token, a JWT, a service token or a password.

    >>> masked("postgresql://app:hunter2@db/bank refused 'Bearer abc.def'")
    "postgresql://app:[redacted]@db/bank refused '[redacted]'"
    """
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX] + "…"
    text = _TOKEN.sub(REDACTED, text)
    if "://" in text and "@" in text:
        text = _IN_URL.sub(rf"\1{REDACTED}", text)
    if ("=" in text or ":" in text) and _hints_at_a_name(text.lower()):
        text = _HEADER.sub(rf"\1{REDACTED}", _NAMED.sub(rf"\1{REDACTED}", text))
    return text


def redacted(value: object, *, depth: int = 0) -> JsonValue:
    """Turn a value into what JSON has, without the secrets in it, however deep.

    >>> redacted({"user": {"id": 7, "password": "hunter2"}})
    {'user': {'id': 7, 'password': '[redacted]'}}
    """
    if isinstance(value, str | int | float | None):
        plain = json_value(value)
        return masked(plain) if isinstance(plain, str) else plain
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_inside(value, depth=depth + 1) if depth < DEPTH_MAX else "…"
    return redacted(json_value(value), depth=depth)


def _hints_at_a_name(lowered: str) -> bool:
    return any(hint in lowered for hint in _HINTS)


def _redacted_inside(value: Any, *, depth: int) -> JsonValue:
    if isinstance(value, Mapping):
        return {
            masked(name): REDACTED if is_sensitive(name) else redacted(inner, depth=depth)
            for name, inner in ((_text(key), inner) for key, inner in value.items())
        }
    # Headers come as pairs of a name and a value.
    if isinstance(value, tuple) and len(value) == 2 and is_sensitive(_text(value[0])):
        return [_text(value[0]), REDACTED]
    return [redacted(inner, depth=depth) for inner in value]


def _text(name: object) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else str(json_value(name))
