"""Monzo's own API: OAuth2, accounts, balances, transactions paged by id, feed items, webhooks without signatures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen

from ledgercore.banking.clients.answers import (
    Members,
    read_answer,
    refusal_code,
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
from ledgercore.errors import BusinessRuleError, ValidationError
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    BANK_REFUSED,
    CONSENT_EXPIRED,
    CONSENT_PENDING,
    HISTORY_WINDOW_CLOSED,
    INVALID_TOKEN,
    PAYMENT_NOT_FOUND,
    TOKEN_EXPIRED,
    WEBHOOK_PROCESSING_FAILED,
)
from ledgercore.errors.reason import Reason
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.money import Money
from ledgercore.money.currency import ISO
from ledgercore.statements.statements import Direction

ROWS_PER_PAGE_MAX: Final = 100
NAME_LENGTH_MAX: Final = 64
_VERIFICATION: Final = "forbidden.verification_required"
_WAITING_FOR_THE_USER: Final = frozenset({_VERIFICATION, "forbidden.insufficient_permissions"})
_ACCOUNT_TYPES: Final[Mapping[str, str]] = {
    "uk_monzo_flex": "CREDIT",
    "uk_monzo_flex_backing_loan": "CREDIT",
    "uk_loan": "CREDIT",
    "uk_savings": "SAVINGS",
}


@frozen
class MonzoClient:
    """Speaks Monzo's language. Amounts are signed minor units; the balance has pending transactions in it."""

    registration: Registration

    def begin_consent(
        self,
        *,
        state: str,
        verifier: str,
        now: datetime,  # noqa: ARG002 - other banks need both
        user_address: str | None = None,  # noqa: ARG002
    ) -> Exchange[Permission]:
        """Say where the user has to go; Monzo is not asked anything before, and does not mind a PKCE challenge."""
        yield from ()
        url = authorize_url(self.registration, state=state, verifier=verifier)
        return Permission(url=url, state=state, verifier=verifier)

    def finish_consent(self, *, code: str, verifier: str, extra: dict[str, str], now: datetime) -> Exchange[Tokens]:
        """Tokens for the code. They open nothing until the user agrees in Monzo's app: `consent_pending` until then."""
        form = code_form(self.registration, code=code, verifier=verifier)
        return request_tokens("monzo tokens", self.registration, form, extra=extra, now=now)

    def refresh(self, tokens: Tokens, *, now: datetime) -> Exchange[Tokens]:
        """Tokens in place of old ones, which end at once; `consent_expired` without a refresh token that is taken."""
        if tokens.refresh_token is None:
            raise BusinessRuleError(CONSENT_EXPIRED, request="monzo refresh", why="there is no refresh token")
        form = refresh_form(self.registration, tokens.refresh_token)
        return (yield from request_tokens("monzo refresh", self.registration, form, extra=tokens.extra, now=now))

    def list_accounts(self, tokens: Tokens) -> Exchange[tuple[AccountSeen, ...]]:
        """Every account that the user lets us see, closed ones too."""
        answer = yield from self._ask(self._get("monzo accounts", "/accounts", tokens))
        return tuple(_account(found) for found in answer.objects("accounts"))

    def read_balance(self, tokens: Tokens, account: AccountSeen) -> Exchange[BalanceSeen]:
        """The balance without pots, pending transactions in it."""
        query = {"account_id": account.external_id}
        answer = yield from self._ask(self._get("monzo balance", "/balance", tokens, query), missing=ACCOUNT_NOT_FOUND)
        return BalanceSeen(money=_money(answer, "balance", account.currency), includes_pending=True)

    def list_rows(
        self, tokens: Tokens, account: AccountSeen, *, since: datetime | None, cursor: str | None
    ) -> Exchange[RowsPage]:
        """At most 100 transactions, oldest first, after the one whose id the cursor is, or since a time.

        Raises `history_window_closed` for more than 90 days ago once five minutes have passed since the user agreed.
        """
        query = {
            "account_id": account.external_id,
            "limit": str(ROWS_PER_PAGE_MAX),
            "expand[]": "merchant",
            # Always told: without it the bank may begin with its newest transactions.
            "since": cursor or _rfc3339(since or EPOCH),
        }
        request = self._get("monzo transactions", "/transactions", tokens, query)
        answer = yield from self._ask(request, missing=ACCOUNT_NOT_FOUND, unverified=HISTORY_WINDOW_CLOSED)
        rows = tuple(_row(found, account.currency) for found in answer.objects("transactions"))
        last_id = rows[-1].external_id if len(rows) >= ROWS_PER_PAGE_MAX else None
        if cursor is not None and last_id == cursor:
            raise answer.unreadable("transactions", "the page ends where it should begin")
        return RowsPage(rows=rows, next_cursor=last_id)

    def read_row(self, tokens: Tokens, account: AccountSeen, transaction_id: str) -> Exchange[RowSeen]:
        """One transaction; raises `payment_not_found`, also for one of another account."""
        request = self._get(
            "monzo transaction", f"/transactions/{quote(transaction_id, safe='')}", tokens, {"expand[]": "merchant"}
        )
        answer = (yield from self._ask(request, missing=PAYMENT_NOT_FOUND)).object("transaction")
        if answer.find_id("account_id") not in (None, account.external_id):
            raise answer.unreadable("account_id", "the transaction is one of another account")
        return _row(answer, account.currency)

    def post_feed_item(
        self, tokens: Tokens, account: AccountSeen, *, title: str, body: str, image_url: str, url: str | None = None
    ) -> Exchange[None]:
        """Show the user a notice in Monzo's app; sent twice, it is shown twice."""
        form = {
            "account_id": account.external_id,
            "type": "basic",
            "params[title]": title,
            "params[body]": body,
            "params[image_url]": image_url,
            **({"url": url} if url else {}),
        }
        yield from self._ask(self._post("monzo feed", "/feed", tokens, form), missing=ACCOUNT_NOT_FOUND)

    def register_webhook(self, tokens: Tokens, account: AccountSeen, *, url: str) -> Exchange[str]:
        """Have every new transaction of an account told to an address; gives Monzo's id of that."""
        form = {"account_id": account.external_id, "url": url}
        answer = yield from self._ask(self._post("monzo webhook", "/webhooks", tokens, form), missing=ACCOUNT_NOT_FOUND)
        return answer.object("webhook").id("id")

    def _get(self, name: str, path: str, tokens: Tokens, query: Mapping[str, str] | None = None) -> HttpRequest:
        return HttpRequest(
            name=name,
            method="GET",
            url=f"{self.registration.api_url}{path}",
            headers=_headers(tokens),
            query=query or {},
        )

    def _post(self, name: str, path: str, tokens: Tokens, form: Mapping[str, str]) -> HttpRequest:
        url = f"{self.registration.api_url}{path}"
        return HttpRequest(name=name, method="POST", url=url, headers=_headers(tokens), form=form, safe=False)

    def _ask(
        self, request: HttpRequest, *, missing: Reason = BANK_REFUSED, unverified: Reason = CONSENT_PENDING
    ) -> Exchange[Members]:
        response = yield request
        refuse_unless_clear(request, response)
        if response.is_success:
            return read_answer(request, response)
        bank_code = refusal_code(response, "code", "error")
        raise refused(request, response, _reason_of(response, bank_code, missing, unverified), bank_code)


def row_named_by(payload: Mapping[str, Any]) -> tuple[str, str]:
    """The account and the transaction that a webhook is about.

    Nothing else is believed: the payload is not signed, so the transaction is read from Monzo itself. Raises
    `ValidationError` (`webhook_processing_failed`) for what is not about a new transaction.
    """
    data = payload.get("data")
    named = [data.get("account_id"), data.get("id")] if isinstance(data, Mapping) else []
    match payload.get("type"), named:
        case "transaction.created", [str(account_id), str(transaction_id)] if _is_name(account_id) and _is_name(
            transaction_id
        ):
            return account_id, transaction_id
    raise ValidationError(
        WEBHOOK_PROCESSING_FAILED, why="a `transaction.created` with the ids of account and transaction is expected"
    )


def _reason_of(response: HttpResponse, bank_code: str, missing: Reason, unverified: Reason) -> Reason:
    match response.status:
        case 401:
            return TOKEN_EXPIRED if bank_code.endswith(".expired") else INVALID_TOKEN
        case 403 if bank_code == _VERIFICATION:
            return unverified
        case 403 if bank_code in _WAITING_FOR_THE_USER:
            return CONSENT_PENDING
        case 404:
            return missing
    return BANK_REFUSED


def _headers(tokens: Tokens) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens.access_token}", "accept": "application/json"}


def _account(found: Members) -> AccountSeen:
    number = found.find_id("account_number")
    return AccountSeen(
        external_id=found.id("id"),
        currency=found.currency("currency").code,
        name=found.find_text("description") or found.id("id"),
        account_type=_ACCOUNT_TYPES.get(found.find_id("type") or "", "CHECKING"),
        last_four=number[-4:] if number else None,
        is_closed=found.flag("closed"),
    )


def _row(found: Members, currency: str) -> RowSeen:
    minor = _money(found, "amount", currency).minor
    settled_at, declined = found.find_moment("settled"), found.find_text("decline_reason")
    status = RowStatus.DECLINED if declined else RowStatus.BOOKED if settled_at else RowStatus.PENDING
    return RowSeen(
        external_id=found.id("id"),
        status=status,
        direction=Direction.DEBIT if minor < 0 else Direction.CREDIT,
        money=Money(abs(minor), ISO.get(currency)),
        description=found.find_text("description") or "",
        created_at=found.moment("created"),
        booked_at=settled_at if status is RowStatus.BOOKED else None,
        counterparty=_counterparty(found),
        decline_reason=declined,
    )


def _money(found: Members, name: str, currency: str) -> Money:
    """Minor units with a sign, in the currency of the account and no other."""
    if (told := found.currency("currency")).code != currency:
        raise found.unreadable("currency", f"{currency} is expected")
    return Money(found.whole(name), told)


def _counterparty(found: Members) -> str | None:
    # A merchant is an object when it is asked for, but an id where Monzo did not expand it.
    for name in ("merchant", "counterparty"):
        told = found.values.get(name)
        if isinstance(told, dict) and (called := found.object(name).find_text("name")):
            return called
    return None


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_name(text: str) -> bool:
    return text.isascii() and text.replace("_", "").isalnum() and len(text) <= NAME_LENGTH_MAX
