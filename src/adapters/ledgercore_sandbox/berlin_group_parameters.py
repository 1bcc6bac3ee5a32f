"""What requests of the Berlin-Group-shaped API carry in headers and query, read or refused."""

from datetime import date
from typing import Final
from uuid import UUID

from ledgercore_sandbox.calls import Call, Refusal

STATUSES: Final = ("booked", "pending", "both", "all")


def check_request_id(call: Call) -> None:
    """Refuse what has no UUID in `X-Request-ID`."""
    if not _is_uuid(call.headers.get("x-request-id", "")):
        raise Refusal(400, "FORMAT_ERROR", "X-Request-ID is missing or no UUID")


def booking_status(call: Call) -> str:
    """Which transactions are asked for: booked, pending, both or all."""
    status = call.query.get("bookingStatus")
    if status is None:
        raise Refusal(400, "FORMAT_ERROR", "bookingStatus is missing", extra={"path": "bookingStatus"})
    if status not in STATUSES:
        raise Refusal(400, "PARAMETER_NOT_SUPPORTED", f"bookingStatus is one of {', '.join(STATUSES)}")
    for name in ("entryReferenceFrom", "deltaList"):
        if name in call.query:
            raise Refusal(400, "PARAMETER_NOT_SUPPORTED", f"{name} is not supported")
    return status


def day_in(call: Call, name: str, default: date | None) -> date:
    """A date of the query; without a default it has to be there."""
    text = call.query.get(name)
    if text is None and default is not None:
        return default
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise Refusal(400, "FORMAT_ERROR", f"{name} is missing or no date", extra={"path": name}) from None


def whole_number_in(call: Call, name: str, *, default: int) -> int:
    """A number of the query that is not negative."""
    text = call.query.get(name, str(default))
    if not text.isascii() or not text.isdecimal():
        raise Refusal(400, "FORMAT_ERROR", f"{name} is no whole number", extra={"path": name})
    return int(text[:9])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
