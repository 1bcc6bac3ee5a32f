"""Answers: documents in their envelope, as bytes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from attrs import field, frozen

from ledgercore.pages import Page

JSON_TYPE: Final = "application/json"
_encode: Final = msgspec.json.Encoder().encode


@frozen(kw_only=True)
class Answer:
    """A status, a body and headers."""

    body: bytes
    status: int = 200
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def replayed(self) -> "Answer":
        """The same, marked as given before."""
        return Answer(
            body=self.body,
            status=self.status,
            content_type=self.content_type,
            headers={**self.headers, "Idempotency-Replayed": "true"},
        )


def success(
    data: Any, *, at: datetime, status: int = 200, metadata: Mapping[str, Any] | None = None, message: str | None = None
) -> Answer:
    """Data in the envelope of every success; `at` is when it became true."""
    document = {"data": data, "success": True, "timestamp": at.isoformat()}
    if message is not None:
        document["message"] = message
    if metadata is not None:
        document["metadata"] = metadata
    return Answer(body=_encode(document), status=status)


def pagination(page: Page[Any], limit: int) -> dict[str, Any]:
    """What the metadata of a list tell about its page."""
    return {
        "type": "keyset",
        "limit": limit,
        "has_more": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
    }


def bare(document: Any, *, status: int = 200) -> Answer:
    """A document without envelope."""
    return Answer(body=_encode(document), status=status)


def spell_answer(answer: Answer) -> bytes:
    """An answer as bytes to keep."""
    head = _encode([answer.status, answer.content_type, dict(answer.headers)])
    return len(head).to_bytes(4) + head + answer.body


def read_answer(data: bytes) -> Answer:
    """An answer that was kept."""
    end = 4 + int.from_bytes(data[:4])
    status, content_type, headers = msgspec.json.decode(data[4:end])
    return Answer(body=data[end:], status=status, content_type=content_type, headers=headers)
