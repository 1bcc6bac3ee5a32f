"""What the doctor finds wrong with a database, a clock or a disk."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from ledgercore_app.doctor import examine
from ledgercore_app.settings import Settings
from ledgercore_postgres import connect

Usage = namedtuple("Usage", "total used free")


def found(database: str, *, ahead: timedelta = timedelta()):
    checks = examine(database, settings=Settings(), clock=lambda: datetime.now(UTC) + ahead)
    return {check.name: check for check in checks}


def test_a_sound_database_is_all_right(database_url: str):
    """Nothing needs a remedy."""
    checks = found(database_url)

    assert {check.state for check in checks.values()} == {"ok"}
    assert {check.remedy for check in checks.values()} == {""}


def test_a_setting_that_loses_commits_fails_with_its_remedy(database_url: str):
    """As it is set for this very database."""
    name = make_url(database_url).database
    engine = connect(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    engine.dispose()

    check = found(database_url)["synchronous_commit"]

    assert (check.state, check.found) == ("fail", "off")
    assert "synchronous_commit = on" in check.remedy


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "behind"])
def test_clocks_that_differ_are_a_warning(database_url: str, ahead: timedelta):
    """Recorded times come from ours, and the server's logs from its own."""
    check = found(database_url, ahead=ahead)["clocks"]

    assert check.state == "warn"
    assert check.found.startswith("3600.0 s")


@pytest.mark.slow
@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (5 * 10**8, "warn"), (10**7, "fail")])
def test_a_disk_that_fills_up_is_told_in_time(open_directory: Path, monkeypatch, free: int, state: str):
    """A warning first; the server stops where there is no room."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))

    checks = found(f"embedded:{open_directory / 'data'}")

    assert checks["disk"].state == state
    assert checks["data directory"].found == str(open_directory / "data")
    assert checks["schema"].state == "ok"
