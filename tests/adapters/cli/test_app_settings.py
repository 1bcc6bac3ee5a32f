"""What the environment says, and what a database's name means."""

import os
import sys
from pathlib import Path

import pytest

from ledgercore.errors import InternalError
from ledgercore_app.databases import Embedded, Memory, Server, database_from
from ledgercore_app.settings import Settings, data_directory_default


def test_without_variables_the_database_is_embedded():
    """Nothing needs to be said."""
    settings = Settings.from_environment({"HOME": "/home/ann", "LEDGERCORE_LEDGER": ""})

    assert settings == Settings()
    assert (settings.database_url, settings.ledger) == ("embedded", "main")


def test_each_variable_sets_what_its_name_says():
    """Paths may begin with a tilde."""
    settings = Settings.from_environment(
        {
            "LEDGERCORE_DATABASE_URL": "postgresql://h/d",
            "LEDGERCORE_LEDGER": "shop",
            "LEDGERCORE_DATA_DIRECTORY": "~/books",
            "LEDGERCORE_POSTGRES_BIN": "/opt/pg/bin",
        }
    )

    assert settings == Settings(
        database_url="postgresql://h/d",
        ledger="shop",
        data_directory=Path.home() / "books",
        postgres_bin=Path("/opt/pg/bin"),
    )


@pytest.mark.parametrize(
    ("name", "meant"), [("LEDGERCORE_DATABASE", "LEDGERCORE_DATABASE_URL"), ("LEDGERCORE_XYZZY_PLUGH", None)]
)
def test_a_misspelt_variable_is_refused(name, meant):
    """It would be ignored in silence otherwise; the nearest name is told where there is one."""
    with pytest.raises(InternalError) as caught:
        Settings.from_environment({name: "x"})

    assert caught.value.code == "configuration_error"
    assert caught.value.details["setting"] == name
    assert caught.value.details.get("meant") == meant


@pytest.mark.parametrize(
    ("user_id", "platform", "data_home", "expected"),
    [
        (0, "linux", "", "/var/lib/ledgercore"),
        (0, "linux", "/data", "/data/ledgercore"),
        (1000, "linux", "", "~/.local/share/ledgercore"),
        (1000, "linux", "relative", "~/.local/share/ledgercore"),
        (1000, "darwin", "", "~/Library/Application Support/ledgercore"),
    ],
)
def test_data_lies_where_the_system_keeps_it(monkeypatch, user_id, platform, data_home, expected):
    """Root's home is closed to the user who runs the server for root."""
    monkeypatch.setattr(os, "geteuid", lambda: user_id)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("XDG_DATA_HOME", data_home)

    assert data_directory_default() == Path(expected).expanduser()


@pytest.mark.parametrize(
    ("name", "database"),
    [
        (None, Embedded(Path("/data"))),
        ("embedded", Embedded(Path("/data"))),
        ("embedded:~/books", Embedded(Path.home() / "books")),
        ("memory", Memory()),
        ("postgresql://h/d", Server("postgresql://h/d")),
        ("postgres://h/d", Server("postgresql://h/d")),
        ("postgresql+psycopg://h/d", Server("postgresql://h/d")),
    ],
)
def test_a_name_means_a_database(name, database):
    """`None` is the one of the settings."""
    assert database_from(name, Settings(data_directory="/data")) == database


def test_a_database_is_shown_without_its_password():
    """Screens and logs are read by many."""
    shown = str(Server("postgresql://ann:secret@host:5432/books?sslpassword=secret"))

    assert shown == "postgresql://ann@host:5432/books"
    assert str(Embedded(Path("/data"))) == "embedded:/data"
