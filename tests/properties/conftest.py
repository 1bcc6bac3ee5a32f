"""How long the random tests run, and a database that they share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore_postgres import connect, migrate

LONG = os.environ.get("LEDGERCORE_LONG", "") not in ("", "0")

COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
}
settings.register_profile("ci", max_examples=100, **COMMON)  # type: ignore[arg-type]
settings.register_profile("long", max_examples=2_000, **COMMON)  # type: ignore[arg-type]
settings.load_profile("long" if LONG else "ci")


@pytest.fixture(scope="session")
def random_engine(postgres_server: str) -> Iterator[Engine]:
    """A migrated database in which each random sequence has a ledger of its own."""
    name = f"random_{os.getpid()}"
    admin = connect(make_url(postgres_server).set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        engine = connect(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
        migrate(engine)
        yield engine
        engine.dispose()
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
