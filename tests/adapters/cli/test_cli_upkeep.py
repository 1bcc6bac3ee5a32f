"""Migrating, checking the set-up, completing in a shell."""

import subprocess

import pytest

from ledgercore_cli.application import FAIL, OK, WARN, Check


def test_a_migration_tells_from_where_to_where(console):
    """For people and for programs."""
    assert console("migrate").out == "memory: empty -> 0001\n"
    assert console.json("migrate", "--database", "x") == {"database": "x", "before": None, "after": "0001"}


@pytest.mark.parametrize(("states", "status"), [((OK, OK), 0), ((OK, WARN), 0), ((FAIL, OK), 6)])
def test_the_doctor_fails_when_a_check_fails(console, states, status):
    """Warnings are told and pass."""
    console.application.checks = [Check(f"check {n}", state, "found", "mend it") for n, state in enumerate(states)]

    told, documented = console("doctor"), console("doctor", "--json")

    assert told.status == documented.status == status
    assert "mend it" in told.out
    assert documented.document["healthy"] is (status == 0)
    assert [check["state"] for check in documented.document["checks"]] == [*states]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(console, shell):
    """It calls the program back with its own variable."""
    result = console("completion", shell)

    assert result.status == 0
    assert "_LEDGERCORE_COMPLETE" in result.out


def test_the_bash_script_is_one(console):
    """Bash reads it."""
    script = console("completion", "bash").out

    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_commands_and_options_are_completed(console, monkeypatch):
    """The shell asks with the words typed so far."""
    monkeypatch.setenv("_LEDGERCORE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "ledgercore hold ca")
    monkeypatch.setenv("COMP_CWORD", "2")

    result = console()

    assert result.out.splitlines() == ["plain,capture", "plain,capture-group"]


def test_an_unknown_shell_is_wrong_usage(console):
    """Status 2."""
    assert console("completion", "csh").status == 2
