"""Judges that we did not write: hledger and beancount read a ledger's journal and find every balance right."""

import csv
import io
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Open, Transaction

from ledgercore.ledger.accounts import AccountState, AccountType, Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.files.beancount import account_name, beancount_lines, commodity
from ledgercore.ledger.files.csv_rows import CsvReader
from ledgercore.ledger.files.hledger import hledger_lines
from ledgercore.ledger.files.importing import import_rows, prepare
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line
from ledgercore.ledger.transactions import Transaction as Posting
from ledgercore.money import ISO, Currency, Money, currency
from ledgercore_memory import MemoryStore

GOLD = Currency("GOLD18", 18)
TRUE = Currency("TRUE", 3)
CURRENCIES = [currency("EUR"), currency("JPY"), currency("KWD"), GOLD, TRUE]
NAMES = ["", ":Bank", ":bank", ":bank:x-y", ":bank:x.y", ":bank:x_y", ":1000", ":X-x.1", ":-", "-"]
TEXTS = [None, 'say "no" \\ ; or | date:2020-13-45', "two\nlines\u2028and a\ttab", "(x) * ! = @ {1}", "Žluťoučký 金"]


@pytest.fixture
def books(memory_store: MemoryStore, clock) -> Ledger:
    """Compound, backdated, reversed and captured movements in five currencies, on awkward names."""
    draw = random.Random(42)
    settings = Settings(opening=Opening(on_first_use=True), assets=(GOLD, TRUE))
    ledger = Ledger(memory_store.create("books", settings))
    accounts: dict[Currency, list[str]] = {unit: [] for unit in CURRENCIES}
    for number, (root, type_) in enumerate(
        (root, type_) for root in ("assets", "other", "INCOME") for type_ in AccountType
    ):
        prefix = root if number < 1 else f"{root}.{type_.value}"
        for index, name in enumerate(NAMES):
            unit = CURRENCIES[(index + number) % len(CURRENCIES)]
            ledger.open_account(f"{prefix}{name}", unit, type=type_)
            accounts[unit].append(f"{prefix}{name}")
    for number in range(300):
        lines = []
        for unit in draw.sample(CURRENCIES, draw.choice([1, 1, 2, 3])):
            left, right = draw.sample(accounts[unit], 2)
            amount = Money(draw.choice([1, 99, 10**5, draw.randrange(1, 10**12)]), unit)
            lines += (
                [Line(amount, left, right)] if number % 3 else [Line(amount, debit=left), Line(amount, credit=right)]
            )
        posted = ledger.post(
            Posting(
                lines=lines, key=f"key;{number}", description=draw.choice(TEXTS), reference=draw.choice([None, 'r"1']),
                effective_at=clock.now - timedelta(hours=draw.randrange(20_000)) if number % 4 else None,
            )
        )  # fmt: skip
        if number % 10 == 0:
            ledger.reverse(posted.id)
        if number % 15 == 0:
            left, right = draw.sample(accounts[GOLD], 2)
            hold = ledger.hold(debit=left, credit=right, amount=Money(10**18 + 7, GOLD)).id
            ledger.capture(hold, amount=Money(10**17 + 3, GOLD), final=number % 2 == 0)
    return ledger


@pytest.fixture
def bank(memory_store: MemoryStore, samples: Path) -> Ledger:
    """The real bank's year."""
    ledger = Ledger(memory_store.create("bank"))
    types = {"customer": AccountType.LIABILITY, "cash": AccountType.ASSET, "nostro": AccountType.ASSET}
    prepare(ledger, types=[*types.items(), ("income-statement", AccountType.INCOME)])
    data = (samples / "transfers" / "bank-1993.csv").read_bytes()
    import_rows(ledger, CsvReader([data], ISO), reject=lambda *_: pytest.fail("a row was refused"))
    return ledger


@pytest.fixture(params=["books", pytest.param("bank", marks=pytest.mark.slow)])
def judged(request: pytest.FixtureRequest) -> Ledger:
    found: Ledger = request.getfixturevalue(request.param)
    return found


def written(path: Path, lines: Iterator[str]) -> Path:
    path.write_text("".join(lines), encoding="utf-8")
    return path


def hledger(journal: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed")
    return subprocess.run(
        [program, "-f", str(journal), *arguments],
        capture_output=True, text=True, check=False, env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def states(ledger: Ledger) -> dict[str, AccountState]:
    return {state.path: state for state in ledger.journal.stored_accounts()}


def expected_balances(ledger: Ledger) -> dict[str, Decimal]:
    return {each.path: each.debits_minus_credits.decimal for each in ledger.balances()}


def test_hledger_finds_every_balance_right(judged: Ledger, tmp_path: Path):
    """`hledger check -s` accepts declarations, balance and assertions; its balances are the ledger's."""
    journal = written(tmp_path / "books.journal", hledger_lines(judged.journal))

    checked = hledger(journal, "check", "-s", "ordereddates")
    told = hledger(journal, "bal", "--flat", "-E", "-N", "--layout", "bare", "-O", "csv")

    assert (checked.returncode, checked.stderr) == (0, "")
    found = {row["account"]: Decimal(row["balance"]) for row in csv.DictReader(io.StringIO(told.stdout))}
    expected = expected_balances(judged)
    assert found == {path: balance for path, balance in expected.items() if balance or path in found}
    assert sum(bool(balance) for balance in expected.values()) == sum(bool(balance) for balance in found.values())


def test_hledger_would_notice_a_wrong_balance(judged: Ledger, tmp_path: Path):
    """The assertions bite: one amount of a transaction altered on both sides is found."""
    lines = list(hledger_lines(judged.journal))
    place = next(index for index, line in enumerate(lines) if " == " in line)
    amount, _, asserted = lines[place].partition(" == ")
    lines[place] = f"{amount} == 1{asserted.lstrip('-')}"
    journal = written(tmp_path / "books.journal", iter(lines))

    checked = hledger(journal, "check")

    assert checked.returncode != 0
    assert "assertion" in checked.stderr


def test_beancount_finds_every_balance_right(judged: Ledger, tmp_path: Path):
    """`bean-check` accepts the journal, and the sum of its postings is each account's balance."""
    journal = written(tmp_path / "books.beancount", beancount_lines(judged.journal))

    entries, errors, _ = loader.load_file(str(journal))

    assert errors == [], [error.message for error in errors[:3]]
    found: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            units: Any = posting.units
            key = (posting.account, units.currency)
            found[key] = found.get(key, Decimal()) + units.number
    accounts = states(judged)
    expected = {
        (account_name(accounts[path]), commodity(accounts[path].currency)): balance
        for path, balance in expected_balances(judged).items()
    }
    assert {key: balance for key, balance in found.items() if balance} == {
        key: balance for key, balance in expected.items() if balance
    }
    assert {entry.account for entry in entries if isinstance(entry, Open)} == {account for account, _ in expected}


def test_bean_check_itself_is_content(books: Ledger, tmp_path: Path):
    """The program as people run it says nothing and exits with 0."""
    journal = written(tmp_path / "books.beancount", beancount_lines(books.journal))

    checked = subprocess.run(
        [sys.executable, "-m", "beancount.scripts.check", str(journal)], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_beancount_would_notice_a_wrong_balance(books: Ledger, tmp_path: Path):
    """The assertions bite: the smallest difference in one of them is an error."""
    lines = list(beancount_lines(books.journal))
    place = next(index for index, line in enumerate(lines) if " balance " in line)
    lines[place] = lines[place].replace(" ~ 0 ", " + 0.000000000000000001 ~ 0 ")
    journal = written(tmp_path / "books.beancount", iter(lines))

    _, errors, _ = loader.load_file(str(journal))

    assert len(errors) == 1
    assert "Balance failed" in errors[0].message


def test_different_accounts_never_share_a_name(books: Ledger):
    """Whatever the paths, beancount's names are as many as the accounts."""
    accounts = states(books).values()

    assert len({account_name(state) for state in accounts}) == len(accounts) == 150


@pytest.mark.parametrize(
    ("path", "type_", "name"),
    [
        ("assets:bank:checking", AccountType.ASSET, "Assets:Bank:Checking"),
        ("customer:12", AccountType.LIABILITY, "Liabilities:Customer-:12"),
        ("bank", AccountType.ASSET, "Assets:Bank-"),
        ("assets:Bank", AccountType.ASSET, "Assets:X-xBank"),
        ("assets", AccountType.ASSET, "Assets:X-r"),
        ("expenses:a-b_c.d", AccountType.EXPENSE, "Expenses:A--b-uc-dd"),
    ],
)
def test_names_for_beancount(path: str, type_: AccountType, name: str):
    """The type is the root; what beancount does not allow is escaped."""
    opened_at = datetime(2026, 1, 1, tzinfo=UTC)

    assert account_name(AccountState(number=1, path=path, currency=GOLD, type=type_, opened_at=opened_at)) == name
