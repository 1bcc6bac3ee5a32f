"""Importing the library and asking for help stay cheap: exact, by what gets imported, rather than timed."""

import subprocess
import sys

import pytest

HEAVY = {"alembic", "hypothesis", "psycopg", "rich", "sqlalchemy"}

HELP = """
import sys
from importlib.metadata import distribution
[script] = distribution("ledgercore-kit").entry_points.select(group="console_scripts", name="ledgercore")
sys.argv = ["ledgercore", "--help"]
try:
    script.load()()
except SystemExit as done:
    assert not done.code, done.code
"""


def imported_by(code: str) -> set[str]:
    """Run code in a new interpreter and give the top-level packages it imported."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", f"{code}\n{report}"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return set(result.stderr.split())


@pytest.mark.parametrize("code", ["import ledgercore", HELP], ids=["import ledgercore", "ledgercore --help"])
def test_nothing_heavy_is_imported(code: str):
    imported = imported_by(code)

    assert "ledgercore" in imported or "ledgercore_app" in imported
    assert imported & HEAVY == set()


def test_a_heavy_import_would_be_seen():
    assert imported_by("import sqlalchemy") & HEAVY == {"sqlalchemy"}
