"""The program as it is installed, in processes of its own, over real databases."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from ledgercore_postgres import connect

pytestmark = pytest.mark.slow

CODE = "from ledgercore_app.cli import main; main()"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, **environment},
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def empty_database(postgres_server: str):
    """The URL of a database without a schema."""
    server = make_url(postgres_server)
    name = f"empty_{os.getpid()}"
    admin = connect(server.set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        # Of the names that users give to PostgreSQL's URLs, the plainest.
        yield server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_commands_that_start_at_once_share_a_new_database(open_directory: Path):
    """The first one makes it, the others find it; what they wrote is there for the next."""
    environment = {"LEDGERCORE_DATA_DIRECTORY": str(open_directory / "data"), "LEDGERCORE_LEDGER": "books"}

    first = [start("ledger", "create", "--open-on-first-use", "--if-missing", **environment) for _ in range(3)]
    assert [(process[0], process[2]) for process in map(ended, first)] == [(0, "")] * 3
    keys = [
        start("post", "assets:bank", "income:sales", "1.00", "EUR", "--key", f"k{n}", **environment) for n in (1, 2)
    ]
    assert [ended(process)[0] for process in keys] == [0, 0]
    status, out, _ = ended(start("balance", "assets:bank", "--json", **environment))

    assert status == 0
    assert json.loads(out)["posted"] == "2.00"


def test_a_given_database_is_migrated_only_when_asked(empty_database: str):
    """Its owner decides when; until then commands say what to run."""
    before = ended(start("ledger", "list", LEDGERCORE_DATABASE_URL=empty_database))
    sick = ended(start("doctor", "--json", "--database", empty_database))
    migrated = ended(start("migrate", "--json", "--database", empty_database))
    again = ended(start("migrate", "--database", empty_database))
    after = ended(start("ledger", "create", "--database", empty_database))
    healthy = ended(start("doctor", "--json", "--database", empty_database))

    assert before[0] == 70
    assert before[2].startswith("error: schema_outdated: ")
    assert "ledgercore migrate" in before[2]
    assert [check["name"] for check in json.loads(sick[1])["checks"] if check["state"] == "fail"] == ["schema"]
    assert json.loads(migrated[1])["before"] is None
    assert "already at" in again[1]
    assert (after[0], healthy[0]) == (0, 0)


def test_a_server_that_is_not_there_is_unavailable():
    """Status 7: try again; the doctor says the same in a row of its own."""
    url = "postgresql://nobody:secret@127.0.0.1:1/none"

    status, _, err = ended(start("ledger", "list", "--database", url))
    sick, out, _ = ended(start("doctor", "--database", url))

    assert status == 7
    assert err.startswith("error: database_unavailable: ")
    assert sick == 6
    assert "connection" in out
    assert "secret" not in out + err


def test_a_database_in_memory_is_gone_after_the_command():
    """It is for trying out commands, and the doctor warns of it."""
    created = ended(start("ledger", "create", "--database", "memory"))
    listed = ended(start("ledger", "list", "--json", LEDGERCORE_DATABASE_URL="memory"))
    migrated = ended(start("migrate", "--database", "memory"))
    doctor = ended(start("doctor", "--json", "--database", "memory"))

    assert created[0] == migrated[0] == 0
    assert json.loads(listed[1])["items"] == []
    assert {check["state"] for check in json.loads(doctor[1])["checks"]} == {"ok", "warn"}


@pytest.mark.parametrize("name", ["sqlite://", "embedded:", "books", "mysql://u:secret@h/d"])
def test_a_name_that_means_nothing_is_a_configuration_error(name):
    """It is not repeated, since it may hold a password."""
    status, _, err = ended(start("ledger", "list", "--database", name))

    assert status == 70
    assert err.startswith("error: configuration_error: ")
    assert "secret" not in err


def test_standard_input_holds_a_document(open_directory: Path):
    """A dash reads it."""
    lines = [{"debit": "assets:bank", "credit": "income:sales", "amount": "3.00", "currency": "EUR"}]
    where = ("--database", f"embedded:{open_directory / 'data'}")
    assert ended(start("ledger", "create", "--open-on-first-use", *where))[0] == 0

    done = subprocess.run(
        [sys.executable, "-c", CODE, "post", "--file", "-", "--json", *where],
        input=json.dumps({"key": "k", "lines": lines}),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"][0]["amount"] == "3.00"
