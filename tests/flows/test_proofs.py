"""An outsider checks proofs from files alone, with our tool, with its core alone, or with forty lines of their own."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money, currency
from ledgercore.testing.books import SETTINGS, keep_books
from ledgercore_app.cli import Program
from ledgercore_cli import proof_check
from ledgercore_cli.main import run
from ledgercore_postgres import PostgresStore

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"
CHECK_ALONE = """
import json, pathlib, sys
proof = json.loads(pathlib.Path("proof.json").read_text())
print(json.dumps(verify(proof, bytes.fromhex(sys.argv[1]))))
"""
SMALL = Money(101, currency("EUR"))

Cli = Callable[..., int]


@pytest.fixture
def books(postgres_store: PostgresStore, clock: Any) -> Ledger:
    """A ledger in PostgreSQL in which one of everything has happened."""
    ledger = Ledger(postgres_store.create("books", SETTINGS))
    keep_books(ledger, wait=lambda time: clock.forward(seconds=time.total_seconds()))
    return ledger


@pytest.fixture
def cli(books: Ledger, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on those books, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    program = Program({"LEDGERCORE_DATABASE_URL": database_url, "LEDGERCORE_LEDGER": "books"})
    return lambda *arguments: run(program, arguments)


def alone(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def own_verifier() -> str:
    """The verifier that the documentation prints."""
    [source] = re.findall(r"^```python\n(import hashlib.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(source)


def test_outsider_checks_a_proof_with_their_own_forty_lines(cli: Cli, books: Ledger) -> None:
    """The documented format is enough: a bare interpreter, isolated from everything installed."""
    assert cli("proof", "make", "key:purchase", "--out", "proof.json") == 0

    checked = alone("-I", "-S", "-c", own_verifier() + CHECK_ALONE, books.state().head.hex())
    misled = alone("-I", "-S", "-c", own_verifier() + CHECK_ALONE, "00" * 32)

    assert checked.stderr == ""
    assert json.loads(checked.stdout) == [
        ["expenses:goods (EUR)", None, 4000],
        ["expenses:tax (EUR)", None, 760],
        [None, "assets:bank (EUR)", 4760],
        ["assets:bank:usd (USD)", "income:exchange:usd (USD)", 500],
    ]
    assert misled.returncode == 1


def test_own_verifier_is_short() -> None:
    """Short enough to be read and rewritten in an hour."""
    lines = [line for line in own_verifier().splitlines() if line.strip()]

    assert len(lines) <= 45
    assert "ledgercore" not in own_verifier()


def test_proof_is_kept_and_checked_later(cli: Cli, books: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    """A head is kept, the ledger moves on, and the proof of an older transaction leads to the kept head."""
    assert cli("proof", "head", "--out", "head.json") == 0
    assert cli("proof", "make", "--key", "purchase", "--out", "proof.json") == 0
    books.transfer(debit="assets:bank", credit="income:sales", amount=SMALL)
    assert cli("proof", "make", "--key", "purchase", "--out", "later.json") == 0

    codes = [
        cli("proof", "check", file, "--head", head)
        for file in ("proof.json", "later.json")
        for head in ("head.json", json.loads(Path("head.json").read_text())["head"])
    ]

    assert codes == [0] * 4
    out = capsys.readouterr().out
    assert out.count("the head that you trust, of batch") == 4
    assert "expenses:goods" in out
    assert "47.60 EUR" in out


def test_older_head_is_shown_to_be_continued(cli: Cli, books: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    """`--since-head` and `proof consistency` lead from an older head to the present one."""
    older = books.state().head.hex()
    posted = books.transfer(debit="assets:bank", credit="income:sales", amount=SMALL)

    assert cli("proof", "make", str(posted.id), "--since-head", older, "--out", "proof.json") == 0
    assert cli("proof", "check", "proof.json", "--head", older) == 0
    assert cli("proof", "consistency", older, "--out", "newer.json") == 0
    assert cli("proof", "check", "newer.json", "--head", older) == 0
    assert cli("proof", "check", "newer.json", "--head", books.state().head.hex()) == 0
    assert cli("proof", "check", "newer.json", "--head", "77" * 32) == 6

    out = capsys.readouterr().out
    assert "the log continues the head that you trust" in out
    assert "commits to all that of batch" in out


def test_any_record_can_be_proven_by_its_number(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """Openings, holds and refusals too, as a document for programs."""
    assert cli("proof", "make", "--number", "2", "--out", "proof.json") == 0

    assert cli("--json", "proof", "check", "proof.json") == 0

    found = json.loads(capsys.readouterr().out)
    assert found["record"]["kind"] == "account.opened"
    assert found["record"]["body"]["account"] == "assets:bank"
    assert not found["committed"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("proof", "make"), 2),
        (("proof", "make", "key:purchase", "--number", "3"), 2),
        (("proof", "make", "key:nothing"), 3),
        (("proof", "make", "key:purchase", "--since-head", "xyz"), 2),
        (("proof", "make", "key:purchase", "--since-head", "77" * 32), 6),
        (("proof", "consistency", "77" * 32), 6),
        (("proof", "check", "missing.json"), 2),
        (("proof", "check", str(PAGE)), 6),
    ],
)
def test_mistakes_have_their_exit_codes(arguments: tuple[str, ...], code: int, cli: Cli) -> None:
    """Wrong usage, nothing found, and a proof that does not hold are told apart."""
    assert cli(*arguments) == code


def test_core_alone_checks_a_file(cli: Cli, books: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m ledgercore_cli.proof_check` needs none of the extras; 0 for a proof that holds, 1 for none."""
    assert cli("proof", "make", "key:purchase", "--out", "proof.json") == 0
    Path("changed.json").write_text(Path("proof.json").read_text().replace("40.00", "40.01"))
    head = books.state().head.hex()
    refusing = (
        "import sys\nfor name in ('click', 'rich', 'sqlalchemy', 'psycopg', 'alembic'): sys.modules[name] = None\n"
        "from ledgercore_cli.proof_check import main\nsys.exit(main(sys.argv[1:]))"
    )
    source = Path(proof_check.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{source}:{source / 'adapters'}")

    good = alone("-c", refusing, "proof.json", "--head", head)
    as_module = alone("-m", "ledgercore_cli.proof_check", "proof.json", "--head", head)
    other_head = alone("-c", refusing, "proof.json", "--head", "00" * 32)
    changed = alone("-c", refusing, "changed.json")
    missing = alone("-c", refusing, "missing.json")

    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["record"]["key"] == "purchase"
    assert as_module.stdout == good.stdout
    assert [bad.returncode for bad in (other_head, changed, missing)] == [1, 1, 1]
    assert "part=says" in changed.stderr


def test_verify_tells_each_area(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """Sound books: every area is ok, and the head is printed to be kept."""
    assert cli("proof", "head", "--out", "head.json") == 0

    assert cli("verify", "--head", "head.json") == 0
    assert cli("verify", "--json") == 0

    told, document = capsys.readouterr().out.split("{", 1)
    found = json.loads("{" + document)
    assert found["sound"]
    assert list(found["areas"]) == ["chain", "journal", "balances", "accounts", "holds", "head", "keys", "settings"]
    assert told.count(" ok ") == 8
    assert "everything follows from the log" in told
    assert found["head"] in told


def test_verify_names_what_diverges(cli: Cli, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The first divergence of each area, with what follows and what is stored; exit status 6."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET balance = balance + 1 WHERE path = 'assets:vault'"))
        connection.execute(text("UPDATE heads SET settings = '[]'"))

    assert cli("verify") == 6
    assert cli("verify", "--json") == 6

    told, document = capsys.readouterr().out.split("{", 1)
    areas = json.loads("{" + document)["areas"]
    assert f"balance of account assets:vault: expected {10**30}, found {10**30 + 1}" in told
    assert "diverges in accounts, settings" in told
    assert [name for name, area in areas.items() if not area["sound"]] == ["accounts", "settings"]
    assert areas["accounts"]["found"] == str(10**30 + 1)


def test_verify_shows_its_progress(books: Ledger) -> None:
    """Records done and of all, at least once at the end."""
    from ledgercore.ledger.proofs.verification import verify

    told: list[tuple[int, int]] = []

    found = verify(books.journal, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (found.records, found.records)
