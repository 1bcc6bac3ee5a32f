"""A real bank's year: 12,000 movements come in from a file, and every balance is the bank's own."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate, permutations
from pathlib import Path

import pytest

from ledgercore.ledger.accounts import AccountType, Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.files.csv_rows import CsvReader
from ledgercore.ledger.files.exporting import ExportReader, export_lines
from ledgercore.ledger.files.importing import ImportSummary, import_rows, prepare
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import ISO
from ledgercore_memory import MemoryStore
from ledgercore_postgres import PostgresStore

TYPES = [
    ("customer", AccountType.LIABILITY),
    ("cash", AccountType.ASSET),
    ("nostro", AccountType.ASSET),
    ("income-statement", AccountType.INCOME),
]


@pytest.fixture
def movements(samples: Path) -> Path:
    return samples / "transfers" / "bank-1993.csv"


@pytest.fixture
def bank(postgres_store: PostgresStore) -> Ledger:
    ledger = Ledger(postgres_store.create("bank", Settings(opening=Opening(on_first_use=True))))
    prepare(ledger, types=TYPES)
    return ledger


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk


def feed(ledger: Ledger, path: Path, refused: list[tuple[int, str]], **options) -> ImportSummary:
    reader = CsvReader(chunks(path), ISO)
    return import_rows(ledger, reader, reject=lambda line, _, error: refused.append((line, error.code)), **options)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_balances(ledger: Ledger, path: Path) -> None:
    expected = {
        (row["account"], row["currency"]): Decimal(row["debits_minus_credits"])
        for row in rows_of(path.with_name("bank-1993.balances.csv"))
    }
    found = {(each.path, each.currency.code): each.debits_minus_credits.decimal for each in ledger.balances()}
    assert found == expected


def test_every_balance_is_the_banks(bank: Ledger, movements: Path):
    """Every row is posted, every account agrees, and after each row the customer has what the bank said.

    Within a day the bank's order is its own, so its balances are followed in that order. It shows
    tenths only, yet counts hundredths of interest: up to 0.30 may lie between it and the sum of
    what it shows. One row is of a day that the file cuts off in the middle.
    """
    refused: list[tuple[int, str]] = []

    summary = feed(bank, movements, refused)

    assert (summary, refused) == (ImportSummary(posted=12_000), [])
    assert_balances(bank, movements)
    differences = {}
    bank_says = {row["id"]: Decimal(row["balance_after"]) for row in rows_of(movements)}
    for opening, moves in customer_days(bank):
        ordered = in_banks_order(opening, moves, bank_says)
        balance = opening
        for key in ordered:
            balance += moves[key]
            differences[key] = abs(balance - bank_says[key])
    assert len(differences) == 12_000
    assert [key for key, difference in differences.items() if difference > Decimal("0.30")] == ["berka-527536"]
    assert sum(not difference for difference in differences.values()) > 8_600


def customer_days(ledger: Ledger) -> Iterator[tuple[Decimal, dict[str, Decimal]]]:
    """Each customer's balance before each day, as the ledger has it, and what moved on the day, by key."""
    days: dict[tuple[str, str], tuple[Decimal, dict[str, Decimal]]] = {}
    for record in map(json.loads, export_lines(ledger.journal)):
        for line in record.get("lines", ()):
            [side] = [side for side in ("debit", "credit") if line[side].startswith("customer:")]
            moved = Decimal(line["amount"]) * (-1 if side == "debit" else 1)
            before = Decimal(line[f"{side}_balance"]) - moved
            _, moves = days.setdefault((line[side], record["effective_at"]), (before, {}))
            moves[record["key"]] = moved
    return iter(days.values())


def in_banks_order(opening: Decimal, moves: dict[str, Decimal], bank_says: dict[str, Decimal]) -> list[str]:
    """The order of a day's rows in which the bank's balances follow best from one another."""
    return list(
        min(
            permutations(moves),
            key=lambda order: sum(
                abs(before + moves[key] - bank_says[key])
                for key, before in zip(order, accumulate(map(moves.__getitem__, order), initial=opening), strict=False)
            ),
        )
    )


def test_again_and_overlapping_ends_in_the_same_ledger(bank: Ledger, movements: Path, tmp_path: Path):
    """Two halves that overlap, and then the whole file twice, post each movement once."""
    header, *lines = movements.read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_bytes(header + b"".join(lines[:7_000]))
    second.write_bytes(header + b"".join(lines[5_000:]))

    summaries = [feed(bank, path, [], batch_size=3_000) for path in (first, second, movements, movements)]

    assert [(summary.posted, summary.replayed) for summary in summaries] == [
        (7_000, 0), (5_000, 2_000), (0, 12_000), (0, 12_000),
    ]  # fmt: skip
    assert_balances(bank, movements)


def test_minimum_refuses_exactly_the_overdrawing_rows(bank: Ledger, movements: Path):
    """With a minimum of 0 on customers, a reference of ten lines refuses the same rows in the same order."""
    balances: dict[str, Decimal] = defaultdict(Decimal)
    expected = []
    for line, row in enumerate(rows_of(movements), 2):
        amount, payer, payee = Decimal(row["amount"]), row["debit_account"], row["credit_account"]
        if payer.startswith("customer:") and balances[payer] - amount < 0:
            expected.append((line, "insufficient_funds"))
            continue
        balances[payer] -= amount
        balances[payee] += amount
    refused: list[tuple[int, str]] = []
    prepare(bank, minimum=0, prefixes=["customer"])

    summary = feed(bank, movements, refused, batch_size=1_000)

    assert refused == expected
    assert 0 < summary.rejected == len(expected)
    found = {each.path: -each.debits_minus_credits.decimal for each in bank.balances(prefix="customer")}
    assert found == {path: balance for path, balance in balances.items() if path.startswith("customer:")}


def test_bank_moves_to_another_store(bank: Ledger, memory_store: MemoryStore, movements: Path):
    """The whole bank goes through its export into memory and has the same head and balances there."""
    feed(bank, movements, [])
    copy = Ledger(memory_store.create_empty("copy"))

    ExportReader(line.encode() for line in export_lines(bank.journal)).restore(copy.journal)

    assert copy.state().head == bank.state().head
    assert_balances(copy, movements)
