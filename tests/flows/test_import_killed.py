"""An import that is killed in the middle is begun again and ends in the same ledger."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.files.csv_rows import COLUMNS, CsvReader
from ledgercore.ledger.files.importing import import_rows
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.records import REFUSED, TRANSACTION
from ledgercore.money import ISO
from ledgercore_postgres import PostgresStore

ROWS = 6_000
PROGRAM = textwrap.dedent("""
    import sys
    from ledgercore_app.cli import main
    sys.exit(main())
""")


@pytest.fixture
def movements(tmp_path: Path) -> Path:
    """Movements of which some overdraw an account, so that refusals must be repeated too."""
    draw = random.Random(7)
    path = tmp_path / "movements.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(ROWS):
            debit, credit = draw.sample([f"assets:{name}" for name in "abcdefgh"] + ["equity:own"], 2)
            amount = f"{draw.randint(1, 99_999) / 100:.2f}"
            file.write(f"m{number},2026-01-02T00:00:00Z,{debit},{credit},{amount},EUR,movement {number}\n")
    return path


def command(database_url: str, movements: Path) -> list[str]:
    arguments = ["--database", database_url, "--ledger", "books", "import", "--batch-size", "100"]
    return [sys.executable, "-c", PROGRAM, *arguments, "--min-balance", "0", "--on", "assets", str(movements)]


def facts(ledger: Ledger) -> tuple[dict[str, str], list[tuple[object, ...]]]:
    """Balances, and every transaction in order without the times and numbers of its recording."""
    kept: list[tuple[object, ...]] = []
    for row in ledger.journal.read_rows(limit=10 * ROWS):
        if row.kind in (TRANSACTION, REFUSED):
            effective_at = row.effective_at if row.kind == TRANSACTION else None
            kept.append((row.kind, row.key, row.amount, row.debit_balance, row.credit_balance, effective_at))
    return {each.path: str(each.posted) for each in ledger.balances()}, kept


@pytest.mark.slow
def test_killed_import_is_begun_again(database_url: str, postgres_store: PostgresStore, movements: Path):
    """kill -9 at any moment leaves whole batches; further runs complete the file, refusals and all."""
    settings = Settings(opening=Opening(on_first_use=True))
    books = Ledger(postgres_store.create("books", settings))
    undisturbed = Ledger(postgres_store.create("undisturbed", settings))
    kills = 0
    for _ in range(3):
        before = books.state().batch
        process = subprocess.Popen(
            command(database_url, movements), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
        )
        try:
            while process.poll() is None and books.state().batch < before + 8:
                time.sleep(0.005)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        kills += process.returncode == -signal.SIGKILL
    posted_by_then = len(facts(books)[1])

    done = subprocess.run(command(database_url, movements), capture_output=True, text=True, check=False)
    reference = subprocess.run(
        [*(part.replace("books", "undisturbed") for part in command(database_url, movements))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert kills >= 1
    assert 0 < posted_by_then < ROWS
    assert (done.returncode, reference.returncode) == (1, 1), done.stderr + reference.stderr
    assert facts(books) == facts(undisturbed)


def in_turn(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk


def test_whole_file_is_known_afterwards(postgres_ledger: Ledger, movements: Path):
    """Once everything is in, every row of another run is a replay, and not a record is added."""
    import_rows(postgres_ledger, CsvReader(in_turn(movements), ISO), reject=_unexpected)
    number = postgres_ledger.state().number

    summary = import_rows(postgres_ledger, CsvReader(in_turn(movements), ISO), reject=_unexpected)

    assert (summary.posted, summary.replayed, postgres_ledger.state().number) == (0, ROWS, number)


def _unexpected(line: int, _: object, error: Exception) -> None:
    raise AssertionError(f"line {line}: {error}")
