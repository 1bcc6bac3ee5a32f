"""Users' connections to banks: how they stand, the tokens they open accounts with, and the runs that synchronise."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from attrs import Attribute, evolve, field, frozen

from ledgercore.banking.banks import refused
from ledgercore.banking.observations import Tokens
from ledgercore.errors import ExternalDependencyError, InternalError
from ledgercore.errors.catalog import BANK_API_ERROR, INTERNAL_SERVER_ERROR
from ledgercore.identity.secrets import Sealer
from ledgercore.ledger.documents import parse_json
from ledgercore.ledger.texts import encode_json, parse_moment

SYNC_FREQUENCY_SECONDS: Final = 3_600
SYNC_FREQUENCY_SECONDS_MIN: Final = 300
SYNC_FREQUENCY_SECONDS_MAX: Final = 86_400
TOKEN_LENGTH_MIN: Final = 10
RUN_WINDOW: Final = timedelta(seconds=300)
"""At most one run of a login begins in it."""
RUN_LEASE: Final = timedelta(seconds=120)
"""How long a run is its worker's alone after each step; then another may go on with it."""
REFRESH_BEFORE: Final = timedelta(seconds=120)
"""How long before its end a token is replaced."""
_USERNAME: Final = re.compile(r"[A-Za-z0-9]{3,50}", re.ASCII)


class LoginStatus(StrEnum):
    """INACTIVE ones are not connected, or not any more; ERROR has a reason, and the user must connect again."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ERROR = "ERROR"


def _check_username(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, str) or not _USERNAME.fullmatch(value):
        raise refused(attribute.name, value, "3 to 50 letters and digits")


def _check_frequency(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if type(value) is not int or not SYNC_FREQUENCY_SECONDS_MIN <= value <= SYNC_FREQUENCY_SECONDS_MAX:
        raise refused(attribute.name, value, "300 to 86400 seconds")


@frozen(kw_only=True)
class Run:
    """One synchronisation of a login, until it is through; whoever has its lease goes on with it."""

    id: UUID
    started_at: datetime
    leased_until: datetime


@frozen(kw_only=True)
class BankLogin:
    """A user's connection to a bank. `status_reason` is the code of the reason for ERROR.

    `tokens_version` counts the tokens it has had: who replaces them names the version that was replaced. `run` is the
    one that is not through; `last_run_at` when the last one began.
    """

    id: UUID
    user_id: UUID
    bank_branch_id: UUID
    username: str = field(validator=_check_username)
    status: LoginStatus
    inserted_at: datetime
    updated_at: datetime
    status_reason: str | None = None
    sync_frequency_seconds: int = field(default=SYNC_FREQUENCY_SECONDS, validator=_check_frequency)
    sealed_tokens: bytes | None = field(default=None, repr=False)
    tokens_version: int = 0
    token_expires_at: datetime | None = None
    consent_expires_at: datetime | None = None
    last_sync_at: datetime | None = None
    next_sync_at: datetime | None = None
    last_run_at: datetime | None = None
    run: Run | None = None

    @property
    def tokens_context(self) -> str:
        """The row and column that the tokens are sealed for."""
        return f"bank_logins/{self.id}/tokens"

    def needs_refresh(self, now: datetime) -> bool:
        """Whether the access token ends so soon that it should be replaced first."""
        return self.token_expires_at is not None and self.token_expires_at - now <= REFRESH_BEFORE

    def with_tokens(self, tokens: Tokens, *, sealer: Sealer, now: datetime) -> "BankLogin":
        """The login with new tokens, sealed, and connected.

        Raises `bank_api_error` for tokens that are too short, or at an end already.
        """
        if min(len(tokens.access_token), len(tokens.refresh_token or tokens.access_token)) < TOKEN_LENGTH_MIN:
            raise ExternalDependencyError(BANK_API_ERROR, why="a token has at least 10 characters")
        if tokens.expires_at is not None and tokens.expires_at <= now:
            raise ExternalDependencyError(BANK_API_ERROR, why="the token is at its end already")
        return evolve(
            self,
            status=LoginStatus.ACTIVE,
            status_reason=None,
            sealed_tokens=sealer.seal(_tokens_document(tokens), context=self.tokens_context),
            tokens_version=self.tokens_version + 1,
            token_expires_at=tokens.expires_at,
            updated_at=now,
        )

    def open_tokens(self, sealer: Sealer) -> Tokens:
        """The tokens; raises `InternalError` when they were sealed for another login, or changed."""
        if self.sealed_tokens is None:
            raise InternalError(INTERNAL_SERVER_ERROR, why="the login has no tokens", bank_login_id=self.id)
        return _tokens_from(sealer.open(self.sealed_tokens, context=self.tokens_context))

    def failed(self, reason: str, *, now: datetime) -> "BankLogin":
        """The login that its user must connect again; its tokens are good for nothing and are dropped."""
        return evolve(
            self,
            status=LoginStatus.ERROR,
            status_reason=reason,
            sealed_tokens=None,
            token_expires_at=None,
            next_sync_at=None,
            run=None,
            updated_at=now,
        )

    def disconnected(self, *, now: datetime) -> "BankLogin":
        """The login without tokens and plans; its accounts and what is known of them stay.

        Whoever is replacing its tokens just now is told so by their version.
        """
        ended = self.failed("", now=now)
        return evolve(ended, status=LoginStatus.INACTIVE, status_reason=None, tokens_version=self.tokens_version + 1)


def _tokens_document(tokens: Tokens) -> bytes:
    return encode_json(
        {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": None if tokens.expires_at is None else tokens.expires_at.isoformat(),
            "extra": tokens.extra,
        }
    )


def _tokens_from(document: bytes) -> Tokens:
    found = parse_json(document)
    ends = found["expires_at"]
    return Tokens(
        access_token=found["access_token"],
        refresh_token=found["refresh_token"],
        expires_at=None if ends is None else parse_moment(ends, field="expires_at"),
        extra=found["extra"],
    )
