"""How often banking asks the database, however many rows a page has."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing.banking_people import stored_account
from ledgercore.testing.banking_stores import row
from ledgercore_postgres import PostgresWorkStore


@pytest.mark.parametrize("size", [1, 100])
def test_page_of_rows_takes_one_trip_to_look_up_and_one_to_store(engine: Engine, clock, watched, size: int) -> None:
    """Begin; what is known; what is new or changed; commit."""
    store = PostgresWorkStore(engine, clock=clock)
    account = stored_account(store)
    ids = [f"tx{number}" for number in range(size)]

    def take_in() -> None:
        with store.begin() as work:
            work.bank_rows.find_related(account.id, external_ids=ids, fingerprints=[b"x" * 32])
            work.bank_rows.save_all([row(account.id, external_id=f"{id} {clock()}") for id in ids])

    take_in()

    sent = watched(take_in)

    assert (sent.statements, sent.trips) == (4, 4)
