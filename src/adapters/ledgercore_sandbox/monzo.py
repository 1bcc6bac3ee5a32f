"""The Monzo-shaped API: accounts, balances, transactions and webhooks, as its public documentation tells."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import field, frozen

from ledgercore_sandbox.authorizing import LoginDesk, TokenDesk
from ledgercore_sandbox.bank import SandboxBank
from ledgercore_sandbox.books import Account, Brand, Row, State, UnknownName
from ledgercore_sandbox.calls import Answer, Call, Refusal, Route
from ledgercore_sandbox.faults import OFF_BY_MINOR, FaultKind, change_behind_a_page
from ledgercore_sandbox.grants import CLIENT_ID, Grant, OAuthRefused, TokenRefused
from ledgercore_sandbox.monzo_documents import account_document, transaction_document

PAGE_ROWS: Final = 30
PAGE_ROWS_MAX: Final = 100
OPEN_HISTORY: Final = timedelta(minutes=5)
"""So long after logging in, everything may be read; afterwards only what is younger than `CLOSED_HISTORY`."""
CLOSED_HISTORY: Final = timedelta(days=90)
STATUS_CODES: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "bad_request.too_large",
    429: "too_many_requests",
    500: "internal_service",
    504: "timeout",
}
_TOKEN_TEXTS: Final = {
    "unknown": ("unauthorized.bad_access_token", "Access token is not known"),
    "expired": ("unauthorized.bad_access_token.expired", "Access token has expired"),
    "evicted": ("unauthorized.bad_access_token.evicted", "Access token has been evicted"),
}
_METADATA: Final = re.compile(r"metadata\[(.+)\]", re.S)


class _AnyScope:
    """Monzo knows no scopes: whoever is let in sees every account."""

    def is_known(self, scope: str) -> bool:
        return True

    def decide(self, scope: str, customer_id: str, decision: str) -> None:
        """Nothing but the grant itself is noted."""


@frozen
class MonzoApi:
    """Answers requests under `/monzo`."""

    bank: SandboxBank
    prefix: str = field(default="/monzo", init=False)

    def routes(self) -> list[Route]:
        """Every method and path that there is."""
        desk = LoginDesk(
            bank=self.bank, brand=Brand.MONZO, title="Sandbox bank", needs_challenge=False, scopes=_AnyScope()
        )
        return [
            Route("GET", "/monzo/authorize", desk.ask),
            Route("POST", "/monzo/authorize", desk.answer),
            Route("POST", "/monzo/oauth2/token", self.issue_tokens),
            Route("GET", "/monzo/ping/whoami", self.who_am_i),
            Route("GET", "/monzo/accounts", self.list_accounts),
            Route("GET", "/monzo/balance", self.read_balance),
            Route("GET", "/monzo/pots", self.list_pots),
            Route("GET", "/monzo/transactions", self.list_transactions),
            Route("GET", "/monzo/transactions/{row_id}", self.get_transaction),
            Route("PATCH", "/monzo/transactions/{row_id}", self.annotate),
            Route("POST", "/monzo/feed", self.create_feed_item),
            Route("GET", "/monzo/webhooks", self.list_webhooks),
            Route("POST", "/monzo/webhooks", self.register_webhook),
            Route("DELETE", "/monzo/webhooks/{webhook_id}", self.delete_webhook),
        ]

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """A refusal as this API tells it."""
        document = {"code": refusal.code, "message": str(refusal), **refusal.extra}
        return Answer(status=refusal.status, document=document, headers=refusal.headers)

    def refusal_of(self, status: int, text: str) -> Refusal:
        """A refusal for a status alone."""
        return Refusal(status, STATUS_CODES.get(status, "unknown"), text)

    def issue_tokens(self, call: Call) -> Answer:
        """Tokens for a code or a refresh token."""
        try:
            issued = TokenDesk(bank=self.bank, brand=Brand.MONZO, needs_secret=True).issue(call)
        except OAuthRefused as refused:
            is_malformed = refused.error == "unsupported_grant_type"
            status, code = (400, "bad_request") if is_malformed else (401, f"unauthorized.{refused.error}")
            extra = {"error": refused.error, "error_description": str(refused)}
            raise Refusal(status, code, str(refused), extra=extra) from refused
        return Answer(
            document={
                "access_token": issued.access_token,
                "client_id": CLIENT_ID,
                "expires_in": issued.expires_in_seconds,
                "refresh_token": issued.refresh_token,
                "token_type": "Bearer",
                "user_id": issued.grant.customer_id,
            }
        )

    def who_am_i(self, call: Call) -> Answer:
        """Whom the token stands for."""
        grant = self._grant(call)
        return Answer(document={"authenticated": True, "client_id": CLIENT_ID, "user_id": grant.customer_id})

    def list_accounts(self, call: Call) -> Answer:
        """Every account of the customer."""
        customer = self.bank.books.customers[self._approved(call).customer_id]
        if call.query.get("account_type", "uk_retail") != "uk_retail":
            return Answer(document={"accounts": []})
        held = self.bank.books.accounts_of(customer.id, Brand.MONZO)
        return Answer(document={"accounts": [account_document(account, customer) for account in held]})

    def read_balance(self, call: Call) -> Answer:
        """An account's balance; what is pending is taken off it."""
        account = self._account(call, call.query)
        off_by = OFF_BY_MINOR if self.bank.faults.happens(call.path, FaultKind.WRONG_BALANCE) else 0
        balance_minor = self.bank.books.balance(account.id).expected_minor + off_by
        today = self.bank.clock().date()
        newest = self.bank.books.created_after(account.id, None, before=None, limit=PAGE_ROWS_MAX)
        spent = (
            min(0, row.amount_minor)
            for row in newest
            if row.created_at.date() == today and row.state is not State.DECLINED
        )
        return Answer(
            document={
                "balance": balance_minor,
                "total_balance": balance_minor,
                "balance_including_flexible_savings": balance_minor,
                "currency": account.currency,
                "spend_today": sum(spent),
                "local_currency": "",
                "local_exchange_rate": 0,
                "local_spend": [],
            }
        )

    def list_pots(self, call: Call) -> Answer:
        """Nobody has pots here."""
        self._account(call, call.query, name="current_account_id")
        return Answer(document={"pots": []})

    def list_transactions(self, call: Call) -> Answer:
        """A page of transactions, oldest first: the first ones since a time or row, or else the newest."""
        since, limit = call.query.get("since"), _limit(call.query.get("limit"))
        starts_behind_a_row = since is not None and since.startswith("tx_")
        if starts_behind_a_row and self.bank.faults.happens(call.path, FaultKind.TOKEN_EXPIRY_MID_PAGE):
            self.bank.grants[Brand.MONZO].expire(call.bearer or "")
        account = self._account(call, call.query)
        start = since if starts_behind_a_row else _moment(since, "since")
        before = _moment(call.query.get("before"), "before")
        try:
            self._check_history(self._grant(call), start)
            rows = self.bank.books.created_after(account.id, start, before=before, limit=limit)
        except UnknownName as error:
            raise Refusal(400, "bad_request.bad_param.since", "No such transaction") from error
        whole = call.query.get("expand[]") == "merchant"
        documents = [transaction_document(row, account.currency, with_merchant=whole) for row in rows]
        if self.bank.faults.happens(call.path, FaultKind.DUPLICATE_ROWS):
            documents = [document for document in documents for _ in range(2)]
        change_behind_a_page(self.bank.books, self.bank.names, self.bank.faults, path=call.path, account_id=account.id)
        return Answer(document={"transactions": documents})

    def get_transaction(self, call: Call) -> Answer:
        """One transaction, however old."""
        row, account = self._row(call)
        whole = call.query.get("expand[]") == "merchant"
        return Answer(document={"transaction": transaction_document(row, account.currency, with_merchant=whole)})

    def annotate(self, call: Call) -> Answer:
        """Keep the client's notes with a transaction."""
        row, account = self._row(call)
        notes = {found[1]: text for name, text in call.form.items() if (found := _METADATA.fullmatch(name))}
        annotated = self.bank.books.annotate(row.id, notes)
        return Answer(document={"transaction": transaction_document(annotated, account.currency)})

    def create_feed_item(self, call: Call) -> Answer:
        """Take a feed item, which nobody will see: there is no app."""
        self._account(call, call.form)
        for name in ("type", "params[title]", "params[image_url]"):
            _required(call.form, name)
        return Answer(document={})

    def list_webhooks(self, call: Call) -> Answer:
        """The addresses that hear of an account."""
        account = self._account(call, call.query)
        listed = self.bank.webhooks.of_account(account.id)
        return Answer(document={"webhooks": [_webhook(each.id, account.id, each.url) for each in listed]})

    def register_webhook(self, call: Call) -> Answer:
        """Tell an address of an account's transactions from now on."""
        account, url = self._account(call, call.form), _required(call.form, "url")
        if not url.startswith(("http://", "https://")):
            raise Refusal(400, "bad_request.bad_param.url", "url is no web address")
        webhook = self.bank.webhooks.register(account.id, url)
        return Answer(document={"webhook": _webhook(webhook.id, account.id, url)})

    def delete_webhook(self, call: Call) -> Answer:
        """Tell an address no longer."""
        grant, webhook_id = self._approved(call), call.parameters["webhook_id"]
        webhook = self.bank.webhooks.registered.get(webhook_id)
        if webhook is None or self.bank.books.account(webhook.account_id).customer_id != grant.customer_id:
            raise Refusal(404, "not_found.webhook", "Webhook not found")
        del self.bank.webhooks.registered[webhook_id]
        return Answer(document={})

    def _grant(self, call: Call) -> Grant:
        if call.bearer is None:
            raise Refusal(401, "unauthorized.missing_token", "No access token", extra={"error": "invalid_token"})
        try:
            return self.bank.grants[Brand.MONZO].open(call.bearer)
        except TokenRefused as refused:
            code, text = _TOKEN_TEXTS[refused.why]
            raise Refusal(401, code, text, extra={"error": "invalid_token", "error_description": text}) from refused

    def _approved(self, call: Call) -> Grant:
        grant = self._grant(call)
        if not grant.is_approved:
            raise Refusal(403, "forbidden.insufficient_permissions", "Access forbidden due to insufficient permissions")
        return grant

    def _account(self, call: Call, told: Any, *, name: str = "account_id") -> Account:
        grant = self._approved(call)
        account = self.bank.books.accounts.get(_required(told, name))
        if account is None or (account.customer_id, account.brand) != (grant.customer_id, Brand.MONZO):
            raise Refusal(404, "not_found.account", "Account not found")
        return account

    def _row(self, call: Call) -> tuple[Row, Account]:
        grant = self._approved(call)
        try:
            row = self.bank.books.row(call.parameters["row_id"])
        except UnknownName as error:
            raise Refusal(404, "not_found.transaction", "Transaction not found") from error
        account = self.bank.books.account(row.account_id)
        if (account.customer_id, account.brand) != (grant.customer_id, Brand.MONZO):
            raise Refusal(404, "not_found.transaction", "Transaction not found")
        return row, account

    def _check_history(self, grant: Grant, start: datetime | str | None) -> None:
        now = self.bank.clock()
        begin = self.bank.books.place(start)[0] if isinstance(start, str) else start
        if now - grant.authenticated_at > OPEN_HISTORY and (begin is None or now - begin > CLOSED_HISTORY):
            raise Refusal(403, "forbidden.verification_required", "Verification required")


def _required(told: Any, name: str) -> str:
    if not told.get(name):
        raise Refusal(400, f"bad_request.missing_param.{name}", f"Missing parameter: {name}")
    return str(told[name])


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_ROWS
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= PAGE_ROWS_MAX:
        raise Refusal(400, "bad_request.bad_param.limit", f"limit is 1 to {PAGE_ROWS_MAX}")
    return int(text)


def _moment(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    raise Refusal(400, f"bad_request.bad_param.{name}", f"{name} is no RFC 3339 time")


def _webhook(webhook_id: str, account_id: str, url: str) -> dict[str, str]:
    return {"id": webhook_id, "account_id": account_id, "url": url}
