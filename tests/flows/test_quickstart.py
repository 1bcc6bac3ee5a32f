"""The first thing a new user runs: a year of books out of nothing, reported and verified."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CODE = "from ledgercore_app.cli import main; main()"


def ledgercore(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
    environment["LEDGERCORE_DATA_DIRECTORY"] = str(folder / "data")
    return subprocess.run(
        [sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, env=environment, cwd=folder
    )


def test_quickstart_run_twice_ends_in_the_same_ledger(open_directory: Path):
    """The second run finds everything in place, changes nothing and prints the same."""
    first = ledgercore("quickstart", folder=open_directory)
    second = ledgercore("quickstart", folder=open_directory)
    verified = ledgercore("verify", "--ledger", "sample", folder=open_directory)

    assert (first.returncode, second.returncode, verified.returncode) == (0, 0, 0), first.stderr + second.stderr
    assert first.stdout == second.stdout
    assert "2,041 posted, 0 known already" in first.stderr
    assert "0 posted, 2,041 known already" in second.stderr
    for said in ("Balance sheet", "assets equal liabilities, equity and result", "Income less expenses", "sound"):
        assert said in first.stdout
    assert (open_directory / "data" / "sample-2025.ndjson").is_file()


def test_what_to_try_next_works_as_it_is_printed(open_directory: Path):
    """Each line can be copied, whatever directory was chosen."""
    elsewhere = open_directory / "else where"
    out = ledgercore("quickstart", "--data-directory", str(elsewhere), folder=open_directory).stdout
    steps = out.partition("Try next:\n")[2].splitlines()

    results = {}
    for step in steps:
        line = step.strip().partition(" --database ")[2]
        shell = f'"{sys.executable}" -c "{CODE}" --database {line}'
        results[step] = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, cwd=open_directory)

    assert len(steps) > 3
    assert {step: result.stderr for step, result in results.items() if result.returncode} == {}


def test_quickstart_for_programs_is_one_document(open_directory: Path):
    """With the import's counts, both reports and the verification; in memory if need be."""
    result = ledgercore("quickstart", "--json", "--database", "memory", folder=open_directory)

    document = json.loads(result.stdout)
    assert result.stderr == ""
    assert document["import"] == {"posted": 2_041, "replayed": 0, "rejected": 0}
    assert document["balance_sheet"]["balanced"] is True
    assert document["verification"]["sound"] is True
    assert [item["currency"] for item in document["income_statement"]["results"]] == ["EUR", "USD"]


def test_quickstart_refuses_a_ledger_that_holds_something_else(open_directory: Path):
    """A key of the sample that was used for other content ends it with the reason."""
    folder = open_directory
    assert ledgercore("ledger", "create", "sample", "--open-on-first-use", folder=folder).returncode == 0
    post = ("post", "assets:bank:checking", "equity:capital", "1.00", "EUR", "--key", "opening-0001")
    assert ledgercore(*post, "--ledger", "sample", folder=folder).returncode == 0

    result = ledgercore("quickstart", folder=folder)

    assert result.returncode == 4
    assert "error: idempotency_key_reused: " in result.stderr
    assert "Traceback" not in result.stderr
