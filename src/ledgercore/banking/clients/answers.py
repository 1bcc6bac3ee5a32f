"""Banks' answers, read strictly: whatever is missing, of another type or cannot be stored is `bank_api_error`."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from attrs import field, frozen

from ledgercore.errors import ExternalDependencyError, LedgercoreError, ValidationError, error_for
from ledgercore.errors.catalog import BANK_API_ERROR, BANK_RATE_LIMITED
from ledgercore.errors.reason import Reason
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.money.currency import ISO, Currency
from ledgercore.money.parsing import AMOUNT_DIGITS_MAX, parse_amount

ID_LENGTH_MAX: Final = 256
TEXT_LENGTH_MAX: Final = 1000
SECRET_LENGTH_MIN: Final = 10
_STATUS_TOO_MANY: Final = 429
_STATUS_BROKEN: Final = 500
_MINOR_MAX: Final = 10**AMOUNT_DIGITS_MAX - 1
_AMOUNT: Final = re.compile(r"(-?)([0-9]+(?:\.[0-9]+)?)", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
_WORD: Final = re.compile(r"[!-~]{1,8192}", re.ASCII)
_NO_TEXT: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


@frozen
class Members:
    """An object in the answer to a request, taken member by member."""

    request: str
    values: Mapping[str, Any] = field(repr=False)

    def id(self, name: str) -> str:
        """A name that the bank gives something: 1 to 256 printable characters."""
        found = self.values.get(name)
        if not isinstance(found, str) or not 1 <= len(found) <= ID_LENGTH_MAX or _NO_TEXT.search(found):
            raise self.unreadable(name, "a text of 1 to 256 printable characters is expected")
        return found

    def find_id(self, name: str) -> str | None:
        """A name that the bank may leave out or empty."""
        return None if self.values.get(name) in (None, "") else self.id(name)

    def word(self, name: str) -> str:
        """A token or the like, which goes into headers: 1 to 8192 ASCII characters without blanks."""
        found = self.values.get(name)
        if not isinstance(found, str) or not _WORD.fullmatch(found):
            raise self.unreadable(name, "a word of 1 to 8192 ASCII characters is expected")
        return found

    def find_text(self, name: str) -> str | None:
        """What people read, without what cannot be stored or shown; at most 1000 characters, `None` for nothing."""
        found = self.values.get(name)
        if found is None:
            return None
        if not isinstance(found, str):
            raise self.unreadable(name, "a text is expected")
        return " ".join(_NO_TEXT.sub(" ", found).split())[:TEXT_LENGTH_MAX] or None

    def whole(self, name: str) -> int:
        """A whole number of at most 38 digits."""
        found = self.values.get(name)
        if type(found) is not int or abs(found) > _MINOR_MAX:
            raise self.unreadable(name, "a whole number is expected")
        return found

    def flag(self, name: str) -> bool:
        """Whether the bank says so; not saying is saying no."""
        found = self.values.get(name, False)
        if not isinstance(found, bool):
            raise self.unreadable(name, "true or false is expected")
        return found

    def moment(self, name: str) -> datetime:
        """A time with its offset from UTC."""
        try:
            return datetime.fromisoformat(self.id(name)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.unreadable(name, "a time as of RFC 3339 is expected") from error

    def find_moment(self, name: str) -> datetime | None:
        """A time that the bank may leave out or empty."""
        return None if self.values.get(name) in (None, "") else self.moment(name)

    def find_day(self, name: str) -> datetime | None:
        """A date, as its first moment in UTC."""
        if self.values.get(name) in (None, ""):
            return None
        try:
            return datetime.combine(date.fromisoformat(self.id(name)), time(), UTC)
        except ValueError as error:
            raise self.unreadable(name, "a date as of ISO 8601 is expected") from error

    def currency(self, name: str) -> Currency:
        """A currency of ISO 4217."""
        if (found := ISO.find(self.id(name))) is None:
            raise self.unreadable(name, "a currency of ISO 4217 is expected")
        return found

    def signed_decimal(self, name: str, currency: Currency) -> int:
        """Minor units of an amount such as `-12.30`; decimals that the currency does not have may only be zeros."""
        matched = _AMOUNT.fullmatch(self.id(name))
        if matched is None:
            raise self.unreadable(name, "a decimal amount is expected")
        sign, amount = matched.groups()
        whole, point, fraction = amount.partition(".")
        shortest = fraction[: currency.exponent] + fraction[currency.exponent :].rstrip("0")
        try:
            minor = parse_amount(f"{whole}{point if shortest else ''}{shortest}", currency)
        except ValidationError as error:
            raise self.unreadable(name, "more decimals or digits than the currency has") from error
        return -minor if sign else minor

    def object(self, name: str) -> "Members":
        """An object inside."""
        return self._members(name, self.values.get(name))

    def find_object(self, name: str) -> "Members | None":
        """An object that the bank may leave out."""
        return None if self.values.get(name) is None else self.object(name)

    def objects(self, name: str) -> tuple["Members", ...]:
        """A list of objects."""
        found = self.values.get(name)
        if not isinstance(found, list):
            raise self.unreadable(name, "a list is expected")
        return tuple(self._members(name, item) for item in found)

    def find_objects(self, name: str) -> tuple["Members", ...]:
        """A list of objects that the bank may leave out."""
        return () if self.values.get(name) is None else self.objects(name)

    def unreadable(self, name: str, why: str) -> ExternalDependencyError:
        """The error for a member that is not as it should be; what was sent is not repeated, for it may be secret."""
        return ExternalDependencyError(BANK_API_ERROR, request=self.request, member=name, why=why)

    def _members(self, name: str, found: Any) -> "Members":
        if not isinstance(found, dict):
            raise self.unreadable(name, "an object is expected")
        return Members(self.request, found)


def read_answer(request: HttpRequest, response: HttpResponse) -> Members:
    """The object that a bank answered with."""
    try:
        found = response.document()
    except ValueError as error:
        raise ExternalDependencyError(
            BANK_API_ERROR, request=request.name, status=response.status, why="the answer is not JSON"
        ) from error
    if not isinstance(found, dict):
        raise ExternalDependencyError(
            BANK_API_ERROR, request=request.name, status=response.status, why="an object is expected"
        )
    return Members(request.name, found)


def refuse_unless_clear(request: HttpRequest, response: HttpResponse) -> None:
    """Raise for what every bank means alike: too many requests, and answers that say the bank is broken.

    Redirects are not followed, so one is a fault of the bank's too.
    """
    if response.status == _STATUS_TOO_MANY:
        raise rate_limited(request, response)
    if response.status >= _STATUS_BROKEN or response.status < 200 or 300 <= response.status < 400:
        raise ExternalDependencyError(BANK_API_ERROR, request=request.name, status=response.status)


def rate_limited(request: HttpRequest, response: HttpResponse) -> ExternalDependencyError:
    """The error that says how long the bank wants to be left alone, where it does."""
    wait = response.retry_after_seconds
    details = {} if wait is None else {"retry_after_ms": wait * 1000}
    return ExternalDependencyError(BANK_RATE_LIMITED, request=request.name, status=response.status, **details)


def refused(request: HttpRequest, response: HttpResponse, reason: Reason, bank_code: str) -> LedgercoreError:
    """The error for a refusal, with the bank's own code if that is one word, and tells nothing that we sent."""
    told = _CODE.fullmatch(bank_code) and not _repeats(bank_code, request)
    code = {"bank_code": bank_code} if told else {}
    return error_for(reason, {"request": request.name, "status": response.status, **code})


def _repeats(bank_code: str, request: HttpRequest) -> bool:
    """Whether a code has one of our tokens in it, or a part of one."""
    sent = " ".join([*request.headers.values(), *(request.form or {}).values()]).split()
    return any(word in bank_code or bank_code in word for word in sent if len(word) >= SECRET_LENGTH_MIN)


def refusal_code(response: HttpResponse, *names: str) -> str:
    """The first of some members of a refusal that is a text; empty for none, since a refusal may be anything."""
    try:
        found = response.document()
    except ValueError:
        return ""
    members = found if isinstance(found, dict) else {}
    return next((code for name in names if isinstance(code := members.get(name), str)), "")
