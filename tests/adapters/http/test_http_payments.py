"""Payments over HTTP: what each route answers, and each refusal."""

from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.errors import BusinessRuleError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.payments.limits import read_limits
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.payments_people import funded_account

LEDGER = "bank"


@pytest.fixture
def account_of(service) -> Any:
    """Gives somebody an account with money in it: `account_of(alice, "100")`."""

    def make(client: Any, amount: str = "500", **fields: Any) -> BankAccount:
        user = service.identity.users.get(UUID(client.user_id), by=Operator())
        return funded_account(service.bank.store, amount, ledger=LEDGER, user=user, **fields)

    return make


@pytest.fixture
def account(account_of, alice) -> BankAccount:
    """Alice's account with 500 euros."""
    return account_of(alice)


@pytest.fixture
def asked(account) -> Any:
    """What alice sends to ask for a debit."""

    def build(**fields: Any) -> dict[str, Any]:
        return {
            "amount": "10.00", "direction": "DEBIT", "payment_type": "PAYMENT", "description": "invoice",
            "user_bank_account_id": str(account.id), **fields,
        }  # fmt: skip

    return build


@pytest.fixture
def create(alice, asked) -> Any:
    """Makes a payment of alice's and gives its id."""

    def make(**fields: Any) -> str:
        made = alice.post("/payments", asked(**fields))
        assert made.status_code == 201, made.text
        id: str = made.json()["data"]["id"]
        return id

    return make


def told(answer: Any) -> tuple[int, str]:
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


class TestLifeCycle:
    def test_payment_is_created_processed_and_seen(self, alice, asked, account):
        made = alice.post("/payments", asked())

        assert (made.status_code, made.json()["metadata"]) == (201, {"action": "created"})
        data = made.json()["data"]
        assert (data["status"], data["amount"], data["currency"], data["posted_at"]) == (
            "PENDING", "10.00", "EUR", None,
        )  # fmt: skip
        done = alice.post(f"/payments/{data['id']}/process")
        assert (done.status_code, done.json()["metadata"]) == (200, {"action": "processed"})
        assert done.json()["data"]["status"] == "COMPLETED"
        assert done.json()["data"]["posted_at"] is not None
        seen = alice.get(f"/payments/{data['id']}")
        assert (seen.json()["data"], seen.json()["metadata"]) == (done.json()["data"], {"action": "retrieved"})

    def test_cancelling_is_final(self, alice, create):
        id = create()

        cancelled = alice.delete(f"/payments/{id}")

        assert (cancelled.status_code, cancelled.json()["data"]["status"]) == (200, "CANCELLED")
        assert cancelled.json()["metadata"] == {"action": "cancelled"}
        assert told(alice.delete(f"/payments/{id}")) == (409, "already_processed")
        assert told(alice.post(f"/payments/{id}/process")) == (409, "already_processed")

    def test_a_worker_completes_what_was_left_to_it(self, alice, create, service):
        id = create()

        left = alice.post(f"/payments/{id}/process?mode=async")

        assert (left.status_code, left.json()["data"]["status"]) == (200, "PROCESSING")
        assert told(alice.post(f"/payments/{id}/process")) == (409, "already_processed")
        assert told(alice.delete(f"/payments/{id}")) == (409, "already_processed")
        service.bank.payments.processing.process(UUID(id), by=Operator(), actor=OPERATOR)
        assert alice.get(f"/payments/{id}").json()["data"]["status"] == "COMPLETED"

    def test_repeat_under_a_key_moves_nothing(self, alice, create, service):
        """And a refusal is not kept: the same request is carried out once it can be."""
        id = create()
        first, again = (alice.post(f"/payments/{id}/process", key="pay") for _ in range(2))

        assert first.json()["data"] == again.json()["data"]
        assert again.headers["idempotency-replayed"] == "true"

    def test_money_is_taken_back_by_admins(self, alice, ada, create):
        id = create()
        assert told(ada.post(f"/payments/{id}/return")) == (409, "payment_not_completed")
        alice.post(f"/payments/{id}/process")

        some = ada.post(f"/payments/{id}/return", {"amount": "4.00"})
        rest = ada.post(f"/payments/{id}/return")

        assert [(each.status_code, each.json()["data"]["amount"]) for each in (some, rest)] == [
            (201, "4.00"), (201, "6.00"),
        ]  # fmt: skip
        assert told(ada.post(f"/payments/{id}/return")) == (422, "transaction_already_reversed")
        assert told(ada.post(f"/payments/{id}/return", {"amount": "1"})) == (422, "transaction_already_reversed")
        assert told(alice.post(f"/payments/{id}/return")) == (403, "insufficient_permissions")


class TestCreating:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"amount": "ten"}, (400, "invalid_amount_format")),
            ({"amount": 10.5}, (400, "invalid_amount_format")),
            ({"amount": "10.001"}, (400, "invalid_amount_format")),
            ({"amount": None}, (400, "missing_fields")),
            ({"amount": "0"}, (422, "negative_amount")),
            ({"amount": "-5.00"}, (422, "negative_amount")),
            ({"amount": "10000.01"}, (422, "amount_exceeds_limit")),
            ({"direction": "SIDEWAYS"}, (400, "invalid_direction")),
            ({"payment_type": "GIFT"}, (400, "invalid_payment_type")),
            ({"description": ""}, (400, "missing_fields")),
            ({"description": "x" * 256}, (400, "invalid_description_format")),
            ({"user_bank_account_id": "0123456789abcdef"}, (400, "invalid_uuid_format")),
            ({"user_bank_account_id": str(new_id())}, (404, "account_not_found")),
            ({"user_id": str(new_id())}, (400, "unknown_fields")),
        ],
    )
    def test_what_is_wrong_is_named(self, alice, asked, fields, expected):
        assert told(alice.post("/payments", asked(**fields))) == expected

    def test_whole_units_are_taken(self, alice, asked):
        assert alice.post("/payments", asked(amount=12)).json()["data"]["amount"] == "12.00"

    def test_choices_are_taken_in_any_case(self, alice, asked):
        made = alice.post("/payments", asked(direction=" debit ", payment_type="withdrawal", description=" rent "))

        data = made.json()["data"]
        assert (data["direction"], data["payment_type"], data["description"]) == ("DEBIT", "WITHDRAWAL", "rent")

    def test_nobody_pays_from_anothers_account(self, bob, ada, asked):
        for other in (bob, ada):
            assert told(other.post("/payments", asked())) == (403, "unauthorized_access")

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (AccountStatus.CLOSED, "account_inactive"),
            (AccountStatus.FROZEN, "account_frozen"),
            (AccountStatus.SUSPENDED, "account_suspended"),
        ],
    )
    def test_account_must_be_active(self, alice, asked, account, service, status, code, create):
        waiting = create()
        with service.bank.store.begin() as work:
            work.accounts.save(evolve(account, status=status))

        assert told(alice.post("/payments", asked())) == (422, code)
        assert told(alice.post(f"/payments/{waiting}/process")) == (422, code)


class TestProcessing:
    def test_refused_payment_stays_pending(self, alice, create):
        id = create(amount="600")

        refused = alice.post(f"/payments/{id}/process", key="pay")

        assert told(refused) == (422, "insufficient_funds")
        assert refused.json()["details"] == {
            "account_id": refused.json()["details"]["account_id"], "available": "500.00 EUR", "requested": "600.00 EUR",
        }  # fmt: skip
        assert alice.get(f"/payments/{id}").json()["data"]["status"] == "PENDING"
        alice.post(f"/payments/{create(direction='CREDIT', amount='200')}/process")
        assert alice.post(f"/payments/{id}/process", key="pay").status_code == 200

    def test_daily_limit_and_duplicates(self, alice, create):
        for amount in ("1000", "900"):
            alice.post(f"/payments/{create(direction='CREDIT', amount=amount)}/process")
        alice.post(f"/payments/{create(amount='900')}/process")

        assert told(alice.post(f"/payments/{create(amount='100.01')}/process")) == (422, "daily_limit_exceeded")
        twin = create(direction="CREDIT", amount="900")
        assert told(alice.post(f"/payments/{twin}/process")) == (409, "duplicate_transaction")
        status = alice.get(f"/payments/{twin}/status")
        assert status.json()["data"]["is_duplicate"] is True
        assert status.json()["data"]["can_process"] is True
        assert status.json()["metadata"] == {"action": "status_retrieved"}

    def test_single_limit_is_asked_again(self, alice, create, service, account):
        """It may have been lowered since the payment was created."""
        id = create(amount="50")
        limited = evolve(service.bank, payment_limits=read_limits("single:49"))

        with pytest.raises(BusinessRuleError, match="single transaction limit"):
            limited.payments.processing.process(UUID(id), by=Operator(), actor=OPERATOR)

    def test_others_are_refused_by_role(self, alice, bob, sam, ada, create):
        id = create()

        assert told(bob.post(f"/payments/{id}/process")) == (403, "insufficient_permissions")
        assert told(sam.post(f"/payments/{id}/process")) == (403, "insufficient_permissions")
        assert ada.post(f"/payments/{id}/process").status_code == 200
        for who in (alice, sam, ada):
            assert told(who.post(f"/payments/{id}/process")) == (409, "already_processed")
        assert told(bob.post(f"/payments/{id}/process")) == (403, "insufficient_permissions")

    def test_mode_is_one_of_two(self, alice, create):
        assert told(alice.post(f"/payments/{create()}/process?mode=later")) == (400, "invalid_filter")


class TestReading:
    @pytest.mark.parametrize("path", ["", "/status"])
    def test_only_admins_and_support_see_others(self, bob, sam, ada, create, path):
        id = create()

        assert told(bob.get(f"/payments/{id}{path}")) == (403, "insufficient_permissions")
        assert {who.get(f"/payments/{id}{path}").status_code for who in (sam, ada)} == {200}
        assert told(bob.delete(f"/payments/{id}")) == (403, "insufficient_permissions")

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", ""), ("GET", "/status"), ("POST", "/process"), ("DELETE", ""), ("POST", "/return")],
    )
    def test_unknown_and_malformed_ids(self, ada, method, path):
        for id, expected in (
            (str(new_id()), (404, "payment_not_found")),
            ("0123456789abcdef", (400, "invalid_uuid_format")),
        ):
            assert told(ada.request(method, f"/api/payments/{id}{path}")) == expected

    def test_own_payments_are_listed_by_page(self, alice, bob, create):
        ids = [create(amount=str(units)) for units in (1, 2, 3)]

        page = alice.get("/payments?page=2&page_size=2")

        assert [each["id"] for each in page.json()["data"]] == ids[:1]
        assert page.json()["metadata"] == {
            "action": "listed",
            "pagination": {
                "page": 2, "page_size": 2, "total_count": 3, "total_pages": 2, "has_next": False, "has_prev": True,
            },
        }  # fmt: skip
        assert bob.get("/payments").json()["data"] == []
        assert alice.get("/payments?page=x&page_size=1000").json()["metadata"]["pagination"]["page_size"] == 100

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("status=COMPLETED", 1), ("status=pending", 2), ("status=", 3), ("direction=CREDIT", 1),
            ("payment_type=TRANSFER", 0), ("amount_min=2", 2), ("amount_max=1.99", 1), ("amount_min=2&amount_max=2", 1),
            ("date_from=2026-01-01T00:00:00Z", 3), ("date_to=2026-01-01T00:00:00+00:00", 0),
        ],
    )  # fmt: skip
    def test_filters(self, alice, create, query, count):
        create(amount="1")
        create(amount="2", direction="CREDIT")
        alice.post(f"/payments/{create(amount='3')}/process")

        assert alice.get(f"/payments?{query}").json()["metadata"]["pagination"]["total_count"] == count

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("status=DONE", "invalid_status"),
            ("direction=UP", "invalid_direction"),
            ("payment_type=GIFT", "invalid_payment_type"),
            ("date_from=yesterday", "invalid_datetime_format"),
            ("date_to=2026-03-02", "invalid_datetime_format"),
            ("date_to=0001-01-01T00:00:00Z", "datetime_out_of_range"),
            ("amount_min=ten", "invalid_amount_format"),
            ("amount_max=1e5", "invalid_amount_format"),
            ("colour=red", "unknown_fields"),
        ],
    )
    def test_filters_that_cannot_be_read(self, alice, query, code):
        assert told(alice.get(f"/payments?{query}")) == (400, code)


class TestStats:
    def test_own_figures(self, alice, create, account_of):
        alice.post(f"/payments/{create(amount='100')}/process")

        stats = alice.get("/payments/stats")

        health = stats.json()["data"]["financial_health"]
        assert stats.json()["metadata"] == {"action": "stats_retrieved"}
        assert (health["user_id"], health["total_balance"], health["total_accounts"]) == (alice.user_id, "400.00", 1)
        assert [each["daily_remaining"] for each in health["accounts"]] == ["900.00"]
        assert len(stats.json()["data"]["recent_payments"]) == 1
        account_of(alice, "7", currency="JPY")
        health = alice.get("/payments/stats").json()["data"]["financial_health"]
        assert (health["total_balance"], health["balances"]) == (None, {"EUR": "400.00", "JPY": "7"})

    def test_without_accounts(self, bob):
        health = bob.get("/payments/stats").json()["data"]["financial_health"]

        assert (health["total_balance"], health["is_healthy"], health["can_make_payments"]) == ("0", False, False)

    def test_admins_see_others_and_all(self, ada, sam, alice, account):
        for whose, accounts in ((alice.user_id, 1), ("all", 1), (str(new_id()), 0)):
            found = ada.get(f"/payments/stats?user_id={whose}").json()["data"]["financial_health"]
            assert found["total_accounts"] == accounts
            assert found["user_id"] == (None if whose == "all" else whose)
        assert told(sam.get("/payments/stats?user_id=all")) == (403, "insufficient_permissions")
        assert told(ada.get("/payments/stats?user_id=everybody")) == (400, "invalid_uuid_format")


class TestDryRuns:
    def test_tells_what_would_become_of_a_payment(self, alice, asked, account):
        good, bad = (alice.post("/payments/validate", asked(amount=amount)) for amount in ("10", "600"))

        assert good.json()["data"] == {
            "valid": True,
            "message": "Payment validation successful",
            "payment": asked(amount="10"),
            "account": {
                "id": str(account.id), "account_name": account.account_name, "account_type": "CHECKING",
                "status": "ACTIVE", "currency": "EUR", "balance": "500.00",
            },
        }  # fmt: skip
        assert good.json()["metadata"] == {"action": "validated"}
        assert (bad.status_code, bad.json()["data"]["valid"]) == (200, False)
        assert bad.json()["data"]["error"] == {
            "reason": "insufficient_funds", "message": "Insufficient funds for this transaction", "code": 422,
        }  # fmt: skip

    def test_refuses_what_cannot_be_read(self, alice, asked):
        for fields, expected in (
            ({"amount": "x"}, (400, "invalid_amount_format")),
            ({"user_bank_account_id": str(new_id())}, (404, "account_not_found")),
        ):
            assert told(alice.post("/payments/validate", asked(**fields))) == expected

    def test_another_account_is_not_shown(self, bob, asked):
        data = bob.post("/payments/validate", asked()).json()["data"]

        assert (data["valid"], data["account"], data["error"]["reason"]) == (False, None, "unauthorized_access")
