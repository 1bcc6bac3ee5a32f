"""NextGenPSD2 of the Berlin Group, account information 1.3.11: consents, accounts, balances, transactions."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit
from uuid import NAMESPACE_URL, uuid5

from attrs import frozen

from ledgercore.banking.clients.answers import (
    Members,
    rate_limited,
    read_answer,
    refuse_unless_clear,
    refused,
)
from ledgercore.banking.clients.client import Registration
from ledgercore.banking.clients.oauth import authorize_url, code_form, refresh_form, request_tokens
from ledgercore.banking.exchange import Exchange
from ledgercore.banking.observations import (
    AccountSeen,
    BalanceSeen,
    Permission,
    RowSeen,
    RowsPage,
    RowStatus,
    Tokens,
)
from ledgercore.clock import EPOCH
from ledgercore.errors import BusinessRuleError, LedgercoreError, ValidationError
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    BANK_RATE_LIMITED,
    BANK_REFUSED,
    CONSENT_EXPIRED,
    FORBIDDEN_ADDRESS,
    HISTORY_WINDOW_CLOSED,
    INVALID_TOKEN,
    TOKEN_EXPIRED,
)
from ledgercore.errors.reason import Reason
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.money import Money
from ledgercore.money.currency import ISO, Currency
from ledgercore.statements.statements import Direction

CONSENT_DAYS: Final = 180
READS_PER_DAY: Final = 4
LINK_LENGTH_MAX: Final = 2048
CONSENT_ID: Final = "consent_id"
_CONSENT_HEADER: Final = "consent-id"
_PLAIN_URL: Final = re.compile(r"[!-~]+", re.ASCII)
# Interim is of this moment; closing is of the last day that was closed. The others have pending rows in them.
_BOOKED_BALANCES: Final = ("interimBooked", "closingBooked")
_CONSENTS_AT_AN_END: Final = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})
_ALL_ACCOUNTS: Final[Mapping[str, Any]] = {"allPsd2": "allAccounts"}
# Empty lists leave it to the bank to ask the user which accounts.
_ACCOUNTS_CHOSEN_THERE: Final[Mapping[str, Any]] = {"accounts": [], "balances": [], "transactions": []}
_CHOICE_NOT_SUPPORTED: Final = frozenset({"PARAMETER_NOT_SUPPORTED", "SERVICE_INVALID"})
# An account in several currencies is listed once as a whole, without a currency, and once for each of them.
_SEVERAL_CURRENCIES: Final = "XXX"
_ACCOUNT_TYPES: Final[Mapping[str, str]] = {"SVGS": "SAVINGS", "CARD": "CREDIT", "LOAN": "CREDIT"}
_NO_REFERENCE: Final = frozenset({"NOTPROVIDED", "NOT PROVIDED"})
# No user can mend a certificate or signature of ours that the bank does not take.
_ABOUT_US: Final = ("CERTIFICATE_", "SIGNATURE_")
_REASONS: Final[Mapping[str, Reason]] = {
    "ACCESS_EXCEEDED": BANK_RATE_LIMITED,
    "CONSENT_EXPIRED": CONSENT_EXPIRED,
    "CONSENT_INVALID": CONSENT_EXPIRED,
    "CONSENT_UNKNOWN": CONSENT_EXPIRED,
    "PERIOD_INVALID": HISTORY_WINDOW_CLOSED,
    "RESOURCE_UNKNOWN": ACCOUNT_NOT_FOUND,
    "TOKEN_EXPIRED": TOKEN_EXPIRED,
    "TOKEN_INVALID": INVALID_TOKEN,
    "TOKEN_UNKNOWN": INVALID_TOKEN,
}


@frozen
class BerlinGroupClient:
    """Speaks the Berlin Group's language, with OAuth2 as the way for users to agree.

    Amounts are decimal texts with a sign. `api_url` is what comes before `/v1`.
    """

    registration: Registration

    def begin_consent(
        self, *, state: str, verifier: str, now: datetime, user_address: str | None = None
    ) -> Exchange[Permission]:
        """Set up a consent for all accounts, or for those that the user chooses where the bank has no such thing.

        The Berlin Group demands `user_address`. The consent asks for 180 days and four readings a day without the user.
        """
        request = self._consent_request(_ALL_ACCOUNTS, state, now, user_address)
        response = yield request
        if response.status == 400 and _code_of(response) in _CHOICE_NOT_SUPPORTED:
            request = self._consent_request(_ACCOUNTS_CHOSEN_THERE, state, now, user_address)
            response = yield request
        consent_id = _read(request, response).word("consentId")
        url = authorize_url(self.registration, state=state, verifier=verifier, scope=f"AIS:{consent_id}")
        return Permission(url=url, state=state, verifier=verifier, extra={CONSENT_ID: consent_id})

    def finish_consent(self, *, code: str, verifier: str, extra: dict[str, str], now: datetime) -> Exchange[Tokens]:
        """Tokens for the code, unless the consent has come to an end meanwhile."""
        consent_id = extra[CONSENT_ID]
        url = f"{self.registration.api_url}/v1/consents/{quote(consent_id, safe='')}/status"
        request = HttpRequest(
            name="berlin group consent status", method="GET", url=url, headers=_headers(f"{consent_id} {code}")
        )
        status = _read(request, (yield request)).id("consentStatus")
        if status in _CONSENTS_AT_AN_END:
            raise BusinessRuleError(CONSENT_EXPIRED, request=request.name, consent_status=status)
        form = code_form(self.registration, code=code, verifier=verifier)
        return (yield from request_tokens("berlin group tokens", self.registration, form, extra=extra, now=now))

    def refresh(self, tokens: Tokens, *, now: datetime) -> Exchange[Tokens]:
        """Tokens in place of old ones; `consent_expired` without a refresh token that is taken."""
        if tokens.refresh_token is None:
            raise BusinessRuleError(CONSENT_EXPIRED, request="berlin group refresh", why="there is no refresh token")
        form = refresh_form(self.registration, tokens.refresh_token)
        return (yield from request_tokens("berlin group refresh", self.registration, form, extra=tokens.extra, now=now))

    def list_accounts(self, tokens: Tokens) -> Exchange[tuple[AccountSeen, ...]]:
        """Every account that the consent is for; one in several currencies is as many accounts."""
        request = self._get("berlin group accounts", "/v1/accounts", tokens)
        answer = _read(request, (yield request))
        seen = (_account(found) for found in answer.objects("accounts"))
        return tuple(account for account in seen if account.currency != _SEVERAL_CURRENCIES)

    def read_balance(self, tokens: Tokens, account: AccountSeen) -> Exchange[BalanceSeen]:
        """The booked balance: interim if the bank tells it, else of the last closed day."""
        request = self._get("berlin group balances", f"{_path(account)}/balances", tokens)
        answer = _read(request, (yield request))
        told = {
            found.id("balanceType"): found
            for found in reversed(answer.objects("balances"))
            if not found.flag("creditLimitIncluded")
        }
        booked = next((told[kind] for kind in _BOOKED_BALANCES if kind in told), None)
        if booked is None:
            raise answer.unreadable("balances", "a booked balance is expected")
        return BalanceSeen(
            money=_money(booked, "balanceAmount", ISO.get(account.currency)),
            includes_pending=False,
            at=booked.find_moment("lastChangeDateTime") or booked.find_day("referenceDate"),
        )

    def list_rows(
        self, tokens: Tokens, account: AccountSeen, *, since: datetime | None, cursor: str | None
    ) -> Exchange[RowsPage]:
        """A page of transactions, booked ones first, then those pending; cursors are the bank's links to next pages.

        A link is followed only to accounts of the same bank, for the token goes with it. Raises
        `history_window_closed` for a day from too long ago.
        """
        if cursor is None:
            query = {"bookingStatus": "both", "dateFrom": (since or EPOCH).date().isoformat()}
            request = self._get("berlin group transactions", f"{_path(account)}/transactions", tokens, query)
        elif self._is_ours(cursor):
            request = self._get("berlin group transactions", "", tokens, url=cursor)
        else:
            raise ValidationError(FORBIDDEN_ADDRESS, why="the cursor is no link to accounts of this bank")
        response = yield request
        answer = _read(request, response)
        report, currency, told_at = answer.object("transactions"), ISO.get(account.currency), _told_at(response)
        rows = (
            *(_row(found, RowStatus.BOOKED, currency, told_at) for found in report.find_objects("booked")),
            *(_row(found, RowStatus.PENDING, currency, told_at) for found in report.find_objects("pending")),
        )
        links = report.find_object("_links") or answer.find_object("_links")
        following = links.find_object("next") if links else None
        if following is None:
            return RowsPage(rows=rows, next_cursor=None)
        next_url = urljoin(request.url, following.word("href"))
        if not self._is_ours(next_url) or next_url == cursor:
            raise following.unreadable("href", "a link to another page of accounts of this bank is expected")
        return RowsPage(rows=rows, next_cursor=next_url)

    def _consent_request(
        self, access: Mapping[str, Any], state: str, now: datetime, user_address: str | None
    ) -> HttpRequest:
        body = {
            "access": access,
            "recurringIndicator": True,
            "validUntil": (now + timedelta(days=CONSENT_DAYS)).date().isoformat(),
            "frequencyPerDay": READS_PER_DAY,
            "combinedServiceIndicator": False,
        }
        return HttpRequest(
            name="berlin group consent",
            method="POST",
            url=f"{self.registration.api_url}/v1/consents",
            headers={
                **_headers(f"{state} {sorted(access)}"),
                "tpp-redirect-uri": self.registration.redirect_url,
                "tpp-redirect-preferred": "true",
                **({"psu-ip-address": user_address} if user_address else {}),
            },
            json=body,
            safe=False,
        )

    def _get(
        self, name: str, path: str, tokens: Tokens, query: Mapping[str, str] | None = None, *, url: str | None = None
    ) -> HttpRequest:
        address = url or f"{self.registration.api_url}{path}"
        headers = {
            **_headers(f"{tokens.access_token} {address}"),
            "authorization": f"Bearer {tokens.access_token}",
            _CONSENT_HEADER: tokens.extra[CONSENT_ID],
        }
        return HttpRequest(name=name, method="GET", url=address, headers=headers, query=query or {})

    def _is_ours(self, url: str) -> bool:
        """Whether an address is below the accounts of this bank, without any way out of there."""
        if len(url) > LINK_LENGTH_MAX or not _PLAIN_URL.fullmatch(url):
            return False
        here, there = urlsplit(f"{self.registration.api_url}/v1/accounts/"), urlsplit(url)
        steps = unquote(there.path).replace("\\", "/").split("/")
        return (
            (there.scheme, there.netloc) == (here.scheme, here.netloc)
            and there.path.startswith(here.path)
            and not {".", ".."} & set(steps)
        )


def _headers(unique: str) -> dict[str, str]:
    """What every request carries; its id comes from what makes it unique, so that a repeated one has the same."""
    return {"accept": "application/json", "x-request-id": str(uuid5(NAMESPACE_URL, unique))}


def _path(account: AccountSeen) -> str:
    return f"/v1/accounts/{quote(account.external_id, safe='')}"


def _read(request: HttpRequest, response: HttpResponse) -> Members:
    refuse_unless_clear(request, response)
    if response.is_success:
        return read_answer(request, response)
    raise _refusal(request, response)


def _refusal(request: HttpRequest, response: HttpResponse) -> LedgercoreError:
    bank_code = _code_of(response)
    if (reason := _REASONS.get(bank_code)) is BANK_RATE_LIMITED:
        return rate_limited(request, response)
    if bank_code.startswith(_ABOUT_US):
        return refused(request, response, BANK_REFUSED, bank_code)
    by_status = {401: INVALID_TOKEN, 404: ACCOUNT_NOT_FOUND}.get(response.status, BANK_REFUSED)
    return refused(request, response, reason or by_status, bank_code)


def _code_of(response: HttpResponse) -> str:
    """The code of the first error that the bank tells; empty for none."""
    try:
        found = response.document()
    except ValueError:
        return ""
    messages = found.get("tppMessages") if isinstance(found, dict) else None
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict) and isinstance(code := message.get("code"), str):
            return code
    return ""


def _account(found: Members) -> AccountSeen:
    iban = found.find_id("iban")
    return AccountSeen(
        external_id=found.id("resourceId"),
        currency=found.currency("currency").code,
        name=found.find_text("name") or found.find_text("product") or iban or found.id("resourceId"),
        account_type=_ACCOUNT_TYPES.get(found.find_id("cashAccountType") or "", "CHECKING"),
        last_four=iban[-4:] if iban else None,
        iban=iban,
        is_closed=found.find_id("status") == "deleted",
    )


def _row(found: Members, status: RowStatus, currency: Currency, told_at: datetime | None) -> RowSeen:
    money = _money(found, "transactionAmount", currency)
    direction = Direction.DEBIT if money.minor < 0 else Direction.CREDIT
    creditor, debtor = found.find_text("creditorName"), found.find_text("debtorName")
    counterparty = (creditor or debtor) if direction is Direction.DEBIT else (debtor or creditor)
    external_id = found.find_id("transactionId") or found.find_id("entryReference")
    # Pending ones may have no date at all: then they were made at the latest when the bank told of them.
    dated_at = found.find_day("bookingDate") or found.find_day("valueDate") or told_at
    if dated_at is None:
        raise found.unreadable("bookingDate", "a date is expected")
    return RowSeen(
        external_id=external_id if status is RowStatus.BOOKED else None,
        status=status,
        direction=direction,
        money=Money(abs(money.minor), currency),
        description=_description(found) or counterparty or "",
        created_at=dated_at,
        booked_at=dated_at if status is RowStatus.BOOKED else None,
        counterparty=counterparty,
        references=_references(found, external_id if status is RowStatus.BOOKED else None),
    )


def _references(found: Members, external_id: str | None) -> tuple[str, ...]:
    told = [found.find_id(name) for name in ("endToEndId", "transactionId", "entryReference", "checkId")]
    return tuple(name for name in told if name and name != external_id and name.upper() not in _NO_REFERENCE)


def _description(found: Members) -> str | None:
    return found.find_text("remittanceInformationUnstructured") or found.find_text("additionalInformation")


def _money(found: Members, name: str, currency: Currency) -> Money:
    """An amount with its sign, in the currency of the account and no other."""
    amount = found.object(name)
    if amount.currency("currency") != currency:
        raise amount.unreadable("currency", f"{currency} is expected")
    return Money(amount.signed_decimal("amount", currency), currency)


def _told_at(response: HttpResponse) -> datetime | None:
    """When the bank answered, by its own clock."""
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None
