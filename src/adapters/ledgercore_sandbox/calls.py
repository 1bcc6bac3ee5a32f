"""A request as the bank's desks see it, and their answer; nothing here knows of the server."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import field, frozen


class Refusal(Exception):
    """A request is refused; each API tells it in its own words. `code` is that API's own."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


@frozen(kw_only=True)
class Call:
    """One request. Header names are in lower case; `origin` is scheme and authority that the caller sees."""

    path: str
    parameters: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    origin: str = ""
    peer: str = ""

    @property
    def form(self) -> dict[str, str]:
        """The body as a form; the last of several values counts."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def document(self) -> Any:
        """The body as JSON; raises `ValueError`."""
        return json.loads(self.body)

    @property
    def bearer(self) -> str | None:
        """The access token of the Authorization header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@frozen(kw_only=True)
class Answer:
    """What goes back: a document as JSON, or a page."""

    status: int = 200
    document: Any = None
    page: str | None = None
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Route:
    """A method and a path, with names in braces, and what answers them."""

    method: str
    path: str
    answer: Callable[[Call], Answer]
