"""The Berlin-Group-shaped API: NextGenPSD2 AIS 1.3.11 with the OAuth approach, as its OpenAPI document tells."""

import ipaddress
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from attrs import field, frozen

from ledgercore_sandbox.authorizing import LATER, YES, LoginDesk, TokenDesk
from ledgercore_sandbox.bank import SandboxBank
from ledgercore_sandbox.berlin_group_documents import (
    ACCOUNTS,
    account_document,
    account_reference,
    balance_documents,
    transaction_document,
)
from ledgercore_sandbox.berlin_group_parameters import booking_status, check_request_id, day_in, whole_number_in
from ledgercore_sandbox.books import Account, Brand
from ledgercore_sandbox.calls import Answer, Call, Refusal, Route
from ledgercore_sandbox.consents import Consent, ConsentRequest, UnreadableConsent
from ledgercore_sandbox.faults import OFF_BY_MINOR, FaultKind, change_behind_a_page
from ledgercore_sandbox.grants import IssuedTokens, OAuthRefused, TokenRefused

PAGE_ROWS_MAX: Final = 100
CONSENTS: Final = "/bg/v1/consents"
SCOPE: Final = "AIS:"
STATUS_CODES: Final = {
    400: "FORMAT_ERROR",
    404: "RESOURCE_UNKNOWN",
    405: "SERVICE_INVALID",
    413: "FORMAT_ERROR",
    429: "ACCESS_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    504: "INTERNAL_SERVER_ERROR",
}
_TOKEN_CODES: Final = {"unknown": "TOKEN_UNKNOWN", "expired": "TOKEN_EXPIRED", "evicted": "TOKEN_INVALID"}


@frozen
class _ConsentScopes:
    """A scope names the consent that the customer is asked for."""

    bank: SandboxBank

    def is_known(self, scope: str) -> bool:
        consent = self.bank.consents.find(scope.removeprefix(SCOPE))
        return scope.startswith(SCOPE) and consent is not None and consent.status == "received"

    def decide(self, scope: str, customer_id: str, decision: str) -> None:
        consent = self.bank.consents.find(scope.removeprefix(SCOPE))
        assert consent is not None
        consent.customer_id = customer_id
        if decision != LATER:
            self.bank.consents.move(consent, "valid" if decision == YES else "rejected")


@frozen
class BerlinGroupApi:
    """Answers requests under `/bg`."""

    bank: SandboxBank
    prefix: str = field(default="/bg", init=False)

    def routes(self) -> list[Route]:
        """Every method and path that there is."""
        desk = LoginDesk(
            bank=self.bank,
            brand=Brand.BERLIN_GROUP,
            title="Sandkastenbank",
            needs_challenge=True,
            scopes=_ConsentScopes(self.bank),
        )
        return [
            Route("GET", "/bg/authorize", desk.ask),
            Route("POST", "/bg/authorize", desk.answer),
            Route("POST", "/bg/oauth2/token", self.issue_tokens),
            Route("GET", "/bg/.well-known/oauth-authorization-server", self.describe_oauth),
            Route("POST", CONSENTS, self.create_consent),
            Route("GET", f"{CONSENTS}/{{consent_id}}", self.get_consent),
            Route("DELETE", f"{CONSENTS}/{{consent_id}}", self.delete_consent),
            Route("GET", f"{CONSENTS}/{{consent_id}}/status", self.get_consent_status),
            Route("GET", ACCOUNTS, self.list_accounts),
            Route("GET", f"{ACCOUNTS}/{{account_id}}", self.get_account),
            Route("GET", f"{ACCOUNTS}/{{account_id}}/balances", self.list_balances),
            Route("GET", f"{ACCOUNTS}/{{account_id}}/transactions", self.list_transactions),
        ]

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """A refusal as this API tells it."""
        if "error" in refusal.extra:
            return Answer(status=refusal.status, document=refusal.extra, headers={"Cache-Control": "no-store"})
        message = {"category": "ERROR", "code": refusal.code, "text": str(refusal)[:500]} | refusal.extra
        document = {"tppMessages": [message]}
        return Answer(status=refusal.status, document=document, headers=_headers(call) | refusal.headers)

    def refusal_of(self, status: int, text: str) -> Refusal:
        """A refusal for a status alone."""
        return Refusal(status, STATUS_CODES.get(status, "FORMAT_ERROR"), text)

    def describe_oauth(self, call: Call) -> Answer:
        """Where codes and tokens are (RFC 8414)."""
        return Answer(
            document={
                "issuer": f"{call.origin}/bg",
                "authorization_endpoint": f"{call.origin}/bg/authorize",
                "token_endpoint": f"{call.origin}/bg/oauth2/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def issue_tokens(self, call: Call) -> Answer:
        """Tokens for a code or a refresh token, as long as the consent lasts."""
        desk = TokenDesk(bank=self.bank, brand=Brand.BERLIN_GROUP, needs_secret=False, may_refresh=self._consent_lasts)
        try:
            issued = desk.issue(call)
        except OAuthRefused as refused:
            status = 401 if refused.error == "invalid_client" else 400
            extra = {"error": refused.error, "error_description": str(refused)}
            raise Refusal(status, "TOKEN_INVALID", str(refused), extra=extra) from refused
        return Answer(
            headers={"Cache-Control": "no-store"},
            document={
                "access_token": issued.access_token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in_seconds,
                "refresh_token": issued.refresh_token,
                "scope": issued.grant.scope,
            },
        )

    def create_consent(self, call: Call) -> Answer:
        """Keep what is asked for, and say where the customer can allow it."""
        check_request_id(call)
        try:
            ipaddress.ip_address(call.headers.get("psu-ip-address", ""))
        except ValueError:
            raise Refusal(400, "FORMAT_ERROR", "PSU-IP-Address is missing or no address") from None
        try:
            asked = ConsentRequest.of(call.document, today=self.bank.clock().date())
        except UnreadableConsent as error:
            raise Refusal(400, "FORMAT_ERROR", str(error), extra={"path": error.path}) from error
        except ValueError as error:
            raise Refusal(400, "FORMAT_ERROR", "The body is no JSON") from error
        consent = self.bank.consents.create(asked)
        links = {
            "scaOAuth": f"{call.origin}/bg/.well-known/oauth-authorization-server",
            "self": f"{CONSENTS}/{consent.id}",
            "status": f"{CONSENTS}/{consent.id}/status",
        }
        return Answer(
            status=201,
            document={
                "consentStatus": consent.status,
                "consentId": consent.id,
                "_links": {name: {"href": href} for name, href in links.items()},
            },
            headers=_headers(call)
            | {"Location": f"{call.origin}{CONSENTS}/{consent.id}", "ASPSP-SCA-Approach": "REDIRECT"},
        )

    def get_consent(self, call: Call) -> Answer:
        """What a consent allows, and whether it is valid."""
        consent = self._consent_named(call)
        return Answer(
            document={
                "access": consent.asked.access,
                "recurringIndicator": consent.asked.is_recurring,
                "validUntil": consent.valid_until.isoformat(),
                "frequencyPerDay": consent.asked.frequency_per_day,
                "lastActionDate": consent.last_action_on.isoformat(),
                "consentStatus": consent.status,
            },
            headers=_headers(call),
        )

    def get_consent_status(self, call: Call) -> Answer:
        """Whether a consent is valid."""
        return Answer(document={"consentStatus": self._consent_named(call).status}, headers=_headers(call))

    def delete_consent(self, call: Call) -> Answer:
        """End a consent."""
        self.bank.consents.move(self._consent_named(call), "terminatedByTpp")
        return Answer(status=204, headers=_headers(call))

    def list_accounts(self, call: Call) -> Answer:
        """The accounts that the consent covers."""
        consent = self._consent_used(call)
        held = self.bank.books.accounts_of(consent.customer_id or "", Brand.BERLIN_GROUP)
        shown = [self._details(account, consent, call) for account in held if consent.covers(account, "accounts")]
        return Answer(document={"accounts": shown}, headers=_headers(call))

    def get_account(self, call: Call) -> Answer:
        """One account."""
        consent = self._consent_used(call)
        account = self._account(call, consent, "accounts")
        return Answer(document={"account": self._details(account, consent, call)}, headers=_headers(call))

    def list_balances(self, call: Call) -> Answer:
        """An account's balances."""
        account = self._account(call, self._consent_used(call), "balances")
        return Answer(
            document={"account": account_reference(account), "balances": self._balances(account, call)},
            headers=_headers(call),
        )

    def list_transactions(self, call: Call) -> Answer:
        """A page of booked transactions, oldest first; the first page also has those that are pending."""
        index = whole_number_in(call, "pageIndex", default=0)
        if index > 0 and self.bank.faults.happens(call.path, FaultKind.TOKEN_EXPIRY_MID_PAGE):
            self.bank.grants[Brand.BERLIN_GROUP].expire(call.bearer or "")
        account = self._account(call, self._consent_used(call), "transactions")
        status = booking_status(call)
        size = min(PAGE_ROWS_MAX, max(1, whole_number_in(call, "itemsPerPage", default=PAGE_ROWS_MAX)))
        report: dict[str, Any] = {"_links": {"account": {"href": f"{ACCOUNTS}/{account.id}"}}}
        copies = 2 if self.bank.faults.happens(call.path, FaultKind.DUPLICATE_ROWS) else 1
        if status != "pending":
            first, last = day_in(call, "dateFrom", None), day_in(call, "dateTo", date.max)
            if first > last:
                raise Refusal(400, "PERIOD_INVALID", "dateFrom is after dateTo")
            rows, has_more = self.bank.books.booked_between(account.id, first, last, offset=index * size, limit=size)
            report["booked"] = [transaction_document(row, account.currency) for row in rows for _ in range(copies)]
            if has_more:
                query = {**call.query, "pageIndex": str(index + 1), "itemsPerPage": str(size)}
                report["_links"]["next"] = {"href": f"{call.path}?{urlencode(query)}"}
        if status != "booked":
            pending = self.bank.books.pending(account.id) if index == 0 else ()
            report["pending"] = [transaction_document(row, account.currency) for row in pending for _ in range(copies)]
        change_behind_a_page(self.bank.books, self.bank.names, self.bank.faults, path=call.path, account_id=account.id)
        return Answer(document={"account": account_reference(account), "transactions": report}, headers=_headers(call))

    def _details(self, account: Account, consent: Consent, call: Call) -> dict[str, Any]:
        sees_balances = consent.covers(account, "balances")
        document = account_document(
            account, sees_balances=sees_balances, sees_transactions=consent.covers(account, "transactions")
        )
        if sees_balances and call.query.get("withBalance") == "true":
            document["balances"] = self._balances(account, call)
        return document

    def _balances(self, account: Account, call: Call) -> list[dict[str, Any]]:
        off_by = OFF_BY_MINOR if self.bank.faults.happens(call.path, FaultKind.WRONG_BALANCE) else 0
        return balance_documents(account, self.bank.books.balance(account.id), off_by_minor=off_by)

    def _consent_lasts(self, issued: IssuedTokens) -> bool:
        consent = self.bank.consents.find(issued.grant.scope.removeprefix(SCOPE))
        return consent is not None and consent.status == "valid"

    def _consent_named(self, call: Call) -> Consent:
        check_request_id(call)
        consent = self.bank.consents.find(call.parameters["consent_id"])
        if consent is None:
            raise Refusal(403, "CONSENT_UNKNOWN", "There is no such consent")
        return consent

    def _consent_used(self, call: Call) -> Consent:
        """The consent of the headers, which token and customer have to fit."""
        check_request_id(call)
        if call.bearer is None:
            raise Refusal(401, "TOKEN_UNKNOWN", "No access token")
        consent_id = call.headers.get("consent-id")
        if not consent_id:
            raise Refusal(400, "FORMAT_ERROR", "Consent-ID is missing")
        try:
            grant = self.bank.grants[Brand.BERLIN_GROUP].open(call.bearer)
        except TokenRefused as refused:
            raise Refusal(401, _TOKEN_CODES[refused.why], f"The access token is {refused.why}") from refused
        consent = self.bank.consents.find(consent_id)
        if consent is None:
            raise Refusal(403, "CONSENT_UNKNOWN", "There is no such consent")
        if consent.status == "expired":
            raise Refusal(401, "CONSENT_EXPIRED", "The consent has expired")
        if consent.status != "valid" or grant.scope != f"{SCOPE}{consent.id}" or not grant.is_approved:
            raise Refusal(401, "CONSENT_INVALID", "The consent is not valid for this request")
        return consent

    def _account(self, call: Call, consent: Consent, service: str) -> Account:
        account = self.bank.books.accounts.get(call.parameters["account_id"])
        if (
            account is None
            or account.brand is not Brand.BERLIN_GROUP
            or not (consent.covers(account, "accounts") or consent.covers(account, service))
        ):
            raise Refusal(404, "RESOURCE_UNKNOWN", "There is no such account")
        if not consent.covers(account, service):
            raise Refusal(401, "CONSENT_INVALID", f"The consent does not cover {service} of this account")
        return account


def _headers(call: Call) -> dict[str, str]:
    request_id = call.headers.get("x-request-id")
    return {"X-Request-ID": request_id} if request_id else {}
