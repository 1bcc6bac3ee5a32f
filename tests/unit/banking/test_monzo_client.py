"""Monzo's client: what it asks, what it makes of answers, and what it refuses to believe."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ledgercore.banking.clients.client import Registration
from ledgercore.banking.clients.kinds import client_of
from ledgercore.banking.clients.monzo import MonzoClient, row_named_by
from ledgercore.banking.clients.pkce import challenge_of
from ledgercore.banking.observations import AccountSeen, RowStatus, Tokens
from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.money import Money
from ledgercore.statements.statements import Direction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONZO = MonzoClient(
    Registration(
        api_url="https://api.monzo.example",
        authorize_url="https://auth.monzo.example/",
        client_id="oauth2client_1",
        client_secret="mnzconf.secret",
        redirect_url="https://us.example/back",
    )
)
TOKENS = Tokens(access_token="access-1", refresh_token="refresh-1", extra={"kept": "yes"})
CURRENT = AccountSeen(external_id="acc_1", currency="GBP", name="Current")
ACCOUNT = {
    "id": "acc_1",
    "description": "user_1",
    "created": "2015-11-13T12:17:42Z",
    "closed": False,
    "type": "uk_retail",
    "currency": "GBP",
    "account_number": "12345678",
    "sort_code": "040004",
    "owners": [{"user_id": "user_1"}],
}
ROW = {
    "id": "tx_1",
    "account_id": "acc_1",
    "amount": -510,
    "created": "2015-08-22T12:20:18.123Z",
    "currency": "GBP",
    "local_amount": -600,
    "local_currency": "EUR",
    "description": "THE DE BEAUVOIR DELI C LONDON        GBR",
    "merchant": {"id": "merch_1", "name": "The De Beauvoir Deli Co."},
    "metadata": {},
    "notes": "",
    "is_load": False,
    "settled": "2015-08-23T12:20:18.000000001Z",
}


def answer(document: object, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=json.dumps(document).encode(),
    )


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
    with pytest.raises(LedgercoreError) as refusal:
        converse(exchange, *answers)
    assert "access-1" not in str(refusal.value.details)
    return refusal.value


def rows_answer(*rows: dict[str, Any]) -> HttpResponse:
    return answer({"transactions": list(rows)})


def list_rows(since: datetime | None = None, cursor: str | None = None) -> Any:
    return MONZO.list_rows(TOKENS, CURRENT, since=since, cursor=cursor)


class TestConsent:
    def test_the_user_is_sent_to_monzo_with_state_and_challenge(self) -> None:
        permission, asked = converse(MONZO.begin_consent(state="s1", verifier="v" * 43, now=NOW))

        query = parse_qs(urlsplit(permission.url).query)
        assert permission.url.startswith("https://auth.monzo.example/?")
        assert asked == []
        assert query == {
            "client_id": ["oauth2client_1"],
            "redirect_uri": ["https://us.example/back"],
            "response_type": ["code"],
            "state": ["s1"],
            "code_challenge": [challenge_of("v" * 43)],
            "code_challenge_method": ["S256"],
        }
        assert "v" * 43 not in repr(permission)

    def test_a_code_becomes_tokens(self) -> None:
        told = {"access_token": "a", "refresh_token": "r", "expires_in": 21600, "token_type": "Bearer", "user_id": "u"}

        tokens, [request] = converse(MONZO.finish_consent(code="c1", verifier="v1", extra={}, now=NOW), answer(told))

        assert tokens == Tokens(access_token="a", refresh_token="r", expires_at=NOW + timedelta(hours=6))
        assert (request.method, request.url) == ("POST", "https://api.monzo.example/oauth2/token")
        assert not request.safe
        assert request.form == {
            "grant_type": "authorization_code",
            "client_id": "oauth2client_1",
            "client_secret": "mnzconf.secret",
            "redirect_uri": "https://us.example/back",
            "code": "c1",
            "code_verifier": "v1",
        }
        assert "secret" not in repr(request)

    def test_a_refresh_token_becomes_new_tokens(self) -> None:
        tokens, [request] = converse(MONZO.refresh(TOKENS, now=NOW), answer({"access_token": "a2"}))

        assert tokens == Tokens(access_token="a2", extra={"kept": "yes"})
        assert request.form == {
            "grant_type": "refresh_token",
            "client_id": "oauth2client_1",
            "client_secret": "mnzconf.secret",
            "refresh_token": "refresh-1",
        }

    @pytest.mark.parametrize(
        ("status", "told", "code"),
        [
            (401, {"code": "unauthorized.bad_refresh_token.evicted"}, "consent_expired"),
            (400, {"error": "invalid_grant"}, "consent_expired"),
            (401, {"error": "invalid_client"}, "bank_refused"),
            (403, {"code": "forbidden"}, "bank_refused"),
            (400, ["no object"], "consent_expired"),
            (500, {}, "bank_api_error"),
            (302, {}, "bank_api_error"),
            (429, {}, "bank_rate_limited"),
            (200, {"refresh_token": "r"}, "bank_api_error"),
            (200, {"access_token": "two words"}, "bank_api_error"),
            (200, {"access_token": "a\r\nx-admin: 1"}, "bank_api_error"),
            (200, {"access_token": "a", "refresh_token": 7}, "bank_api_error"),
            (200, {"access_token": "a", "expires_in": -1}, "bank_api_error"),
            (200, {"access_token": "a", "expires_in": 60.5}, "bank_api_error"),
            (200, {"access_token": "a", "expires_in": 10**12}, "bank_api_error"),
            (200, {"access_token": "a", "token_type": "mac"}, "bank_api_error"),
        ],
    )
    def test_tokens_that_cannot_be_had(self, status: int, told: object, code: str) -> None:
        assert refusal_of(MONZO.refresh(TOKENS, now=NOW), answer(told, status)).code == code

    def test_without_a_refresh_token_the_user_has_to_come_back(self) -> None:
        assert refusal_of(MONZO.refresh(Tokens(access_token="a"), now=NOW)).code == "consent_expired"


class TestReading:
    def test_accounts(self) -> None:
        flex = {"id": "acc_2", "currency": "GBP", "type": "uk_monzo_flex", "closed": True}

        accounts, [request] = converse(MONZO.list_accounts(TOKENS), answer({"accounts": [ACCOUNT, flex]}))

        assert accounts == (
            AccountSeen(external_id="acc_1", currency="GBP", name="user_1", last_four="5678"),
            AccountSeen(external_id="acc_2", currency="GBP", name="acc_2", account_type="CREDIT", is_closed=True),
        )
        assert (request.method, request.url, request.safe) == ("GET", "https://api.monzo.example/accounts", True)
        assert request.headers["authorization"] == "Bearer access-1"

    def test_a_balance_has_pending_rows_in_it_and_may_be_negative(self) -> None:
        told = {"balance": -250, "total_balance": 5000, "currency": "GBP", "spend_today": 0}

        balance, [request] = converse(MONZO.read_balance(TOKENS, CURRENT), answer(told))

        assert (balance.money.minor, balance.money.currency.code, balance.includes_pending) == (-250, "GBP", True)
        assert request.query == {"account_id": "acc_1"}

    def test_a_row_that_is_settled(self) -> None:
        page, [request] = converse(list_rows(), rows_answer(ROW))

        [row] = page.rows
        assert page.next_cursor is None
        # Without a time the bank may begin with its newest transactions, and the oldest would never be seen.
        assert request.query == {
            "account_id": "acc_1", "limit": "100", "expand[]": "merchant", "since": "1970-01-01T00:00:00.000Z",
        }  # fmt: skip
        assert (row.external_id, row.status, row.direction) == ("tx_1", RowStatus.BOOKED, Direction.DEBIT)
        assert row.money == Money.of("5.10", "GBP")
        assert row.description == "THE DE BEAUVOIR DELI C LONDON GBR"
        assert row.counterparty == "The De Beauvoir Deli Co."
        assert row.created_at == datetime(2015, 8, 22, 12, 20, 18, 123000, UTC)
        assert row.booked_at == datetime(2015, 8, 23, 12, 20, 18, tzinfo=UTC)

    def test_rows_that_are_pending_declined_or_come_in(self) -> None:
        pending = {**ROW, "settled": "", "merchant": "merch_1"}
        declined = {**ROW, "decline_reason": "INSUFFICIENT_FUNDS", "merchant": None, "counterparty": {"name": "Ann"}}
        incoming = {**ROW, "amount": 700, "merchant": {"name": ""}, "description": None}

        page, _ = converse(list_rows(), rows_answer(pending, declined, incoming))

        assert [(row.status, row.booked_at is None) for row in page.rows] == [
            (RowStatus.PENDING, True),
            (RowStatus.DECLINED, True),
            (RowStatus.BOOKED, False),
        ]
        assert [row.counterparty for row in page.rows] == [None, "Ann", None]
        assert page.rows[1].decline_reason == "INSUFFICIENT_FUNDS"
        assert (page.rows[2].direction, page.rows[2].money.minor) == (Direction.CREDIT, 700)
        assert page.rows[2].description == ""

    def test_a_full_page_is_followed_by_one_that_starts_at_its_last_id(self) -> None:
        full = [{**ROW, "id": f"tx_{number}"} for number in range(100)]

        page, [first] = converse(list_rows(since=datetime(2026, 2, 1, tzinfo=UTC)), rows_answer(*full))
        _, [second] = converse(list_rows(cursor=page.next_cursor), rows_answer())

        assert first.query["since"] == "2026-02-01T00:00:00.000Z"
        assert page.next_cursor == second.query["since"] == "tx_99"

    def test_a_bank_that_turns_in_circles_is_stopped(self) -> None:
        full = [{**ROW, "id": f"tx_{number}"} for number in range(100)]

        assert refusal_of(list_rows(cursor="tx_99"), rows_answer(*full)).code == "bank_api_error"

    def test_text_that_cannot_be_stored_is_cleaned_and_cut(self) -> None:
        page, _ = converse(list_rows(), rows_answer({**ROW, "description": "a\x00b\ud800c" + "d" * 2000}))

        assert page.rows[0].description.startswith("a b cddd")
        assert len(page.rows[0].description) == 1000

    def test_one_row(self) -> None:
        row, [request] = converse(MONZO.read_row(TOKENS, CURRENT, "tx/../1"), answer({"transaction": ROW}))

        assert row.external_id == "tx_1"
        assert request.url == "https://api.monzo.example/transactions/tx%2F..%2F1"

    def test_one_row_of_another_account_is_a_lie(self) -> None:
        told = answer({"transaction": {**ROW, "account_id": "acc_2"}})

        assert refusal_of(MONZO.read_row(TOKENS, CURRENT, "tx_1"), told).code == "bank_api_error"


class TestTelling:
    def test_a_notice_in_the_app(self) -> None:
        nothing, [request] = converse(
            MONZO.post_feed_item(TOKENS, CURRENT, title="T", body="B", image_url="https://i", url="https://u"),
            answer({}),
        )

        assert nothing is None
        assert (request.method, request.url, request.safe) == ("POST", "https://api.monzo.example/feed", False)
        assert request.form == {
            "account_id": "acc_1",
            "type": "basic",
            "url": "https://u",
            "params[title]": "T",
            "params[body]": "B",
            "params[image_url]": "https://i",
        }

    def test_a_webhook_is_registered(self) -> None:
        webhook_id, [request] = converse(
            MONZO.register_webhook(TOKENS, CURRENT, url="https://us.example/hook"),
            answer({"webhook": {"id": "webhook_1", "account_id": "acc_1", "url": "https://us.example/hook"}}),
        )

        assert webhook_id == "webhook_1"
        assert request.form == {"account_id": "acc_1", "url": "https://us.example/hook"}

    def test_a_webhook_only_names_what_to_read(self) -> None:
        payload = {"type": "transaction.created", "data": {**ROW, "amount": 999_999}}

        assert row_named_by(payload) == ("acc_1", "tx_1")

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"type": "transaction.updated", "data": ROW},
            {"type": "transaction.created"},
            {"type": "transaction.created", "data": ["tx_1"]},
            {"type": "transaction.created", "data": {"id": "tx_1"}},
            {"type": "transaction.created", "data": {"id": 7, "account_id": "acc_1"}},
            {"type": "transaction.created", "data": {"id": "../feed", "account_id": "acc_1"}},
            {"type": "transaction.created", "data": {"id": "t" * 65, "account_id": "acc_1"}},
            {"type": "transaction.created", "data": {"id": "", "account_id": "acc_1"}},
        ],
    )
    def test_a_webhook_that_names_nothing(self, payload: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refusal:
            row_named_by(payload)

        assert refusal.value.code == "webhook_processing_failed"


READINGS: dict[str, Callable[[], Any]] = {
    "accounts": lambda: MONZO.list_accounts(TOKENS),
    "balance": lambda: MONZO.read_balance(TOKENS, CURRENT),
    "rows": list_rows,
    "row": lambda: MONZO.read_row(TOKENS, CURRENT, "tx_1"),
}


@pytest.mark.parametrize(
    ("reading", "status", "bank_code", "code"),
    [
        ("accounts", 401, "unauthorized.bad_access_token.expired", "token_expired"),
        ("accounts", 401, "unauthorized.bad_access_token.evicted", "invalid_token"),
        ("accounts", 401, "unauthorized.bad_access_token", "invalid_token"),
        ("accounts", 403, "forbidden.insufficient_permissions", "consent_pending"),
        ("accounts", 403, "forbidden.verification_required", "consent_pending"),
        ("accounts", 403, "forbidden", "bank_refused"),
        ("accounts", 404, "not_found", "bank_refused"),
        ("accounts", 503, "internal_service", "bank_api_error"),
        ("balance", 404, "not_found", "account_not_found"),
        ("rows", 403, "forbidden.verification_required", "history_window_closed"),
        ("rows", 400, "bad_request.bad_param.since", "bank_refused"),
        ("row", 404, "not_found", "payment_not_found"),
    ],
)
def test_refusals_become_reasons(reading: str, status: int, bank_code: str, code: str) -> None:
    error = refusal_of(READINGS[reading](), answer({"code": bank_code, "message": "access-1"}, status))

    assert error.code == code
    assert error.details["status"] == status


def test_a_refusal_tells_the_banks_own_code_only_if_it_is_one_word() -> None:
    told = refusal_of(list_rows(), answer({"code": "bad_request"}, 400))
    babbled = refusal_of(list_rows(), answer({"code": "<b>bad</b> request"}, 400))
    wordless = refusal_of(list_rows(), HttpResponse(status=400, body=b"<html>"))

    assert told.details["bank_code"] == "bad_request"
    assert "bank_code" not in babbled.details
    assert "bank_code" not in wordless.details


@pytest.mark.parametrize(
    ("headers", "retry_after_ms"),
    [
        ({"retry_after": "7"}, 7000),
        ({"retry_after": "Sun, 01 Mar 2026 12:00:30 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 30_000),
        ({"retry_after": "Sun, 01 Mar 2026 12:00:30 GMT"}, None),
        ({"retry_after": "-7"}, None),
        ({"retry_after": "9" * 50}, None),
        ({}, None),
    ],
)
def test_too_many_requests_say_how_long_to_wait(headers: dict[str, str], retry_after_ms: int | None) -> None:
    error = refusal_of(list_rows(), answer({"code": "too_many_requests"}, 429, **headers))

    assert (error.code, error.details.get("retry_after_ms")) == ("bank_rate_limited", retry_after_ms)


LIES: list[tuple[str, str, object]] = [
    *(("rows", name, None) for name in ("id", "amount", "created", "currency")),
    ("rows", "amount", 5.1),
    ("rows", "amount", "510"),
    ("rows", "amount", True),
    ("rows", "amount", 10**38),
    ("rows", "currency", "EUR"),
    ("rows", "currency", "ZZZ"),
    ("rows", "id", "tx\x001"),
    ("rows", "id", "t" * 257),
    ("rows", "id", 7),
    ("rows", "created", "yesterday"),
    ("rows", "created", "0001-01-01T00:00:00+14:00"),
    ("rows", "settled", 7),
    ("rows", "description", 7),
    ("accounts", "closed", "no"),
    ("accounts", "currency", None),
    ("accounts", "id", ""),
    ("balance", "balance", 1.0),
    ("balance", "currency", "EUR"),
]


@pytest.mark.parametrize(("reading", "member", "lie"), LIES)
def test_lies_are_not_believed(reading: str, member: str, lie: object) -> None:
    """A member that is missing, of another type or impossible fails the reading and names the member."""
    told: dict[str, dict[str, Any]] = {
        "rows": {"transactions": [{**ROW, member: lie}]},
        "accounts": {"accounts": [{**ACCOUNT, member: lie}]},
        "balance": {"balance": 1, "currency": "GBP", member: lie},
    }

    error = refusal_of(READINGS[reading](), answer(told[reading]))

    assert (error.code, error.details["member"]) == ("bank_api_error", member)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"transactions": {}}',
        b'{"transactions": [7]}',
        b'{"transactions": NaN}',
        b"\xff",
        b'{"transactions":' + b"[" * 100_000,
        b'{"transactions": [' + b"9" * 5000 + b"]}",
    ],
)
def test_bodies_that_are_no_answer(body: bytes) -> None:
    assert refusal_of(list_rows(), HttpResponse(status=200, body=body)).code == "bank_api_error"


def test_kinds_of_banks() -> None:
    assert client_of("monzo", MONZO.registration) == MONZO

    with pytest.raises(ValidationError, match="Nobody here speaks"):
        client_of("fax", MONZO.registration)
