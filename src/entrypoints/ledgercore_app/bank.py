"""Composition of the bank: its use cases over the store that identity and the ledgers are in."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledgercore.bank import Bank
from ledgercore.clock import Clock
from ledgercore.identity.secrets import Sealer
from ledgercore_app.databases import database_from
from ledgercore_app.secret_keys import read_secrets, sealer_of
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_store, work_store_of

if TYPE_CHECKING:
    from ledgercore.payments.ports import Store
    from ledgercore.statements.statements import Statement


@contextmanager
def open_bank(
    database: str | None, *, settings: Settings, service_settings: ServiceSettings, clock: Clock
) -> Iterator[Bank]:
    """The bank at the command line, for the length of a block; raises as `open_store` does."""
    sealer = sealer_of(read_secrets(service_settings, database_from(database, settings)))
    with open_store(database, clock=clock, settings=settings) as store:
        yield bank_over(work_store_of(store, clock), sealer=sealer, service_settings=service_settings, clock=clock)


def bank_over(store: "Store", *, sealer: Sealer, service_settings: ServiceSettings, clock: Clock) -> Bank:
    """The bank in a store, as the settings want it."""
    return Bank(
        store=store,
        clock=clock,
        random_bytes=os.urandom,
        sealer=sealer,
        statement_reader=_read_statements,
        ledger=service_settings.bank_ledger,
    )


def _read_statements(
    data: bytes, *, format: str | None, dialect: str | None, currency: str | None
) -> "Sequence[Statement]":
    """Whoever reads no files need not load what reads them."""
    from ledgercore_statements.reading import read_statements

    return read_statements(data, format=format, dialect=dialect, currency=currency)
