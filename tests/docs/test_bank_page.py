"""The story of docs/bank.md, run with bash and curl as it stands there: a server, a worker, a bank over HTTP."""

import os
import shutil
from decimal import Decimal

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="curl and bash are not here"),
]


def test_the_story_ends_with_books_that_agree(shell, database_url) -> None:
    """Account, payment, ledger and audit log tell the same, to the last penny."""
    terminal = shell(LEDGERCORE_DATABASE_URL=database_url, LEDGERCORE_SECRET=os.urandom(32).hex(),
                     LEDGERCORE_PRIVATE_ADDRESSES="allowed")  # fmt: skip
    with (
        terminal.running("sandbox", "bank", "--port", "0", until="secret") as bank,
        terminal.running("serve", "--port", "0", until="startup complete") as server,
    ):
        told = terminal.run("bank.md", API=f"{server}/api/v1", SANDBOX=bank)

    user, login, worked, accounts, processed, again, account, entries, transaction, audited, verified = told
    assert user["data"]["email"] == "alice@example.com"
    assert (login["metadata"]["action"], login["data"]["status"]) == ("connected", "ACTIVE")
    assert worked["success"] >= 1
    [before] = accounts["data"]
    paid = Decimal("49.99")
    assert (processed["data"]["status"], Decimal(processed["data"]["amount"])) == ("COMPLETED", paid)
    assert again == processed
    assert Decimal(account["data"]["balance"]) == Decimal(before["balance"]) - paid
    [entry] = entries["data"]
    assert (entry["id"], Decimal(entry["amount"]), entry["direction"]) == (transaction["id"], paid, "DEBIT")
    assert entry["balance"] == account["data"]["balance"]
    assert transaction["id"] == processed["data"]["transaction_id"]
    assert transaction["metadata"] == {"payment_id": processed["data"]["id"]}
    assert [each["action"] for each in audited["items"]] == ["payment_processed", "payment_created"]
    assert verified["sound"]
