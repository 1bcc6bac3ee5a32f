"""Every command speaks to people and to programs."""

import json

import click
import pytest
from attrs import evolve

from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.testing.banking_people import bank_account, stored_login
from ledgercore.testing.events_webhooks import delivery_to, endpoint_of
from ledgercore.testing.identity_people import someone
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore_cli.commands import COMMANDS

from .conftest import PASSWORD
from .test_cli_help import command_of
from .test_cli_statements import ORDER, PAIN002, mt940

# Files and proofs have tests of their own; a completion script is for a shell, whoever asks.
ELSEWHERE = {"import", "export", "restore", "verify", "proof", "completion"}
NAME = "0191d3c0-0000-7000-8000-00000000000"
COMMAND_LINES = [
    "ledger create other",
    "ledger list",
    "ledger show",
    "ledger settings",
    "asset register BTC 8",
    "asset list",
    "account open loans:ann EUR --type asset",
    "account list",
    "account show wallets:ann",
    "account freeze wallets:ann",
    "account unfreeze wallets:ann",
    "account close wallets:eve",
    "account limit wallets:ann --maximum none",
    "period close 2025-12-31T23:59:59Z",
    "post assets:bank wallets:ann 1.00 EUR",
    "reverse key:top-up 10.00",
    "hold place wallets:ann assets:bank 1.00 EUR",
    "hold change key:open 3.00",
    "hold capture key:open",
    "hold void key:open",
    "hold replace key:expired",
    "hold show key:open",
    "hold list",
    "hold expire",
    "hold capture-group trip",
    "hold void-group trip",
    "transaction show key:top-up",
    "transaction search",
    "balance wallets:ann",
    "balances",
    "register wallets:ann",
    "events",
    "report trial-balance",
    "report balance-sheet",
    "report income-statement",
    "user create eve@example.com --name Eve",
    "user list",
    "user show bob@example.com",
    "user set-role bob@example.com support",
    "user suspend bob@example.com",
    "user activate out@example.com",
    "user delete bob@example.com --yes",
    "user set-password bob@example.com",
    "user logout bob@example.com",
    "token issue --owner bob@example.com --name till --scope ledger:write",
    "token list",
    "token revoke TOKEN",
    "member grant bob@example.com writer",
    "member revoke out@example.com",
    "member list",
    "audit list",
    "audit verify",
    "statement import FILE --account assets:bank",
    "statement list",
    "statement show STATEMENT",
    "statement lines --account assets:bank",
    "statement write-pain001 ORDER -o PAIN001",
    "statement read-pain002 PAIN002",
    "reconcile run --account assets:bank",
    "reconcile suggest --account assets:bank",
    "reconcile unmatched --account assets:bank",
    "reconcile match --account assets:bank --line LINE --transaction key:top-up",
    "reconcile undo MATCH",
    "reconcile matches --account assets:bank",
    "reconcile proof --account assets:bank",
    "payment list",
    "payment show PAID",
    "payment process PAYMENT",
    "payment cancel PAYMENT",
    "payment return PAID 1.00",
    "job list",
    "job counts",
    "job show JOB",
    "job cancel JOB",
    "job retry DEAD",
    "bank list",
    "bank add DEMO --name Demo --country GB",
    "bank show BANK",
    "bank accounts",
    "bank reseal",
    "bank-login list",
    "bank-login sync LOGIN",
    "webhook list",
    "webhook deliveries WEBHOOK",
    "webhook replay WEBHOOK --from 1",
    "migrate",
    "doctor",
]


@pytest.fixture
def lively(books, clock):
    """A ledger with an empty account, an open hold in a group and an expired one; users, members and a key."""
    assert books("account", "open", "wallets:eve", "EUR").status == 0
    expiry = ("--expires-at", "2026-03-01T13:00:00Z")
    assert books("hold", "place", "wallets:ann", "assets:bank", "1.00", "EUR", "--key", "expired", *expiry).status == 0
    clock.forward(hours=2)
    assert (
        books("hold", "place", "wallets:ann", "assets:bank", "2.00", "EUR", "--key", "open", "--group", "trip").status
        == 0
    )
    for name in ("bob", "out"):
        books.json("user", "create", f"{name}@example.com", "--name", name, stdin=PASSWORD.encode())
        books.json("member", "grant", f"{name}@example.com", "reader")
    books.json("user", "suspend", "out@example.com")
    books.json("token", "issue", "--owner", "bob@example.com", "--name", "till", "--scope", "ledger:read")
    return books


def reconciled(console, write):
    """A file, its statement, a line that nothing explains, and a match of another one."""
    file = write("march.sta", mt940("C100,00 top-up invoice", "D5,00 NONREF cash", closing="95,00"))
    [statement] = console.json("statement", "import", file, "--account", "assets:bank")["items"]
    console.json("post", "wallets:ann", "assets:bank", "5.00", "EUR", "--key", "till")
    line, cash = console.json("statement", "lines", "--account", "assets:bank")["items"]
    asked = ("--account", "assets:bank", "--line", cash["id"], "--transaction", "key:till")
    match = console.json("reconcile", "match", *asked)
    payments = {
        "ORDER": write("order.json", ORDER),
        "PAIN001": write("pain001.xml", ""),
        "PAIN002": write("a.xml", PAIN002),
    }
    return {"FILE": file, "STATEMENT": statement["id"], "LINE": line["id"], "MATCH": match["id"], **payments}


def hooked(console):
    """A webhook with a delivery."""
    owner = someone()
    endpoint = endpoint_of(owner)
    with console.application.bank.store.begin() as work:
        work.users.add(owner)
        work.webhooks.add(endpoint)
        work.webhooks.add_deliveries([delivery_to(endpoint)])
    return {"WEBHOOK": str(endpoint.id)}


def banked(console):
    """A bank, and a connection that was synchronised just now."""
    store, sealer = console.application.bank.store, console.application.bank.sealer
    login = stored_login(store, last_run_at=console.application.clock())
    with store.begin() as work:
        work.bank_logins.save(evolve(login, sealed_tokens=sealer.seal(b"tokens", context=login.tokens_context)))
        [bank] = work.banks.list_after(None, limit=1)
        work.accounts.add(bank_account(login))
    return {"BANK": str(bank.id), "LOGIN": str(login.id)}


def paying(console):
    """A payment that waits, and one that was carried out."""
    bank = console.application.bank
    account = funded_account(bank.store, "500", ledger=bank.ledger)
    waiting, paid = payment(account), payment(account)
    stored_payments(bank.store, waiting, paid)
    bank.payments.processing.process(paid.id, by=Operator(), actor=OPERATOR)
    return {"PAYMENT": str(waiting.id), "PAID": str(paid.id)}


def queued(console):
    """A job that waits, and one that was given up."""
    with console.application.bank.store.begin() as work:
        waiting, dead = work.jobs.enqueue([NewJob(kind="count_sheep")] * 2)
        found = work.jobs.find(dead)
        work.jobs.save(evolve(found, state=JobState.DEAD, finished_at=found.run_at))
    return {"JOB": str(waiting), "DEAD": str(dead)}


@pytest.mark.parametrize("line", COMMAND_LINES)
@pytest.mark.parametrize("as_json", [False, True], ids=["for people", "for programs"])
def test_a_command_answers(lively, write, line, as_json):
    """With something to read, or with one document; never with both."""
    [token] = lively.json("token", "list")["items"]
    named = {"TOKEN": token["id"]}
    if line.startswith(("statement", "reconcile")):
        named = reconciled(lively, write)
    if line.startswith("webhook"):
        named = hooked(lively)
    if line.startswith("bank"):
        named = banked(lively)
    if line.startswith("payment"):
        named = paying(lively)
    if line.startswith("job"):
        named = queued(lively)
    words = [named.get(word, word) for word in line.split()]

    result = lively(*words, *["--json"] * as_json, stdin=PASSWORD.encode())

    assert result.status == 0, result.err
    assert result.err == ""
    assert result.out.strip()
    if as_json:
        assert isinstance(result.document, dict)
    else:
        with pytest.raises(json.JSONDecodeError):
            json.loads(result.out)


def test_no_command_is_left_out():
    """A command that is added gets a line above."""
    there = set()
    for name, entry in COMMANDS.items():
        command = command_of(entry)
        if name not in ELSEWHERE:
            inner = [f"{name} {each}" for each in command.commands] if isinstance(command, click.Group) else [name]
            there.update(inner)

    shown = {line for line in there if any(f"{each} ".startswith(f"{line} ") for each in COMMAND_LINES)}

    assert shown == there
