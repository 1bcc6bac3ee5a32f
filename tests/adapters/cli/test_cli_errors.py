"""How failures are told: one line or one document, and a status that scripts can rely on."""

import json
import os
import subprocess
import sys

import pytest

from ledgercore.errors import (
    AuthorizationError,
    ExternalDependencyError,
    InternalError,
    LedgercoreError,
    ValidationError,
)
from ledgercore.errors.catalog import (
    CATALOG,
    COMMIT_OUTCOME_UNKNOWN,
    DATABASE_UNAVAILABLE,
    INVALID_PROOF,
    LOG_DIVERGED,
    SCHEMA_OUTDATED,
)
from ledgercore.errors.category import Category
from ledgercore.errors.exceptions import error_for
from ledgercore_cli import exit_codes


def test_every_reason_of_the_catalog_has_a_status():
    """The category decides, except for what checks find."""
    for reason in CATALOG.values():
        assert exit_codes.exit_code_for(error_for(reason)) in exit_codes.MEANINGS


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ExternalDependencyError(DATABASE_UNAVAILABLE), 7),
        (ExternalDependencyError(COMMIT_OUTCOME_UNKNOWN), 7),
        (InternalError(SCHEMA_OUTDATED, remedy="ledgercore migrate"), 70),
        (InternalError(LOG_DIVERGED), 6),
        (ValidationError(INVALID_PROOF), 6),
        (AuthorizationError(next(r for r in CATALOG.values() if r.category is Category.AUTHORIZATION)), 8),
    ],
    ids=lambda value: value.code if isinstance(value, LedgercoreError) else str(value),
)
def test_a_catalogued_failure_is_one_line_without_a_traceback(console, error, status):
    """`error: <code>: <title>: <details>`, on standard error alone."""
    console.application.failure = error

    result = console("ledger", "list")

    assert result.status == status
    assert result.out == ""
    assert result.err == f"error: {error.code}: {error}\n"


def test_with_json_a_failure_is_a_problem_document(console):
    """RFC 9457, with what an operator needs even for faults of the system."""
    console.application.failure = InternalError(SCHEMA_OUTDATED, remedy="ledgercore migrate")

    problem = console("ledger", "list", "--json").problem

    assert problem["code"] == "schema_outdated"
    assert problem["category"] == "system"
    assert problem["details"] == {"remedy": "ledgercore migrate"}
    assert problem["type"].endswith("/schema_outdated")
    assert "migrate" in problem["detail"]


@pytest.mark.parametrize("position", [0, 2], ids=["before the command", "behind it"])
def test_a_missing_ledger_comes_with_the_command_that_creates_it(console, position):
    """Wherever --json and --ledger stand."""
    arguments = ["ledger", "show"]
    arguments[position:position] = ["--json", "--ledger", "books"]

    result = console(*arguments)

    assert result.status == 3
    assert result.problem["code"] == "ledger_not_found"
    assert result.problem["details"]["remedy"] == "ledgercore ledger create books"


def test_the_chosen_database_reaches_the_application(books):
    """Before the command or behind it; the last one counts."""
    books("--database", "one", "ledger", "list")
    books("ledger", "list", "--database", "two")

    assert books.application.opened[-2:] == ["one", "two"]


def test_a_fault_of_our_own_shows_where_it_happened(console):
    """Status 70, a traceback to report, and a reason all the same."""
    console.application.failure = RuntimeError("broken")

    result = console("ledger", "list")

    assert result.status == 70
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("error: internal_server_error: ")


def test_a_fault_of_the_file_system_needs_no_traceback(console):
    """A full disk is nobody's bug."""
    console.application.failure = OSError(28, "No space left on device")

    result = console("ledger", "list")

    assert result.status == 70
    assert "Traceback" not in result.err
    assert "No space left on device" in result.err


def test_ctrl_c_ends_quietly(console):
    """Status 130 and no words."""
    console.application.failure = KeyboardInterrupt()

    result = console("ledger", "list")

    assert (result.status, result.out, result.err) == (130, "", "")


def test_control_characters_cannot_steer_the_terminal(books):
    """Neither those of a description nor those of an argument."""
    books("post", "assets:bank", "wallets:ann", "1.00", "EUR", "--description", "a\x1b[2Jb", "--key", "odd")

    shown = books("transaction", "show", "key:odd")
    refused = books("balance", "a\x1b[2Jb")

    assert "a\\x1b[2Jb" in shown.out
    assert "\x1b" not in shown.out + refused.err
    assert books.json("transaction", "show", "key:odd")["description"] == "a\x1b[2Jb"


def test_a_reader_that_goes_away_ends_the_command_quietly():
    """`ledgercore sample | head -1` says nothing about pipes."""
    code = "from ledgercore_app.cli import main; main()"
    command = subprocess.Popen([sys.executable, "-c", code, "sample"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    assert command.stderr is not None

    os.read(command.stdout.fileno(), 10)
    command.stdout.close()
    complaint = command.stderr.read()
    command.stderr.close()

    assert command.wait(30) == exit_codes.BROKEN_PIPE
    assert complaint == b""


def test_misspelt_variables_are_told_not_ignored():
    """A configuration error names the variable that was meant."""
    code = "from ledgercore_app.cli import main; main()"
    environment = {**os.environ, "LEDGERCORE_DATABSE_URL": "memory"}

    result = subprocess.run(
        [sys.executable, "-c", code, "ledger", "list", "--json"], capture_output=True, text=True, env=environment
    )

    assert result.returncode == 70
    assert json.loads(result.stderr)["details"]["meant"] == "LEDGERCORE_DATABASE_URL"
