"""HTTP requests and answers as values, and whoever can send one; this code never touches a network itself."""

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

from attrs import field, frozen

_DIGITS_MAX: Final = 9


@frozen(kw_only=True)
class HttpRequest:
    """A request to be sent. `url` is absolute. `headers`, `form`, `json` and `content` may hold secrets: none is shown.

    `name` says what it is for in logs and metrics, such as `monzo transactions`. One that is not `safe` may have
    acted when its answer is lost, and is not sent again by itself. At most one of `form`, `json` and `content` is
    given; `content` is sent byte for byte, as a signature over it needs.
    """

    name: str
    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    query: Mapping[str, str] = field(factory=dict)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    safe: bool = True


@frozen(kw_only=True)
class HttpResponse:
    """What came back. Header names are in lower case; `body` is bounded by whoever sent the request."""

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status says so (RFC 9110, 15.3)."""
        return 200 <= self.status < 300

    @property
    def retry_after_seconds(self) -> int | None:
        """How long the other side wants to be left alone (RFC 9110, 10.2.3); `None` when it does not say.

        A time of day is read against the answer's own date, so that a clock that is set wrongly does no harm.

        >>> HttpResponse(status=429, headers={"retry-after": "7"}).retry_after_seconds
        7
        """
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdecimal() and len(asked) <= _DIGITS_MAX:
            return int(asked)
        try:
            until, told = parsedate_to_datetime(asked), parsedate_to_datetime(self.headers.get("date", ""))
            return max(0, int((until - told).total_seconds()))
        except (ValueError, TypeError):
            return None

    def document(self) -> Any:
        """The body as JSON, numbers with decimals as text; raises `ValueError` for anything else."""
        try:
            return json.loads(self.body, parse_float=str, parse_constant=_refuse)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class HttpSender(Protocol):
    """Sends a request once and brings back the answer, whatever its status; redirects are answers too.

    Raises `ExternalDependencyError` (`timeout`, `service_unavailable`) when there is no answer that can be used, and
    `ValidationError` (`forbidden_address`) for a URL that must not be called.
    """

    def send(self, request: HttpRequest) -> HttpResponse:
        """The answer to `request`."""
        ...


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
