"""Whatever is changed behind the ledger's back, `verify` finds it and names it.

One ledger in which everything has happened is built once; each test changes it by SQL as a superuser
could, verifies inside that transaction, and rolls back.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.chain import GENESIS, next_head
from ledgercore.ledger.log.encoding import ROW_FIELDS
from ledgercore.ledger.log.merkle import tree_root
from ledgercore.ledger.log.restoring import record_leaves
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.proofs.proving import prove_consistency
from ledgercore.ledger.proofs.verification import Verification, verify
from ledgercore.testing.books import SETTINGS, keep_books
from ledgercore_postgres import PostgresStore, connect

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def books(postgres_server: str) -> Iterator[Engine]:
    """A database with a ledger that holds one of everything, and another ledger beside it."""
    name = f"tampering_{os.getpid()}_{next(_numbers)}"
    admin = connect(make_url(postgres_server).set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE ledgercore STRATEGY wal_log"))
        engine = connect(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
        now = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
        store = PostgresStore(engine, clock=lambda: now[0])
        for ledger_name in ("other", "books"):
            keep_books(Ledger(store.create(ledger_name, SETTINGS)), wait=lambda time: now.__setitem__(0, now[0] + time))
        yield engine
        engine.dispose()
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def connection(books: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back."""
    with books.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def journal(connection: Connection, books: Engine) -> Journal:
    """The ledger, inside the transaction."""
    return PostgresStore(books, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)).join(connection, "books")


Tamper = Callable[..., Verification]


@pytest.fixture
def tamper(connection: Connection, journal: Journal) -> Tamper:
    """Run SQL in which `$L` is the ledger's number, and verify; `reseal` hashes the log anew first."""

    def run(*statements: str, reseal: bool = False, **options: Any) -> Verification:
        for statement in statements:
            changed = connection.exec_driver_sql(statement.replace("$L", "2"))
            assert changed.rowcount != 0, f"changed nothing: {statement}"
        if reseal:
            hash_anew(connection, journal)
        return verify(journal, **options)

    return run


def hash_anew(connection: Connection, journal: Journal) -> None:
    """Do what a forger with the whole database would: compute every root and head again."""
    entries, rows = list(journal.log_entries()), list(journal.rows())
    head = GENESIS
    for entry in entries:
        mine = [row for row in rows if entry.first_number <= int.from_bytes(row[4:12]) <= entry.last_number]
        root = tree_root(record_leaves(mine))
        head = next_head(
            head,
            batch=entry.batch,
            first=entry.first_number,
            last=entry.last_number,
            recorded_at=entry.recorded_at,
            root=root,
        )
        connection.execute(
            text("UPDATE log SET root = :root, head = :head WHERE ledger_id = 2 AND batch = :batch"),
            {"root": root, "head": head, "batch": entry.batch},
        )
    connection.execute(text("UPDATE heads SET head = :head WHERE ledger_id = 2"), {"head": head})


PLAIN = "ledger_id = $L AND number = (SELECT number FROM journal WHERE ledger_id = $L AND reference = 'S-1')"
COMPOUND = "ledger_id = $L AND number = (SELECT number FROM journal WHERE ledger_id = $L AND key = 'purchase')"
REFUSAL = "ledger_id = $L AND key = 'too much'"
CAPTURE = "ledger_id = $L AND description = 'Dinner and tip'"
REVERSAL = "ledger_id = $L AND key = 'refund-1'"
BANK = "ledger_id = $L AND path = 'assets:bank'"
OPEN_HOLD = "ledger_id = $L AND description = 'Stays open'"


def test_sound_books_give_no_findings(journal: Journal) -> None:
    """A ledger in which one of everything has happened follows from its log."""
    state = journal.state()

    found = verify(journal)

    assert found.divergences == {}
    assert (found.records, found.batches, found.head) == (state.number, state.batch, state.head)
    assert (found.accounts, found.holds) == (state.accounts_count, 15)


JOURNAL_CHANGES = {
    "number": ("number = 9999", PLAIN, "journal"),
    "line": ("line = 7", f"{COMPOUND} AND line = 3", "journal"),
    "kind": ("kind = 'r'", PLAIN, "journal"),
    "id": ("id = gen_random_uuid()", PLAIN, "chain"),
    "effective_at": ("effective_at = effective_at - interval '1 day'", PLAIN, "chain"),
    "recorded_at": ("recorded_at = recorded_at + interval '1 us'", PLAIN, "journal"),
    "flags": ("flags = flags | 1", PLAIN, "journal"),
    "debit_account": ("debit_account = 14", PLAIN, "balances"),
    "credit_account": ("credit_account = 14", PLAIN, "balances"),
    "amount": ("amount = amount + 1", PLAIN, "balances"),
    "debit_balance": ("debit_balance = debit_balance + 1", PLAIN, "balances"),
    "credit_balance": ("credit_balance = -credit_balance", PLAIN, "balances"),
    "key": ("key = 'stolen'", PLAIN, "keys"),
    "description": ("description = description || '.'", PLAIN, "chain"),
    "reference": ("reference = NULL", PLAIN, "chain"),
    "metadata": ("""metadata = '{"a": [1, "x"]}'""", PLAIN, "chain"),
    "subject": ("subject = gen_random_uuid()", CAPTURE, "journal"),
    "fingerprint": ("fingerprint = NULL", REFUSAL, "keys"),
    "body": ("body = '{}'", REFUSAL, "journal"),
}


def test_every_column_of_the_journal_is_tried() -> None:
    """The row as it is hashed has no field that is not changed below."""
    assert JOURNAL_CHANGES.keys() == set(ROW_FIELDS)


@pytest.mark.parametrize("column", JOURNAL_CHANGES)
def test_changed_column_of_the_journal_is_found(column: str, tamper: Tamper) -> None:
    """The root of the batch no longer fits, and what the change contradicts is named besides."""
    change, where, area = JOURNAL_CHANGES[column]

    found = tamper(f"UPDATE journal SET {change} WHERE {where}")

    assert found.divergences.keys() >= {"chain", area}


@pytest.mark.parametrize(
    ("statement", "areas"),
    [
        (f"DELETE FROM journal WHERE {PLAIN}", {"chain", "journal", "balances", "accounts"}),
        (f"DELETE FROM journal WHERE {COMPOUND} AND line = 1", {"chain", "journal", "accounts"}),
        ("DELETE FROM journal WHERE ledger_id = $L AND number = 1", {"chain", "journal"}),
        (
            "INSERT INTO journal (ledger_id, number, line, kind, id, effective_at, recorded_at, flags)"
            " VALUES ($L, 5000, 0, 'b', gen_random_uuid(), now(), now(), 0)",
            {"journal"},
        ),
        (
            "INSERT INTO journal (ledger_id, number, line, kind, id, effective_at, recorded_at, flags)"
            " VALUES ($L, -3, 0, 'b', gen_random_uuid(), now(), now(), 0)",
            {"journal"},
        ),
        (
            "INSERT INTO journal (ledger_id, number, line, kind, id, effective_at, recorded_at, flags)"
            f" SELECT ledger_id, number, 1, kind, id, effective_at, recorded_at, flags FROM journal WHERE {REFUSAL}",
            {"chain", "journal"},
        ),
        (
            "UPDATE journal SET (description, amount) = (SELECT description, amount FROM journal WHERE ledger_id = $L"
            f" ORDER BY number DESC, line OFFSET 1 LIMIT 1) WHERE {PLAIN}",
            {"chain", "balances", "accounts"},
        ),
    ],
    ids=["row deleted", "line deleted", "first row deleted", "row after the end", "row before the start",
         "line added", "content of another row"],
)  # fmt: skip
def test_rows_that_come_and_go_are_found(statement: str, areas: set[str], tamper: Tamper) -> None:
    """A record is missing, a stray, or not what its batch commits to."""
    found = tamper(statement)

    assert found.divergences.keys() >= areas


def test_swapped_records_are_found(tamper: Tamper) -> None:
    """Two records that change places keep every sum at the end and break the chain."""
    found = tamper(
        "UPDATE journal SET number = -1 WHERE ledger_id = $L AND number = 40",
        "UPDATE journal SET number = 40 WHERE ledger_id = $L AND number = 41",
        "UPDATE journal SET number = 41 WHERE ledger_id = $L AND number = -1",
    )

    assert "chain" in found.divergences


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("batch = 9000", "batch = 20"),
        ("batch = -5", "batch = 20"),
        ("first_number = first_number - 1", "batch = 20"),
        ("last_number = last_number + 1", "batch = 20"),
        ("recorded_at = recorded_at + interval '1 us'", "batch = 20"),
        ("root = sha256(root)", "batch = 20"),
        ("head = sha256(head)", "batch = 20"),
        ("head = sha256(head)", "batch = (SELECT max(batch) FROM log WHERE ledger_id = $L)"),
    ],
)
def test_changed_column_of_the_log_is_found(change: str, where: str, tamper: Tamper) -> None:
    """Each entry commits to its own columns and to the entry before."""
    found = tamper(f"UPDATE log SET {change} WHERE ledger_id = $L AND {where}")

    assert "chain" in found.divergences


def test_deleted_entry_of_the_log_is_found(tamper: Tamper) -> None:
    """A batch without its entry leaves a gap in the chain and records that no entry names."""
    found = tamper("DELETE FROM log WHERE ledger_id = $L AND batch = 20")

    assert found.divergences.keys() == {"chain", "journal"}


@pytest.mark.parametrize(
    ("change", "area", "where"),
    [
        ("number = number + 1", "head", "number"),
        ("batch = batch - 1", "head", "batch"),
        ("head = sha256(head)", "head", "head"),
        ("recorded_at = NULL", "head", "recorded_at"),
        ("closed_through = NULL", "head", "closed_through"),
        ("accounts_count = accounts_count + 1", "head", "accounts_count"),
        ("settings = jsonb_set(settings::jsonb, '{on_first_use}', 'false')", "settings", "opening"),
        ("""settings = jsonb_set(settings::jsonb, '{assets}', '[["GOLD", 4]]')""", "settings", "assets"),
        ("settings = '[]'", "settings", "settings"),
    ],
)
def test_changed_column_of_the_head_is_found(change: str, area: str, where: str, tamper: Tamper) -> None:
    """The head repeats what the log ends with, and the settings told last."""
    found = tamper(f"UPDATE heads SET {change} WHERE ledger_id = $L")

    assert found.divergences.keys() == {area}
    assert found.divergences[area].where == where


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("account = 999", "account 999"),
        ("version = version + 1", "version"),
        ("latest_effective_at = latest_effective_at + interval '1 us'", "latest_effective_at"),
        ("opened_at = opened_at - interval '1 us'", "opened_at"),
        ("exponent = 3", "currency"),
        ("balance = balance + 1", "balance"),
        ("pending_debits = pending_debits + 1", "pending_debits"),
        ("pending_credits = 0", "pending_credits"),
        ("minimum = NULL", "limits"),
        ("maximum = 1000000", "limits"),
        ("type = 'expense'", "type"),
        ("status = 'frozen'", "status"),
        ("currency = 'USD'", "currency"),
        ("path = 'assets:bunk'", "path"),
        ("""metadata = '{"iban": "XX00 0001"}'""", "metadata"),
    ],
)
def test_changed_column_of_an_account_is_found(change: str, where: str, tamper: Tamper) -> None:
    """Each column of an account follows from its opening, its changes, its entries and holds."""
    found = tamper(f"UPDATE accounts SET {change} WHERE {BANK}")

    assert found.divergences.keys() <= {"accounts", "keys"}
    assert found.divergences["accounts"].where.startswith(where)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts WHERE ledger_id = $L AND path = 'assets:spare'",
        "INSERT INTO accounts (ledger_id, account, version, opened_at, exponent, balance, pending_debits,"
        " pending_credits, type, status, currency, path)"
        " VALUES ($L, 500, 0, now(), 2, 0, 0, 0, 'asset', 'open', 'EUR', 'assets:new')",
    ],
    ids=["deleted", "added"],
)
def test_accounts_that_come_and_go_are_found(statement: str, tamper: Tamper) -> None:
    """An account without an opening, or an opening without its account."""
    found = tamper(statement)

    assert found.divergences.keys() == {"accounts"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("hold_id = gen_random_uuid()", "hold"),
        ("status = 'voided'", "status"),
        ("placed_at = placed_at + interval '1 us'", "placed_at"),
        ("expires_at = now()", "expires_at"),
        ("tolerance_bps = 10000", "tolerance_bps"),
        ("hold_group = 'trip'", "group"),
        ("lines = replace(lines::text, '1100', '1000')::json", "lines"),
        ("lines = replace(lines::text, 'assets:bank', 'assets:wallet:ann')::json", "lines"),
        ("lines = '[{}]'", "hold after the first"),
        ("accounts = '{assets:bank}'", "accounts"),
        ("description = NULL", "description"),
        ("""metadata = '{"room": 8}'""", "metadata"),
        ("replaces = gen_random_uuid()", "replaces"),
    ],
)
def test_changed_column_of_a_hold_is_found(change: str, where: str, tamper: Tamper) -> None:
    """Each column of a hold follows from its placing and its moves."""
    found = tamper(f"UPDATE holds SET {change} WHERE {OPEN_HOLD}")

    assert found.divergences.keys() == {"holds"}
    assert found.divergences["holds"].where.startswith(where)


def test_deleted_hold_is_found(tamper: Tamper) -> None:
    """A placing whose hold is gone."""
    found = tamper(f"DELETE FROM holds WHERE {OPEN_HOLD}")

    assert found.divergences.keys() == {"holds"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledgers WHERE ledger_id = $L",
        "DELETE FROM heads WHERE ledger_id = $L",
        "UPDATE ledgers SET ledger_id = 77 WHERE ledger_id = $L",
        "UPDATE ledgers SET name = 'looks' WHERE ledger_id = $L",
    ],
)
def test_ledger_whose_place_is_gone_is_not_found(
    statement: str, books: Engine, connection: Connection, journal: Journal
) -> None:
    """Without its row among ledgers or heads there is no ledger to verify, and it says so."""
    connection.exec_driver_sql(statement.replace("$L", "2"))

    with pytest.raises(NotFoundError) as raised:
        verify(PostgresStore(books, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)).join(connection, "books"))

    assert raised.value.code == "ledger_not_found"


FORGERIES = {
    "amount": (f"UPDATE journal SET amount = amount + 1 WHERE {PLAIN}", "balances", "debit_balance"),
    "unbalanced": (f"UPDATE journal SET amount = 4001 WHERE {COMPOUND} AND line = 0", "journal", "balance in EUR"),
    "two currencies": (f"UPDATE journal SET credit_account = 2 WHERE {PLAIN}", "journal", "currency of line 0"),
    "both sides": (f"UPDATE journal SET credit_account = debit_account WHERE {PLAIN}", "journal", "account"),
    "unknown account": (f"UPDATE journal SET credit_account = 999 WHERE {PLAIN}", "journal", "account"),
    "no account": (
        f"UPDATE journal SET debit_account = NULL, debit_balance = NULL WHERE {PLAIN}",
        "journal",
        "balance in EUR",
    ),
    "lines out of order": (f"UPDATE journal SET line = 9 WHERE {COMPOUND} AND line = 2", "journal", "line"),
    "text on a later line": (f"UPDATE journal SET key = 'x' WHERE {COMPOUND} AND line = 2", "journal", "key of line 2"),
    "id on a later line": (
        f"UPDATE journal SET id = gen_random_uuid() WHERE {COMPOUND} AND line = 2",
        "journal",
        "id of line 2",
    ),
    "unknown kind": (f"UPDATE journal SET kind = 'z' WHERE {REFUSAL}", "journal", "kind"),
    "late flag": (f"UPDATE journal SET flags = 5 WHERE {PLAIN}", "journal", "flags"),
    "moved time": (
        f"UPDATE journal SET recorded_at = recorded_at - interval '1 us' WHERE {PLAIN}",
        "journal",
        "recorded_at",
    ),
    "closed period": (
        "UPDATE journal SET effective_at = effective_at - interval '60 days'"
        " WHERE ledger_id = $L AND number = (SELECT max(number) FROM journal WHERE ledger_id = $L AND kind = 't')",
        "journal",
        "effective_at",
    ),
    "stolen key": (f"UPDATE journal SET key = 'stolen' WHERE {PLAIN}", "keys", "id of key 'stolen'"),
    "refusal without fingerprint": (f"UPDATE journal SET fingerprint = NULL WHERE {REFUSAL}", "keys", "fingerprint"),
    "refusal without reason": (f"UPDATE journal SET body = '{{}}' WHERE {REFUSAL}", "journal", "body"),
    "capture beyond the tolerance": (
        f"""UPDATE journal SET body = '{{"captured": ["1561"], "closes": true}}' WHERE {CAPTURE}""",
        "journal",
        "captured of hold",
    ),
    "capture of other lines": (
        f"""UPDATE journal SET body = '{{"captured": ["1499"], "closes": true}}' WHERE {CAPTURE}""",
        "journal",
        "lines captured of hold",
    ),
    "capture of no hold": (f"UPDATE journal SET subject = gen_random_uuid() WHERE {CAPTURE}", "journal", "body"),
    "capture of a closed hold": (
        f"UPDATE journal SET subject = (SELECT hold_id FROM holds WHERE ledger_id = $L AND status = 'captured'"
        f" AND lines::text LIKE '%%\"1200\"%%') WHERE {CAPTURE}",
        "journal",
        "capture of hold",
    ),
    "voided twice": (
        "UPDATE journal SET subject = (SELECT hold_id FROM holds WHERE ledger_id = $L"
        " AND lines::text LIKE '%%\"1200\"%%' LIMIT 1) WHERE ledger_id = $L AND kind = 'v' AND number ="
        " (SELECT min(number) FROM journal WHERE ledger_id = $L AND kind = 'v')",
        "journal",
        "void of hold",
    ),
    "expired too early": (
        "UPDATE journal SET effective_at = effective_at - interval '90 minutes' WHERE ledger_id = $L AND kind = 'e'",
        "journal",
        "expiry of hold",
    ),
    "reversal beyond the original": (
        "UPDATE journal SET amount = 12001 WHERE ledger_id = $L AND kind = 'r' AND amount = 1000",
        "journal",
        "reversal of",
    ),
    "reversal of nothing": (f"UPDATE journal SET subject = gen_random_uuid() WHERE {REVERSAL}", "journal", "reversal"),
    "account opened twice": (
        "UPDATE journal SET body = replace(body::text, 'assets:spare', 'assets:bank')::json"
        " WHERE ledger_id = $L AND kind = 'o' AND body->>'account' = 'assets:spare'",
        "journal",
        "opening",
    ),
    "account under another number": (
        "UPDATE journal SET body = replace(body::text, '\"account_number\":4', '\"account_number\":44')::json"
        " WHERE ledger_id = $L AND kind = 'o' AND body->>'account' = 'assets:spare'",
        "journal",
        "number of assets:spare",
    ),
    "entry on a frozen account": (
        "UPDATE journal SET body = replace(body::text, '\"open\"', '\"frozen\"')::json"
        " WHERE ledger_id = $L AND kind = 'a' AND body->>'account' = 'partners:north' AND body->>'status' = 'open'",
        "journal",
        "entry on partners:north",
    ),
    "other settings": (
        "UPDATE journal SET body = jsonb_set(body::jsonb, '{on_first_use}', 'false')"
        " WHERE ledger_id = $L AND kind = 's'",
        "settings",
        "opening",
    ),
    "other limits": (
        "UPDATE journal SET body = jsonb_set(body::jsonb, '{minimum}', '\"-1\"') WHERE ledger_id = $L AND kind = 'o'"
        " AND body->>'account' = 'assets:bank'",
        "accounts",
        "limits of account assets:bank",
    ),
    "other hold": (
        "UPDATE journal SET description = 'Stayed' WHERE ledger_id = $L AND description = 'Stays open'",
        "holds",
        "description of hold",
    ),
    "lock date moved back": (
        "UPDATE journal SET body = '{\"through\": \"2020-01-01T00:00:00+00:00\"}' WHERE ledger_id = $L AND kind = 'p'",
        "head",
        "closed_through",
    ),
}
WITHOUT_CHECKS = (
    "ALTER TABLE journal DROP CONSTRAINT journal_posting, DROP CONSTRAINT journal_amount,"
    " DROP CONSTRAINT journal_debit_balance, DROP CONSTRAINT journal_credit_balance"
)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgery_with_a_sound_chain_is_found(forgery: str, tamper: Tamper) -> None:
    """Whoever computes all hashes again still has to make everything follow from everything."""
    statement, area, where = FORGERIES[forgery]

    found = tamper(WITHOUT_CHECKS, statement, reseal=True)

    assert "chain" not in found.divergences
    assert found.divergences[area].where.startswith(where)


def test_id_used_twice_is_found(tamper: Tamper) -> None:
    """Two records under one id: a repeat of the command could get either answer."""
    found = tamper(
        "DROP INDEX journal_id",
        f"UPDATE journal SET id = (SELECT id FROM journal WHERE {PLAIN}) WHERE ledger_id = $L AND number ="
        " (SELECT max(number) FROM journal WHERE ledger_id = $L AND kind = 't')",
        reseal=True,
    )

    assert found.divergences.keys() == {"keys"}


@pytest.mark.parametrize("constraint", ["negative", "nothing", "NaN"])
def test_amount_that_is_none_is_found(constraint: str, tamper: Tamper) -> None:
    """An amount is a whole number above zero, also where the database would let another one pass."""
    amount = {"negative": "-5", "nothing": "NULL", "NaN": "'NaN'"}[constraint]

    found = tamper(WITHOUT_CHECKS, f"UPDATE journal SET amount = {amount} WHERE {PLAIN}", reseal=True)

    assert found.divergences["journal"].where in ("amount", "row")


CUT = (
    "DELETE FROM journal WHERE ledger_id = $L AND number = (SELECT number FROM heads WHERE ledger_id = $L)",
    "DELETE FROM log WHERE ledger_id = $L AND batch = (SELECT batch FROM heads WHERE ledger_id = $L)",
)


def test_cut_tail_is_found(tamper: Tamper) -> None:
    """The head still names the batch that is gone."""
    found = tamper(*CUT)

    assert found.divergences.keys() == {"head"}


def test_tail_cut_with_its_head_is_found_by_whoever_kept_the_head(journal: Journal, tamper: Tamper) -> None:
    """A log that ends earlier is sound in itself; a head kept elsewhere knows better."""
    kept = journal.state()
    cut = (
        *CUT,
        "UPDATE heads SET (number, batch, head, recorded_at) = (SELECT last_number, batch, head, recorded_at FROM log"
        " WHERE ledger_id = $L ORDER BY batch DESC LIMIT 1) WHERE ledger_id = $L",
    )

    alone = tamper(*cut)
    with_head = verify(journal, kept_heads={kept.batch: kept.head})

    assert alone.sound
    assert with_head.divergences.keys() == {"chain"}
    with pytest.raises(ValidationError, match="never had this head"):
        prove_consistency(journal, kept.head)


def test_rewritten_log_is_found_by_whoever_kept_a_head(journal: Journal, tamper: Tamper) -> None:
    """A description changed and everything hashed anew: sound in itself, not for an earlier head."""
    entries = list(journal.log_entries())
    changed = journal.find_transaction(next(iter(journal_ids(journal))))
    assert changed is not None
    before = {entry.batch: entry.head for entry in entries if entry.last_number < changed.number}
    after = {entry.batch: entry.head for entry in entries if entry.first_number > changed.number}

    alone = tamper(f"UPDATE journal SET description = 'Never mind' WHERE {PLAIN}", reseal=True)
    with_older = verify(journal, kept_heads=before)
    with_newer = verify(journal, kept_heads=after)

    assert alone.sound
    assert with_older.sound
    assert with_newer.divergences.keys() == {"chain"}
    assert f"batch {min(after)}" in with_newer.divergences["chain"].where


def journal_ids(journal: Journal) -> Iterator[Any]:
    """The id of the sale whose description is changed."""
    return (row.id for row in journal.read_rows() if row.reference == "S-1")


def test_other_ledgers_are_left_alone(connection: Connection, books: Engine, tamper: Tamper) -> None:
    """What is wrong in one ledger says nothing about another in the same database."""
    tamper(f"UPDATE accounts SET balance = 0 WHERE {BANK}")

    other = verify(PostgresStore(books, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)).join(connection, "other"))

    assert other.sound
