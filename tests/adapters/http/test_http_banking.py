"""Banks, logins and accounts over HTTP: what each route answers, and each refusal."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ledgercore.jobs.ports import JobFilter
from ledgercore.testing.identity_people import new_id
from ledgercore_http.schemas.banking import ACCOUNT_ASKED_EXAMPLE, BANK_ASKED_EXAMPLE

SWIFT = "MONZGB2LXXX"


@pytest.fixture
def bank(ada) -> dict[str, Any]:
    """A bank that can be connected to."""
    made = ada.post("/banks", BANK_ASKED_EXAMPLE)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()["data"]
    return found


@pytest.fixture
def branch(ada, bank) -> dict[str, Any]:
    """A branch of it."""
    made = ada.post(f"/banks/{bank['id']}/branches", {"name": "Main", "country": "GB", "swift_code": SWIFT})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()["data"]
    return found


@pytest.fixture
def begun(alice, branch) -> dict[str, Any]:
    """A login of alice's that is on its way."""
    made = alice.post("/bank-logins", {"bank_branch_id": branch["id"], "username": "alice01"})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()["data"]
    return found


@pytest.fixture
def state(begun) -> str:
    """What the bank sends back with her."""
    return parse_qs(urlsplit(begun["authorization_url"]).query)["state"][0]


@pytest.fixture
def login(anonymous, begun, state) -> dict[str, Any]:
    """Her login, connected."""
    back = anonymous.get(f"/bank-logins/callback?code=a-code&state={state}")
    assert back.status_code == 200, back.text
    found: dict[str, Any] = back.json()["data"]
    return found


@pytest.fixture
def account(alice, login) -> dict[str, Any]:
    """An account of hers."""
    made = alice.post("/accounts", {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": login["id"]})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()["data"]
    return found


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestBanks:
    """Read by everybody, kept by admins."""

    def test_secret_is_never_shown(self, ada, alice, bank):
        changed = ada.put(f"/banks/{bank['id']}", {"client_secret": "another-secret", "name": "Monzo Bank"})

        shown = alice.get(f"/banks/{bank['id']}").json()["data"]
        assert "secret" not in "".join(key for key in shown if key != "has_client_secret")
        assert "another-secret" not in changed.text
        assert (shown["has_client_secret"], shown["name"]) == (True, "Monzo Bank")
        assert [each["code"] for each in alice.get("/banks").json()["data"]] == ["MONZO_GB"]

    def test_branches_are_listed(self, alice, bank, branch):
        listed = alice.get(f"/banks/{bank['id']}/branches").json()["data"]

        assert listed == [branch]
        assert branch["swift_code"] == SWIFT

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"name": "x"}, (400, "invalid_name_format")),
            ({"country": "gb"}, (400, "invalid_bank")),
            ({"code": "a-b"}, (400, "invalid_bank")),
            ({"integration": "screen-scraping"}, (400, "invalid_bank")),
            ({"status": "SLEEPING"}, (400, "invalid_status")),
            ({"client_id": None}, (400, "invalid_bank")),
            ({"logo_url": "ftp://example.com"}, (400, "invalid_bank")),
            ({"client_secret": ""}, (400, "invalid_bank")),
            ({"api_url": "https://10.0.0.1"}, (400, "forbidden_address")),
            ({"api_url": "http://api.example.com"}, (400, "forbidden_address")),
            ({"name": None}, (400, "missing_fields")),
        ],
    )
    def test_bank_that_cannot_be_is_refused(self, ada, changes, expected):
        assert code_of(ada.post("/banks", {**BANK_ASKED_EXAMPLE, **changes})) == expected

    def test_taken_name_is_refused(self, ada, bank):
        assert code_of(ada.post("/banks", {**BANK_ASKED_EXAMPLE, "code": "OTHER"})) == (409, "bank_already_exists")

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"iban": "GB00WEST12345698765432"}, (400, "invalid_iban")),
            ({"swift_code": "NOPE"}, (400, "invalid_bic")),
            ({"swift_code": "MONZGB2L"}, (400, "invalid_bank")),
            ({"routing_number": "123456789"}, (400, "invalid_routing_number")),
            ({"swift_code": SWIFT}, (409, "branch_already_exists")),
        ],
    )
    def test_branch_that_cannot_be_is_refused(self, ada, bank, branch, fields, expected):
        answer = ada.post(f"/banks/{bank['id']}/branches", {"name": "Second", "country": "GB", **fields})

        assert code_of(answer) == expected

    def test_unknown_bank_is_not_found(self, ada):
        for answer in (
            ada.get(f"/banks/{new_id()}"),
            ada.put(f"/banks/{new_id()}", {"name": "Other"}),
            ada.get(f"/banks/{new_id()}/branches"),
            ada.post(f"/banks/{new_id()}/branches", {"name": "Main", "country": "GB"}),
        ):
            assert code_of(answer) == (404, "bank_not_found")


class TestLogins:
    """From the wish to connect to the tokens, which nobody sees."""

    def test_login_is_connected(self, alice, begun, login, service):
        assert (begun["status"], login["status"], login["id"]) == ("INACTIVE", "ACTIVE", begun["id"])
        assert "token" not in str(alice.get("/bank-logins").json()["data"])
        with service.bank.store.begin() as work:
            [job] = work.jobs.list_after(JobFilter(kind="sync_bank_login"), after=None, limit=5)
        assert job.arguments == {"bank_login_id": login["id"]}

    def test_state_is_good_once(self, anonymous, login, state):
        again = anonymous.get(f"/bank-logins/callback?code=a-code&state={state}")

        assert code_of(again) == (400, "invalid_consent_state")

    def test_refusal_of_the_bank_is_told(self, anonymous, state):
        answer = anonymous.get(f"/bank-logins/callback?error=access_denied&state={state}")

        assert code_of(answer) == (422, "consent_denied")
        assert answer.json()["details"]["bank_code"] == "access_denied"

    @pytest.mark.parametrize("query", ["", "?code=x", "?state=unknown&code=x"])
    def test_callback_without_a_state_of_ours_is_refused(self, anonymous, query):
        assert anonymous.get(f"/bank-logins/callback{query}").status_code == 400

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"username": "a b"}, (400, "invalid_bank")),
            ({"username": None}, (400, "missing_fields")),
            ({"sync_frequency": 299}, (400, "invalid_bank")),
            ({"bank_branch_id": "x"}, (400, "invalid_uuid_format")),
            ({"bank_branch_id": str(new_id())}, (404, "branch_not_found")),
        ],
    )
    def test_wish_that_cannot_be_is_refused(self, alice, branch, fields, expected):
        wish = {"bank_branch_id": branch["id"], "username": "alice01", **fields}

        assert code_of(alice.post("/bank-logins", wish)) == expected

    @pytest.mark.parametrize("changes", [{"status": "INACTIVE"}, {"integration": "none"}])
    def test_bank_that_cannot_be_connected_is_refused(self, ada, alice, bank, branch, changes):
        ada.put(f"/banks/{bank['id']}", changes)

        answer = alice.post("/bank-logins", {"bank_branch_id": branch["id"], "username": "alice01"})

        assert code_of(answer) == (422, "bank_not_connected")

    def test_sync_is_asked_for_once_in_a_while(self, alice, login):
        first, second = (alice.post(f"/bank-logins/{login['id']}/sync") for _ in range(2))

        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json()["data"] == second.json()["data"]

    def test_disconnected_login_has_nothing_to_sync(self, alice, login):
        ended = alice.delete(f"/bank-logins/{login['id']}").json()["data"]

        assert (ended["status"], ended["next_sync_at"]) == ("INACTIVE", None)
        assert alice.delete(f"/bank-logins/{login['id']}").status_code == 200
        assert code_of(alice.post(f"/bank-logins/{login['id']}/sync")) == (422, "bank_not_connected")

    def test_another_login_is_as_if_it_were_not_there(self, bob, sam, login):
        for answer in (
            bob.get(f"/bank-logins/{login['id']}"),
            bob.delete(f"/bank-logins/{login['id']}"),
            bob.post(f"/bank-logins/{login['id']}/sync"),
            sam.get(f"/bank-logins/{new_id()}"),
        ):
            assert code_of(answer) == (404, "bank_login_not_found")
        assert sam.get(f"/bank-logins/{login['id']}").status_code == 200

    def test_logins_of_others_are_for_support(self, bob, sam, alice, login):
        assert code_of(bob.get(f"/bank-logins?user_id={alice.user_id}")) == (403, "insufficient_permissions")
        assert [each["id"] for each in sam.get(f"/bank-logins?user_id={alice.user_id}").json()["data"]] == [login["id"]]

    def test_webhook_of_monzo_only_has_us_look(self, anonymous, login, service):
        """Whatever it says, and whether or not there is such a login."""
        told = {"type": "transaction.created", "data": {"amount": -1_000_000}}

        answers = [anonymous.post(f"/bank-logins/{id}/monzo-webhook", told) for id in (login["id"], new_id())]

        assert [answer.json()["data"] for answer in answers] == [{"received": True}] * 2
        with service.bank.store.begin() as work:
            assert len(work.jobs.list_after(JobFilter(kind="sync_bank_login"), after=None, limit=5)) == 1


class TestAccounts:
    """Opened and changed by their owners; what is in them the ledger says."""

    def test_account_is_opened_empty(self, alice, account):
        assert (account["balance"], account["status"], account["last_four"]) == ("0.00", "ACTIVE", "4321")
        assert alice.get(f"/accounts/{account['id']}").json()["data"] == account
        assert alice.get("/accounts").json()["data"] == [account]
        assert alice.get(f"/accounts/{account['id']}/findings").json()["data"] == []

    def test_payment_shows_in_its_transactions(self, alice, account):
        wanted = {
            "amount": "12.50", "direction": "CREDIT", "payment_type": "DEPOSIT", "description": "cash",
            "user_bank_account_id": account["id"],
        }  # fmt: skip
        payment = alice.post("/payments", wanted).json()["data"]
        alice.post(f"/payments/{payment['id']}/process")

        [entry] = alice.get(f"/accounts/{account['id']}/transactions").json()["data"]

        assert (entry["amount"], entry["direction"], entry["balance"]) == ("12.50", "CREDIT", "12.50")
        assert alice.get(f"/accounts/{account['id']}").json()["data"]["balance"] == "12.50"
        closed = alice.put(f"/accounts/{account['id']}", {"status": "CLOSED"})
        assert code_of(closed) == (422, "account_not_empty")

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"currency": "pounds"}, (400, "invalid_currency_format")),
            ({"currency": "ZZZ"}, (400, "unknown_currency")),
            ({"account_type": "PIGGY"}, (400, "invalid_account_type")),
            ({"account_name": "x" * 101}, (400, "invalid_account_name_format")),
            ({"last_four": "12"}, (400, "invalid_argument")),
            ({"external_account_id": "a-b"}, (400, "invalid_argument")),
            ({"iban": "GB00"}, (400, "invalid_iban")),
            ({"user_bank_login_id": str(new_id())}, (404, "bank_login_not_found")),
            ({"user_bank_login_id": "x"}, (400, "invalid_uuid_format")),
            ({"currency": None}, (400, "missing_fields")),
        ],
    )
    def test_account_that_cannot_be_is_refused(self, alice, login, fields, expected):
        asked = {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": login["id"], **fields}

        assert code_of(alice.post("/accounts", asked)) == expected

    def test_external_id_is_linked_once(self, alice, login):
        asked = {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": login["id"], "external_account_id": "acc1"}

        first, second = alice.post("/accounts", asked), alice.post("/accounts", asked)

        assert first.status_code == 201
        assert code_of(second) == (409, "account_already_linked")

    def test_owner_changes_name_and_status(self, alice, account):
        changed = alice.put(f"/accounts/{account['id']}", {"account_name": " Trips ", "status": "inactive"}).json()

        assert (changed["data"]["account_name"], changed["data"]["status"]) == ("Trips", "INACTIVE")

    def test_owner_cannot_undo_what_support_did(self, alice, sam, account):
        path = f"/accounts/{account['id']}"
        assert code_of(alice.put(path, {"status": "FROZEN"})) == (403, "insufficient_permissions")
        sam.put(path, {"status": "FROZEN"})

        assert code_of(alice.put(path, {"status": "ACTIVE"})) == (403, "insufficient_permissions")
        assert alice.put(path, {"account_name": "Mine"}).status_code == 200
        assert sam.put(path, {"status": "ACTIVE"}).status_code == 200

    def test_closed_account_stays_closed(self, alice, ada, account):
        path = f"/accounts/{account['id']}"
        assert alice.put(path, {"status": "CLOSED"}).status_code == 200

        assert code_of(ada.put(path, {"status": "ACTIVE"})) == (422, "account_inactive")

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"status": "ASLEEP"}, (400, "invalid_status")),
            ({"account_name": ""}, (400, "invalid_account_name_format")),
            ({"credit_limit": "100"}, (403, "insufficient_permissions")),
            ({}, (400, "missing_fields")),
        ],
    )
    def test_change_that_cannot_be_is_refused(self, alice, account, fields, expected):
        assert code_of(alice.put(f"/accounts/{account['id']}", fields)) == expected

    def test_admin_lets_a_credit_account_go_below_zero(self, ada, alice, login):
        asked = {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": login["id"], "account_type": "CREDIT"}
        credit = alice.post("/accounts", asked).json()["data"]
        checking = alice.post("/accounts", {**asked, "account_type": "CHECKING"}).json()["data"]

        changed = ada.put(f"/accounts/{credit['id']}", {"credit_limit": "250.00"})

        assert changed.json()["data"]["credit_limit"] == "250.00"
        refused = ada.put(f"/accounts/{checking['id']}", {"credit_limit": "1"})
        assert code_of(refused) == (400, "invalid_argument")

    def test_another_account_is_as_if_it_were_not_there(self, bob, sam, account):
        path = f"/accounts/{account['id']}"
        for answer in (
            bob.get(path),
            bob.put(path, {"account_name": "Mine"}),
            bob.get(f"{path}/transactions"),
            bob.get(f"{path}/findings"),
            sam.get(f"/accounts/{new_id()}"),
        ):
            assert code_of(answer) == (404, "account_not_found")
        assert sam.get(path).status_code == 200
        assert bob.get("/accounts").json()["data"] == []

    def test_accounts_of_others_are_for_support(self, bob, sam, alice, account):
        assert code_of(bob.get(f"/accounts?user_id={alice.user_id}")) == (403, "insufficient_permissions")
        assert [each["id"] for each in sam.get(f"/accounts?user_id={alice.user_id}").json()["data"]] == [account["id"]]
