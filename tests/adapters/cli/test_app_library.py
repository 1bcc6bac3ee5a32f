"""The front door for programs: connect, then the facade's verbs."""

import pytest
from sqlalchemy import text

from ledgercore import Money, Opening, Settings
from ledgercore.errors import ConflictError, InternalError, NotFoundError
from ledgercore_app import connect
from ledgercore_postgres import connect as connect_engine

OPENING = Settings(opening=Opening(on_first_use=True))


def test_ledgers_are_created_found_and_named():
    """In memory here; the names are sorted."""
    with connect("memory") as ledgers:
        ledgers.create("shop", OPENING).transfer(debit="assets:bank", credit="income:sales", amount=Money.of(5, "EUR"))
        ledgers.create("bank")

        assert ledgers.names() == ["bank", "shop"]
        assert ledgers.ledger("shop").balance("assets:bank").posted == Money.of(5, "EUR")


def test_ensuring_a_ledger_keeps_the_one_that_is_there():
    """Creating twice is a conflict, ensuring is not."""
    with connect("memory") as ledgers:
        ledgers.ensure("shop", OPENING)
        again = ledgers.ensure("shop")

        assert again.state().settings == OPENING
        with pytest.raises(ConflictError):
            ledgers.create("shop")
        with pytest.raises(NotFoundError):
            ledgers.ledger("bank")


def test_a_ledger_joins_the_callers_transaction(database_url):
    """What it posts goes with the caller's rows, here back."""
    engine = connect_engine(database_url)
    with connect(database_url.replace("postgresql+psycopg", "postgresql")) as ledgers:
        ledgers.create("shop", OPENING)
        with engine.connect() as connection:
            connection.execute(text("CREATE TABLE orders (id int)"))
            joined = ledgers.join(connection, "shop")
            joined.transfer(debit="assets:bank", credit="income:sales", amount=Money.of(5, "EUR"))
            connection.rollback()

        assert ledgers.ledger("shop").balances() == []
    engine.dispose()


def test_memory_has_no_transactions_to_join():
    """Told as what it is: the wrong database."""
    with connect("memory") as ledgers, pytest.raises(InternalError) as caught:
        ledgers.join(None, "shop")  # type: ignore[arg-type]

    assert caught.value.code == "configuration_error"


def test_the_package_has_no_other_names():
    """A misspelt one is an AttributeError."""
    import ledgercore_app

    with pytest.raises(AttributeError, match="conect"):
        _ = ledgercore_app.conect
