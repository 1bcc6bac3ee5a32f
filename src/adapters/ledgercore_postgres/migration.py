"""Bringing a database to this version's schema, safely when several processes start at once."""

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import SCHEMA_OUTDATED, SCHEMA_TOO_NEW
from ledgercore_postgres.driver_errors import translated_errors

LOCK: Final = 0x1ED6E2C0
VERSION_TABLE: Final = "ledgercore_schema"


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Apply what is missing, in one transaction; return the revisions before and after.

    One process at a time: the others wait for an advisory lock and find nothing left to do. Raises
    `database_unavailable`.
    """
    with translated_errors(), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        before = current_revision(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, head_revision()


def check_schema(connection: Connection) -> None:
    """Raise `schema_outdated` or `schema_too_new` unless the schema is this version's."""
    found, wanted = current_revision(connection), head_revision()
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is None or found in known:
        raise InternalError(SCHEMA_OUTDATED, found=found, wanted=wanted, remedy="ledgercore migrate")
    raise InternalError(SCHEMA_TOO_NEW, found=found, wanted=wanted, remedy="install a newer ledgercore-kit")


def current_revision(connection: Connection) -> str | None:
    """The revision the database is at; `None` when it has no schema of ours."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def head_revision() -> str:
    """The revision that this version needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "ledgercore_postgres:migrations")
    config.set_main_option("path_separator", "os")
    return config
