"""The Berlin Group's client: what it asks, what it makes of answers, and what it refuses to believe."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.banking.clients.berlin_group import BerlinGroupClient
from ledgercore.banking.clients.client import Registration
from ledgercore.banking.clients.kinds import client_of
from ledgercore.banking.clients.pkce import challenge_of
from ledgercore.banking.observations import AccountSeen, RowSeen, RowStatus, Tokens
from ledgercore.errors import LedgercoreError
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.money import Money
from ledgercore.statements.statements import Direction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
API = "https://xs2a.bank.example/psd2"
BANK = BerlinGroupClient(
    Registration(
        api_url=API,
        authorize_url="https://login.bank.example/authorize?ui=1",
        client_id="PSDDE-1",
        client_secret="",
        redirect_url="https://us.example/back",
        token_url="https://login.bank.example/token",
    )
)
TOKENS = Tokens(access_token="access-1", refresh_token="refresh-1", extra={"consent_id": "consent-1"})
GIRO = AccountSeen(external_id="acc/1", currency="EUR", name="Giro")
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
ACCOUNT = {
    "resourceId": "acc/1",
    "iban": "DE89370400440532013000",
    "currency": "EUR",
    "name": "Giro",
    "cashAccountType": "CACC",
    "status": "enabled",
}
BOOKED = {
    "transactionId": "t1",
    "entryReference": "e1",
    "endToEndId": "e2e-1",
    "bookingDate": "2026-02-27",
    "valueDate": "2026-02-28",
    "transactionAmount": {"currency": "EUR", "amount": "-256.67"},
    "creditorName": "Shop",
    "debtorName": "Me",
    "remittanceInformationUnstructured": "Invoice 7",
}
PENDING = {"transactionAmount": {"currency": "EUR", "amount": "12"}, "debtorName": "Ann", "endToEndId": "NOTPROVIDED"}


def answer(document: object, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(
        status=status,
        headers={"date": DATE, **{name.replace("_", "-"): value for name, value in headers.items()}},
        body=json.dumps(document).encode(),
    )


def refusal(status: int, code: str) -> HttpResponse:
    return answer({"tppMessages": [{"category": "ERROR", "code": code, "text": "access-1"}]}, status)


def converse(exchange: Any, *answers: HttpResponse) -> tuple[Any, list[HttpRequest]]:
    """Answer an exchange in order; gives its result and what it asked."""
    asked: list[HttpRequest] = []
    waiting = iter(answers)
    try:
        request = next(exchange)
        while True:
            asked.append(request)
            request = exchange.send(next(waiting))
    except StopIteration as end:
        return end.value, asked


def refusal_of(exchange: Any, *answers: HttpResponse) -> LedgercoreError:
    with pytest.raises(LedgercoreError) as caught:
        converse(exchange, *answers)
    assert "access-1" not in str(caught.value.details)
    return caught.value


def list_rows(since: datetime | None = None, cursor: str | None = None) -> Any:
    return BANK.list_rows(TOKENS, GIRO, since=since, cursor=cursor)


def report(*, booked: Any = (), pending: Any = (), href: object = None, **members: object) -> HttpResponse:
    links = {} if href is None else {"_links": {"next": {"href": href}}}
    return answer({"transactions": {"booked": list(booked), "pending": list(pending), **links, **members}})


def row_of(told: dict[str, Any]) -> RowSeen:
    page, _ = converse(list_rows(), report(booked=[told]))
    row: RowSeen = page.rows[0]
    return row


class TestConsent:
    def test_a_consent_is_set_up_and_the_user_sent_to_agree(self) -> None:
        told = {"consentStatus": "received", "consentId": "c-1", "_links": {"scaOAuth": {"href": "https://x"}}}

        permission, [request] = converse(
            BANK.begin_consent(state="s1", verifier="v" * 43, now=NOW, user_address="203.0.113.7"), answer(told, 201)
        )

        assert (request.method, request.url, request.safe) == ("POST", f"{API}/v1/consents", False)
        assert request.json == {
            "access": {"allPsd2": "allAccounts"},
            "recurringIndicator": True,
            "validUntil": "2026-08-28",
            "frequencyPerDay": 4,
            "combinedServiceIndicator": False,
        }
        assert request.headers["tpp-redirect-uri"] == "https://us.example/back"
        assert request.headers["psu-ip-address"] == "203.0.113.7"
        assert UUID(request.headers["x-request-id"]).version == 5
        assert permission.extra == {"consent_id": "c-1"}
        assert permission.url.startswith("https://login.bank.example/authorize?ui=1&response_type=code&")
        query = parse_qs(urlsplit(permission.url).query)
        assert query["scope"] == ["AIS:c-1"]
        assert query["state"] == ["s1"]
        assert query["code_challenge"] == [challenge_of("v" * 43)]

    def test_another_state_is_another_request(self) -> None:
        ids = {
            next(BANK.begin_consent(state=state, verifier="v", now=NOW)).headers["x-request-id"]
            for state in ("s1", "s1", "s2")
        }

        assert len(ids) == 2

    @pytest.mark.parametrize("code", ["SERVICE_INVALID", "PARAMETER_NOT_SUPPORTED"])
    def test_where_all_accounts_cannot_be_had_the_user_chooses(self, code: str) -> None:
        permission, [first, second] = converse(
            BANK.begin_consent(state="s1", verifier="v", now=NOW), refusal(400, code), answer({"consentId": "c-2"}, 201)
        )

        assert second.json is not None
        assert second.json["access"] == {"accounts": [], "balances": [], "transactions": []}
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        assert permission.extra == {"consent_id": "c-2"}

    @pytest.mark.parametrize(
        ("told", "code"),
        [
            (refusal(400, "FORMAT_ERROR"), "bank_refused"),
            (refusal(401, "CERTIFICATE_INVALID"), "bank_refused"),
            (refusal(401, "SIGNATURE_MISSING"), "bank_refused"),
            (answer({"consentId": "c 1\r\n"}, 201), "bank_api_error"),
            (answer({}, 201), "bank_api_error"),
        ],
    )
    def test_a_consent_that_is_not_set_up(self, told: HttpResponse, code: str) -> None:
        assert refusal_of(BANK.begin_consent(state="s1", verifier="v", now=NOW), told).code == code

    @pytest.mark.parametrize("status", ["received", "partiallyAuthorised", "valid"])
    def test_a_code_becomes_tokens_of_the_consent(self, status: str) -> None:
        tokens, [first, second] = converse(
            BANK.finish_consent(code="c", verifier="v", extra={"consent_id": "c-1"}, now=NOW),
            answer({"consentStatus": status}),
            answer({"access_token": "a", "refresh_token": "r", "expires_in": 60, "token_type": "bearer"}),
        )

        assert first.url == f"{API}/v1/consents/c-1/status"
        assert second.url == "https://login.bank.example/token"
        assert second.form == {
            "grant_type": "authorization_code",
            "code": "c",
            "redirect_uri": "https://us.example/back",
            "code_verifier": "v",
            "client_id": "PSDDE-1",
        }
        assert tokens == Tokens(
            access_token="a",
            refresh_token="r",
            expires_at=NOW + timedelta(minutes=1),
            extra={"consent_id": "c-1"},
        )

    @pytest.mark.parametrize("status", ["rejected", "revokedByPsu", "expired", "terminatedByTpp"])
    def test_a_consent_at_its_end_gives_no_tokens(self, status: str) -> None:
        finishing = BANK.finish_consent(code="c", verifier="v", extra={"consent_id": "c-1"}, now=NOW)

        assert refusal_of(finishing, answer({"consentStatus": status})).code == "consent_expired"

    def test_refreshed_tokens_keep_the_consent(self) -> None:
        tokens, [request] = converse(BANK.refresh(TOKENS, now=NOW), answer({"access_token": "a2"}))

        assert tokens == Tokens(access_token="a2", extra={"consent_id": "consent-1"})
        assert request.form == {"grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": "PSDDE-1"}

    def test_without_a_refresh_token_the_user_has_to_come_back(self) -> None:
        tokens = evolve(TOKENS, refresh_token=None)

        assert refusal_of(BANK.refresh(tokens, now=NOW)).code == "consent_expired"


class TestReading:
    def test_accounts(self) -> None:
        card = {
            "resourceId": "a2",
            "currency": "USD",
            "cashAccountType": "CARD",
            "status": "deleted",
            "product": "Gold",
        }
        bare = {"resourceId": "a3", "currency": "EUR"}
        in_several_currencies = {"resourceId": "a4", "currency": "XXX"}

        accounts, [request] = converse(
            BANK.list_accounts(TOKENS), answer({"accounts": [ACCOUNT, card, bare, in_several_currencies]})
        )

        assert accounts == (
            evolve(GIRO, last_four="3000", iban="DE89370400440532013000"),
            AccountSeen(external_id="a2", currency="USD", name="Gold", account_type="CREDIT", is_closed=True),
            AccountSeen(external_id="a3", currency="EUR", name="a3"),
        )
        assert request.url == f"{API}/v1/accounts"
        assert request.headers["authorization"] == "Bearer access-1"
        assert request.headers["consent-id"] == "consent-1"
        assert UUID(request.headers["x-request-id"])

    def test_the_booked_balance_of_this_moment_is_preferred(self) -> None:
        def told(kind: str, amount: str, **more: object) -> dict[str, object]:
            return {"balanceType": kind, "balanceAmount": {"currency": "EUR", "amount": amount}, **more}

        balances = [
            told("interimAvailable", "900.00"),
            told("interimBooked", "999.00", creditLimitIncluded=True),
            told("closingBooked", "500.00", referenceDate="2026-02-28"),
            told("interimBooked", "-1.5", lastChangeDateTime="2026-03-01T09:30:35.035Z"),
            told("interimBooked", "7.00"),
        ]

        now, [request] = converse(BANK.read_balance(TOKENS, GIRO), answer({"balances": balances}))
        closing, _ = converse(BANK.read_balance(TOKENS, GIRO), answer({"balances": balances[:3]}))

        assert request.url == f"{API}/v1/accounts/acc%2F1/balances"
        assert (now.money.minor, now.includes_pending) == (-150, False)
        assert now.at == datetime(2026, 3, 1, 9, 30, 35, 35000, UTC)
        assert (closing.money.minor, closing.at) == (50_000, datetime(2026, 2, 28, tzinfo=UTC))

    def test_a_booked_row(self) -> None:
        day = datetime(2026, 2, 27, tzinfo=UTC)

        assert row_of(BOOKED) == RowSeen(
            external_id="t1",
            status=RowStatus.BOOKED,
            direction=Direction.DEBIT,
            money=Money.of("256.67", "EUR"),
            description="Invoice 7",
            created_at=day,
            booked_at=day,
            counterparty="Shop",
            references=("e2e-1", "e1"),
        )

    def test_a_pending_row_has_no_id_and_maybe_no_date(self) -> None:
        """The date of the answer stands in; what may become its id is one of its references."""
        page, _ = converse(list_rows(), report(pending=[PENDING, {**PENDING, "entryReference": "e9"}]))

        without, with_reference = page.rows
        assert without == RowSeen(
            external_id=None,
            status=RowStatus.PENDING,
            direction=Direction.CREDIT,
            money=Money.of("12", "EUR"),
            description="Ann",
            created_at=NOW,
            counterparty="Ann",
        )
        assert (with_reference.external_id, with_reference.references) == (None, ("e9",))

    def test_names_that_stand_in_for_one_another(self) -> None:
        bare = {name: BOOKED[name] for name in ("bookingDate", "transactionAmount")}

        assert row_of({**bare, "entryReference": "e1"}).external_id == "e1"
        assert row_of({**bare, "debtorName": "Me"}).counterparty == "Me"
        assert row_of({**bare, "additionalInformation": "Fee"}).description == "Fee"
        assert (row_of(bare).external_id, row_of(bare).description, row_of(bare).references) == (None, "", ())

    @pytest.mark.parametrize(
        ("amount", "minor"),
        [
            ("5", 500),
            ("5.4", 540),
            ("5.40", 540),
            ("5.400", 540),
            ("-0.00", 0),
            ("0.01", 1),
            ("-12345678901234.5", -1_234_567_890_123_450),
        ],
    )
    def test_amounts_are_exact(self, amount: str, minor: int) -> None:
        row = row_of({**BOOKED, "transactionAmount": {"currency": "EUR", "amount": amount}})

        assert row.money.minor == abs(minor)
        assert row.direction is (Direction.DEBIT if minor < 0 else Direction.CREDIT)

    def test_yen_have_no_decimals_but_zeros(self) -> None:
        yen = evolve(GIRO, currency="JPY")
        told = {**BOOKED, "transactionAmount": {"currency": "JPY", "amount": "700.00"}}

        page, _ = converse(BANK.list_rows(TOKENS, yen, since=None, cursor=None), report(booked=[told]))

        assert page.rows[0].money == Money.of("700", "JPY")

    def test_rows_are_asked_since_a_day_or_the_beginning(self) -> None:
        since = datetime(2026, 2, 1, 23, 59, tzinfo=UTC)

        assert next(list_rows(since=since)).query == {"bookingStatus": "both", "dateFrom": "2026-02-01"}
        assert next(list_rows()).query["dateFrom"] == "1970-01-01"


HERE = f"{API}/v1/accounts/acc%2F1/transactions"


class TestPaging:
    @pytest.mark.parametrize(
        "href",
        [f"{HERE}?page=2", "/psd2/v1/accounts/acc%2F1/transactions?page=2", "?page=2"],
    )
    def test_links_within_the_bank_are_followed(self, href: str) -> None:
        page, _ = converse(list_rows(), report(booked=[BOOKED], href=href))
        last, [request] = converse(list_rows(cursor=page.next_cursor), report(pending=[PENDING]))

        assert page.next_cursor == request.url == f"{HERE}?page=2"
        assert request.query == {}
        assert request.headers["consent-id"] == "consent-1"
        assert last.next_cursor is None

    def test_a_link_beside_the_report_counts_too(self) -> None:
        told = answer({"transactions": {"booked": []}, "_links": {"next": {"href": f"{HERE}?page=2"}}})

        assert converse(list_rows(), told)[0].next_cursor == f"{HERE}?page=2"

    @pytest.mark.parametrize(
        "href",
        [
            "https://evil.example/psd2/v1/accounts/acc%2F1/transactions?page=2",
            "http://xs2a.bank.example/psd2/v1/accounts/a",
            "https://xs2a.bank.example:8443/psd2/v1/accounts/a",
            "https://me@xs2a.bank.example/psd2/v1/accounts/a",
            "//evil.example/psd2/v1/accounts/a",
            "/other/v1/accounts/a",
            "/psd2/v1/payments/a",
            f"{API}/v1/accounts/../payments",
            f"{API}/v1/accounts/%2e%2e/payments",
            f"{API}/v1/accounts/..%2fpayments",
            f"{API}/v1/accounts/..%5cpayments",
            f"{HERE}?page=\t2",
            f"{HERE}?page={'2' * 2048}",
            "",
            7,
        ],
    )
    def test_links_that_lead_elsewhere_are_not(self, href: object) -> None:
        error = refusal_of(list_rows(), report(href=href))

        assert (error.code, error.details["member"]) == ("bank_api_error", "href")

    def test_a_bank_that_turns_in_circles_is_stopped(self) -> None:
        circling = list_rows(cursor=f"{HERE}?page=2")

        assert refusal_of(circling, report(href=f"{HERE}?page=2")).code == "bank_api_error"

    def test_a_cursor_that_leads_elsewhere_sends_no_token_there(self) -> None:
        assert refusal_of(list_rows(cursor="https://evil.example/")).code == "forbidden_address"


READINGS: dict[str, Callable[[], Any]] = {
    "accounts": lambda: BANK.list_accounts(TOKENS),
    "balance": lambda: BANK.read_balance(TOKENS, GIRO),
    "rows": list_rows,
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    ("status", "bank_code", "code"),
    [
        (401, "CONSENT_EXPIRED", "consent_expired"),
        (401, "CONSENT_INVALID", "consent_expired"),
        (403, "CONSENT_UNKNOWN", "consent_expired"),
        (401, "TOKEN_EXPIRED", "token_expired"),
        (401, "TOKEN_INVALID", "invalid_token"),
        (401, "TOKEN_UNKNOWN", "invalid_token"),
        (401, "PSU_CREDENTIALS_INVALID", "invalid_token"),
        (403, "SERVICE_BLOCKED", "bank_refused"),
        (404, "RESOURCE_UNKNOWN", "account_not_found"),
        (404, "SOMETHING", "account_not_found"),
        (400, "PERIOD_INVALID", "history_window_closed"),
        (400, "ACCESS_EXCEEDED", "bank_rate_limited"),
        (429, "ACCESS_EXCEEDED", "bank_rate_limited"),
        (406, "REQUESTED_FORMATS_INVALID", "bank_refused"),
        (500, "INTERNAL_SERVER_ERROR", "bank_api_error"),
        (307, "SOMETHING", "bank_api_error"),
    ],
)
def test_refusals_become_reasons(reading: str, status: int, bank_code: str, code: str) -> None:
    error = refusal_of(READINGS[reading](), refusal(status, bank_code))

    assert (error.code, error.details["status"]) == (code, status)


def test_too_many_requests_say_how_long_to_wait() -> None:
    told = answer({"tppMessages": [{"code": "ACCESS_EXCEEDED"}]}, 429, retry_after="30")

    assert refusal_of(list_rows(), told).details["retry_after_ms"] == 30_000


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"tppMessages": {}}', b'{"tppMessages": [7, {"code": 7}]}']
)
def test_refusals_without_words(body: bytes) -> None:
    error = refusal_of(list_rows(), HttpResponse(status=400, body=body))

    assert error.code == "bank_refused"
    assert "bank_code" not in error.details


@pytest.mark.parametrize(
    ("told", "member"),
    [
        ({"transactionAmount": {"currency": "EUR", "amount": "1.234"}}, "amount"),
        ({"transactionAmount": {"currency": "EUR", "amount": "1,23"}}, "amount"),
        ({"transactionAmount": {"currency": "EUR", "amount": "+1"}}, "amount"),
        ({"transactionAmount": {"currency": "EUR", "amount": "1e3"}}, "amount"),
        ({"transactionAmount": {"currency": "EUR", "amount": "9" * 40}}, "amount"),
        ({"transactionAmount": {"currency": "EUR", "amount": 1}}, "amount"),
        ({"transactionAmount": {"currency": "USD", "amount": "1"}}, "currency"),
        ({"transactionAmount": {"amount": "1"}}, "currency"),
        ({"transactionAmount": "1 EUR"}, "transactionAmount"),
        ({"transactionAmount": None}, "transactionAmount"),
        ({"bookingDate": "27.02.2026"}, "bookingDate"),
        ({"bookingDate": 20260227}, "bookingDate"),
        ({"transactionId": ["t1"]}, "transactionId"),
        ({"remittanceInformationUnstructured": {}}, "remittanceInformationUnstructured"),
    ],
)
def test_rows_that_lie_are_not_believed(told: dict[str, object], member: str) -> None:
    error = refusal_of(list_rows(), report(booked=[{**BOOKED, **told}]))

    assert (error.code, error.details["member"]) == ("bank_api_error", member)


def test_a_row_without_any_date_needs_the_date_of_the_answer() -> None:
    told = HttpResponse(status=200, body=json.dumps({"transactions": {"pending": [PENDING]}}).encode())

    assert refusal_of(list_rows(), told).details["member"] == "bookingDate"


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ("accounts", {"accounts": [{**ACCOUNT, "resourceId": None}]}),
        ("accounts", {"accounts": {}}),
        ("balance", {"balances": []}),
        ("balance", {"balances": [{"balanceType": "expected", "balanceAmount": {"currency": "EUR", "amount": "1"}}]}),
        ("balance", {"balances": [{"balanceType": "interimBooked"}]}),
        ("rows", {"transactions": []}),
        ("rows", {"transactions": {"booked": {}}}),
        ("rows", {"transactions": {"_links": "next"}}),
    ],
)
def test_answers_of_another_shape_are_not_believed(reading: str, told: dict[str, object]) -> None:
    assert refusal_of(READINGS[reading](), answer(told)).code == "bank_api_error"


def test_the_kind_of_bank_is_known() -> None:
    assert client_of("berlin_group", BANK.registration) == BANK
