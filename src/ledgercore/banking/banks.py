"""Banks and their branches."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from attrs import Attribute, field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_BANK, INVALID_NAME_FORMAT

URL_LENGTH_MAX: Final = 2_000
CLIENT_ID_LENGTH_MAX: Final = 200
_COUNTRY: Final = re.compile(r"[A-Z]{2,3}", re.ASCII)
_CODE: Final = re.compile(r"[A-Z0-9_]{3,32}", re.ASCII)
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}", re.ASCII)
_SWIFT_CODE: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}[A-Z0-9]{3}", re.ASCII)
_ROUTING_NUMBER: Final = re.compile(r"[0-9]{9}", re.ASCII)


class BankStatus(StrEnum):
    """Whether a bank may be connected to; connections that there are stay."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Integration(StrEnum):
    """Whose language a bank speaks: one of the kinds of clients, or none that we know."""

    MONZO = "monzo"
    BERLIN_GROUP = "berlin_group"
    NONE = "none"


def refused(field: str, value: object, why: str) -> ValidationError:
    """The error for a field of a bank, branch or login that cannot be like that."""
    return ValidationError(INVALID_BANK, field=field, value=shortened(value), why=why)


def _fits(pattern: re.Pattern[str], why: str) -> Any:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            raise refused(attribute.name, value, why)

    return check


def _check_name(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, str) or not 2 <= len(value) <= 100 or not value.isprintable():
        raise ValidationError(
            INVALID_NAME_FORMAT, field=attribute.name, value=shortened(value), why="2 to 100 printable characters"
        )


def _check_url(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if value is None:
        return
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= URL_LENGTH_MAX else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or not str(value).isascii():
        raise refused(attribute.name, value, "an absolute http(s) URL of at most 2000 characters")


def _check_client_id(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if value is not None and (
        not isinstance(value, str) or not 1 <= len(value) <= CLIENT_ID_LENGTH_MAX or not value.isprintable()
    ):
        raise refused(attribute.name, value, "1 to 200 printable characters")


@frozen(kw_only=True)
class Bank:
    """A bank that users have accounts at. With an integration, users can connect to it.

    `sealed_client_secret` is bound to the bank's id. Raises `invalid_name_format`, and `invalid_bank` with the field.
    """

    id: UUID
    name: str = field(validator=_check_name)
    country: str = field(validator=_fits(_COUNTRY, "2 or 3 capital letters"))
    code: str = field(validator=_fits(_CODE, "3 to 32 capital letters, digits and underscores"))
    status: BankStatus
    integration: Integration
    inserted_at: datetime
    updated_at: datetime
    logo_url: str | None = field(default=None, validator=_check_url)
    api_url: str | None = field(default=None, validator=_check_url)
    authorize_url: str | None = field(default=None, validator=_check_url)
    token_url: str | None = field(default=None, validator=_check_url)
    client_id: str | None = field(default=None, validator=_check_client_id)
    sealed_client_secret: bytes | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.integration is not Integration.NONE:
            for name in ("api_url", "authorize_url", "client_id"):
                if getattr(self, name) is None:
                    raise refused(name, None, f"a bank that speaks {self.integration} has one")

    @property
    def secret_context(self) -> str:
        """The row and column that the client's secret is sealed for."""
        return f"banks/{self.id}/client_secret"


@frozen(kw_only=True)
class Branch:
    """A branch of a bank. Raises `invalid_name_format`, and `invalid_bank` with the field."""

    id: UUID
    bank_id: UUID
    name: str = field(validator=_check_name)
    country: str = field(validator=_fits(_COUNTRY, "2 or 3 capital letters"))
    inserted_at: datetime
    updated_at: datetime
    iban: str | None = field(default=None, validator=_fits(_IBAN, "an IBAN in capitals without spaces"))
    swift_code: str | None = field(default=None, validator=_fits(_SWIFT_CODE, "a BIC of 11 capitals and digits"))
    routing_number: str | None = field(default=None, validator=_fits(_ROUTING_NUMBER, "9 digits"))
