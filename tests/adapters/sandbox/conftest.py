"""A sandbox bank at a fixed time, and callers of its two APIs that know nothing but the banks' documentation."""

import base64
import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox, running_sandbox

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REDIRECT = "http://localhost:9/back?from=bank"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-by-far"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A bank with two customers, each with an account of thirty transactions at each face of it."""
    with running_sandbox(clock=lambda: NOW, customers=2, transactions=30) as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """A client that follows no redirects."""
    with httpx2.Client(timeout=10, trust_env=False) as client:
        yield client


class Face:
    """One of the bank's APIs, and the way in."""

    authorize_path = token_path = ""

    def __init__(self, sandbox: Sandbox, http: httpx2.Client) -> None:
        self.sandbox, self.http = sandbox, http
        self.tokens: dict[str, Any] = {}

    def authorize(self, **told: str) -> dict[str, str]:
        """What the redirect back tells of a decision."""
        query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code", "state": "s", "auto": "yes"}
        answer = self.http.get(self.sandbox.url + self.authorize_path, params=query | told)
        assert answer.status_code == 303, answer.text
        where = httpx2.URL(answer.headers["location"])
        assert str(where).startswith("http://localhost:9/back?from=bank&")
        return dict(where.params.items())

    def token(self, **form: str) -> httpx2.Response:
        """The answer of the token endpoint."""
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return self.http.post(self.sandbox.url + self.token_path, data=client | form)

    def exchange(self, code: str, **form: str) -> httpx2.Response:
        """The answer to a code."""
        return self.token(**{"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code} | form)

    def refresh(self, refresh_token: str) -> httpx2.Response:
        """The answer to a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)


class Monzo(Face):
    """Calls the Monzo-shaped API, logged in as the first customer."""

    authorize_path, token_path = "/monzo/authorize", "/monzo/oauth2/token"

    def log_in(self, **told: str) -> "Monzo":
        """Get tokens by the whole way."""
        self.tokens = self.exchange(self.authorize(**told)["code"]).json()
        return self

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The answer to a request with the access token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return self.http.request(method, self.sandbox.monzo_url + path, headers=headers, **options)

    def get(self, path: str, **query: Any) -> httpx2.Response:
        """The answer to GET."""
        return self.call("GET", path, params=query)

    def account_id(self) -> str:
        """The first account."""
        return str(self.get("/accounts").json()["accounts"][0]["id"])

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        """A page of the first account's transactions."""
        answer = self.get("/transactions", account_id=self.account_id(), **query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["transactions"])


class BerlinGroup(Face):
    """Calls the Berlin-Group-shaped API, with a consent of the first customer."""

    authorize_path, token_path = "/bg/authorize", "/bg/oauth2/token"
    consent_id = ""

    def consent_body(self, **changed: Any) -> dict[str, Any]:
        """What is asked for: everything, for ninety days."""
        asked = {
            "access": {"allPsd2": "allAccounts"},
            "recurringIndicator": True,
            "validUntil": "2026-05-30",
            "frequencyPerDay": 4,
            "combinedServiceIndicator": False,
        }
        return {name: value for name, value in {**asked, **changed}.items() if value is not None}

    def ask(self, **changed: Any) -> httpx2.Response:
        """The answer to a request for a consent."""
        headers = {"X-Request-ID": str(uuid.uuid4()), "PSU-IP-Address": "192.0.2.1"}
        return self.http.post(
            f"{self.sandbox.berlin_group_url}/v1/consents", json=self.consent_body(**changed), headers=headers
        )

    def allow(self, **told: str) -> dict[str, str]:
        """What the redirect tells after the customer decided."""
        pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return self.authorize(**{"scope": f"AIS:{self.consent_id}"} | pkce | told)

    def log_in(self, **changed: Any) -> "BerlinGroup":
        """Get a consent and tokens by the whole way."""
        self.consent_id = self.ask(**changed).json()["consentId"]
        self.tokens = self.exchange(self.allow()["code"], code_verifier=VERIFIER).json()
        return self

    def call(self, method: str, path: str, *, without: str = "", **options: Any) -> httpx2.Response:
        """The answer to a request with all headers, but for one."""
        headers = {
            "X-Request-ID": str(uuid.uuid4()),
            "Consent-ID": self.consent_id,
            "Authorization": f"Bearer {self.tokens.get('access_token', 'none')}",
        }
        headers.pop(without, None)
        return self.http.request(
            method, self.sandbox.url + path, headers=headers | options.pop("headers", {}), **options
        )

    def get(self, path: str, **query: Any) -> httpx2.Response:
        """The answer to GET below `/bg/v1`."""
        return self.call("GET", f"/bg/v1{path}", params=query)

    def account_id(self) -> str:
        """The first account."""
        return str(self.get("/accounts").json()["accounts"][0]["resourceId"])

    def report(self, **query: Any) -> dict[str, Any]:
        """A page of the first account's transactions."""
        asked = {"bookingStatus": "both", "dateFrom": "2020-01-01"} | query
        answer = self.get(f"/accounts/{self.account_id()}/transactions", **asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["transactions"])


@pytest.fixture
def monzo(sandbox: Sandbox, http: httpx2.Client) -> Monzo:
    """A caller that has not logged in yet."""
    return Monzo(sandbox, http)


@pytest.fixture
def berlin_group(sandbox: Sandbox, http: httpx2.Client) -> BerlinGroup:
    """A caller without a consent yet."""
    return BerlinGroup(sandbox, http)


def code_of(answer: httpx2.Response) -> str:
    """The code of a refusal, in the words of either bank."""
    told = answer.json()
    return str(told["tppMessages"][0]["code"] if "tppMessages" in told else told.get("code", told.get("error")))
