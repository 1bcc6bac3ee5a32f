"""Banks, connections and sample data from the command line."""

from ledgercore.identity.audit import OPERATOR
from ledgercore.testing.banking_people import stored_account, stored_login
from ledgercore_app.seed import PASSWORDS


def test_bank_is_added_shown_and_listed(console):
    """With a branch; its secret is told to nobody."""
    added = console.json(
        "bank", "add", "DEMO", "--name", "Demo Bank", "--country", "GB", "--integration", "monzo",
        "--api-url", "https://api.example.com", "--authorize-url", "https://auth.example.com", "--client-id", "us",
        "--client-secret", "hush-hush", "--branch", "Main",
    )  # fmt: skip

    shown = console("bank", "show", added["id"])
    listed = console("bank", "list")

    assert added["branches"][0]["name"] == "Main"
    assert "branch Main, GB" in shown.out
    assert "hush" not in shown.out + str(added)
    assert listed.out.splitlines()[2].split()[0] == "DEMO"
    assert console.json("bank", "show", added["id"]) == added
    assert [each["code"] for each in console.json("bank", "list")["items"]] == ["DEMO"]


def test_connections_and_accounts_are_listed(console):
    """Those of a user, or of all."""
    account = stored_account(console.application.bank.store)
    other = stored_login(console.application.bank.store)

    logins = console.json("bank-login", "list")["items"]
    accounts = console.json("bank", "accounts", "--user", str(account.user_id))["items"]

    assert {each["id"] for each in logins} == {str(account.user_bank_login_id), str(other.id)}
    assert [(each["id"], each["balance"]) for each in accounts] == [(str(account.id), "0.00")]
    assert "Household" in console("bank", "accounts").out
    assert other.username in console("bank-login", "list", "--user", str(other.user_id)).out


def test_connection_without_tokens_is_not_synchronised(console):
    """The reason is told, with its exit status."""
    login = stored_login(console.application.bank.store)

    refused = console("bank-login", "sync", str(login.id))

    assert (refused.status, "bank_not_connected" in refused.err) == (5, True)


def test_sample_is_loaded_once(console):
    """Run again, it changes nothing; the passwords that it prints let its users in."""
    first = console.json("seed")["items"]
    again = console.json("seed")["items"]

    assert first == again
    balances = {each["email"]: each["balance"] for each in first}
    assert balances == {
        "alice@example.com": "1500.00 USD", "bob@example.com": "2500.00 GBP", "admin@example.com": "",
    }  # fmt: skip
    payments = console.json("payment", "list")["items"]
    assert {(each["payment_type"], each["amount"], each["status"]) for each in payments} == {
        ("WITHDRAWAL", "100.00", "COMPLETED"),
        ("DEPOSIT", "500.00", "COMPLETED"),
    }
    identity = console.application.identity
    for email, password in PASSWORDS.items():
        assert identity.sign_in.login(email, password, actor=OPERATOR)


def test_sample_is_refused_in_production(console, monkeypatch):
    """Everybody knows its passwords."""
    monkeypatch.setenv("LEDGERCORE_ENVIRONMENT", "production")

    refused = console("seed")

    assert "configuration_error" in refused.err
    assert console.json("user", "list")["items"] == []
