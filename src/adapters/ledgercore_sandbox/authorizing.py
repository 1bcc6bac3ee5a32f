"""The pages and the token endpoint of OAuth2, which both faces of the bank share."""

import base64
import binascii
from collections.abc import Callable, Mapping
from html import escape
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from attrs import frozen

from ledgercore_sandbox.bank import SandboxBank
from ledgercore_sandbox.books import Brand
from ledgercore_sandbox.calls import Answer, Call
from ledgercore_sandbox.grants import CLIENT_ID, CLIENT_SECRET, IssuedTokens, OAuthRefused

YES: Final = "yes"
LATER: Final = "later"
NO: Final = "no"
_KEPT: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:1rem/1.5 sans-serif;max-width:26rem;margin:4rem auto}}button{{margin-right:.5rem}}</style></head>
<body><h1>{title}</h1>{content}</body></html>
"""
_FORM: Final = """<p><b>{client}</b> asks to see your accounts. All money here is made up.</p>
<form method="post">{hidden}
<p><label>Log in as <select name="customer">{customers}</select></label></p>
<p><button name="decision" value="yes">Approve</button><button name="decision" value="later">Approve in the app
later</button><button name="decision" value="no">Deny</button></p></form>
"""


class Scopes(Protocol):
    """What one face of the bank makes of the scope that is asked for."""

    def is_known(self, scope: str) -> bool:
        """Whether such a scope may be granted now."""
        ...

    def decide(self, scope: str, customer_id: str, decision: str) -> None:
        """Note what the customer decided: `YES`, `LATER` in the app, or anything else for no."""
        ...


@frozen(kw_only=True)
class LoginDesk:
    """Lets customers decide who may see their accounts. `auto` and `customer` in the query answer for them."""

    bank: SandboxBank
    brand: Brand
    title: str
    needs_challenge: bool
    scopes: Scopes

    def ask(self, call: Call) -> Answer:
        """The page that asks the customer, or the decision itself with `auto=yes`, `later` or `no`."""
        wanted = call.query
        refused = self._refused(wanted)
        if refused is not None:
            return refused
        if "auto" in wanted:
            return self._decide(wanted, wanted["auto"])
        customers = "".join(
            f'<option value="{escape(customer.id)}">{escape(customer.name)}</option>'
            for customer in self.bank.books.customers.values()
        )
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(wanted[name])}">' for name in _KEPT if name in wanted
        )
        form = _FORM.format(client=escape(wanted["client_id"]), hidden=hidden, customers=customers)
        return Answer(page=_PAGE.format(title=escape(self.title), content=form))

    def answer(self, call: Call) -> Answer:
        """What the customer chose on the page."""
        return self._refused(call.form) or self._decide(call.form, call.form.get("decision", NO))

    def _refused(self, wanted: Mapping[str, str]) -> Answer | None:
        if wanted.get("client_id") != CLIENT_ID:
            return self._wrong("There is no such client.")
        where = urlsplit(wanted.get("redirect_uri", ""))
        if where.scheme not in ("http", "https") or not where.netloc:
            return self._wrong("redirect_uri is missing or no web address.")
        if wanted.get("response_type") != "code":
            return _back(wanted, error="unsupported_response_type")
        challenge, method = wanted.get("code_challenge"), wanted.get("code_challenge_method", "plain")
        if (challenge is None and self.needs_challenge) or (challenge is not None and method != "S256"):
            return _back(wanted, error="invalid_request", error_description="PKCE with S256 is wanted")
        if not self.scopes.is_known(wanted.get("scope", "")):
            return _back(wanted, error="invalid_scope")
        return None

    def _decide(self, wanted: Mapping[str, str], decision: str) -> Answer:
        customers = self.bank.books.customers
        customer_id = wanted.get("customer") or next(iter(customers), "")
        if customer_id not in customers:
            return self._wrong("There is no such customer.")
        scope = wanted.get("scope", "")
        self.scopes.decide(scope, customer_id, decision)
        if decision not in (YES, LATER):
            return _back(wanted, error="access_denied")
        code = self.bank.grants[self.brand].authorize(
            customer_id=customer_id,
            scope=scope,
            redirect_uri=wanted["redirect_uri"],
            challenge=wanted.get("code_challenge"),
            is_approved=decision == YES,
        )
        return _back(wanted, code=code)

    def _wrong(self, why: str) -> Answer:
        return Answer(status=400, page=_PAGE.format(title=escape(self.title), content=f"<p>{escape(why)}</p>"))


@frozen(kw_only=True)
class TokenDesk:
    """Gives tokens for codes and for refresh tokens."""

    bank: SandboxBank
    brand: Brand
    needs_secret: bool
    may_refresh: Callable[[IssuedTokens], bool] = lambda _: True

    def issue(self, call: Call) -> IssuedTokens:
        """The tokens that a form asks for; raises `OAuthRefused`."""
        form, grants = call.form, self.bank.grants[self.brand]
        self._check_client(call)
        if form.get("grant_type") == "authorization_code":
            return grants.exchange(
                code=form.get("code", ""),
                redirect_uri=form.get("redirect_uri", ""),
                verifier=form.get("code_verifier"),
            )
        if form.get("grant_type") == "refresh_token":
            issued = grants.refresh(form.get("refresh_token", ""))
            if not self.may_refresh(issued):
                grants.revoke(issued.grant)
                raise OAuthRefused("invalid_grant", "The consent has ended")
            return issued
        raise OAuthRefused("unsupported_grant_type", "grant_type is authorization_code or refresh_token")

    def _check_client(self, call: Call) -> None:
        name, secret = call.form.get("client_id"), call.form.get("client_secret")
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                name = None
        if name != CLIENT_ID or secret not in (CLIENT_SECRET, *(() if self.needs_secret else (None,))):
            raise OAuthRefused("invalid_client", "The client is not known, or its secret is wrong")


def _back(wanted: Mapping[str, str], **told: str) -> Answer:
    """Send the customer back to the client."""
    if "state" in wanted:
        told["state"] = wanted["state"]
    address = wanted["redirect_uri"]
    return Answer(status=303, headers={"Location": f"{address}{'&' if '?' in address else '?'}{urlencode(told)}"})
