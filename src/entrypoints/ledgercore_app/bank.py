"""Composition of the bank: its use cases over the store that identity and the ledgers are in."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledgercore.bank import BANK_REDIRECT_URL, CALLBACK_PATH, Bank
from ledgercore.clock import Clock
from ledgercore.events.received import Provider
from ledgercore.identity.secrets import Sealer
from ledgercore_app.databases import database_from
from ledgercore_app.secret_keys import read_secrets, sealer_of
from ledgercore_app.sender import LazySender
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
    # Only here, so that commands without a bank do not load what calls others.
    from ledgercore_outbound.addresses import AddressGuard
    from ledgercore_outbound.exchanging import Exchanger

    guard = AddressGuard(allow_private=service_settings.allows_private_addresses)
    sender = LazySender(guard)
    return Bank(
        store=store,
        clock=clock,
        random_bytes=os.urandom,
        sealer=sealer,
        statement_reader=_read_statements,
        addresses=guard,
        sender=sender,
        exchanges=Exchanger(sender=sender, clock=clock),
        bank_redirect_url=_redirect_url(service_settings),
        ledger=service_settings.bank_ledger,
        payment_limits=service_settings.payment_limits,
        webhook_secrets={
            Provider.PAYMENTS: service_settings.payment_webhook_secret,
            Provider.BANKS: service_settings.bank_webhook_secret,
            Provider.FRAUD: service_settings.fraud_webhook_secret,
        },
    )


def _redirect_url(service_settings: ServiceSettings) -> str:
    """Where banks send users back to: as told, or below the public address, or where `serve` listens by default."""
    address = service_settings.public_url.rstrip("/")
    return service_settings.bank_redirect_url or (f"{address}{CALLBACK_PATH}" if address else BANK_REDIRECT_URL)


def _read_statements(
    data: bytes, *, format: str | None, dialect: str | None, currency: str | None
) -> "Sequence[Statement]":
    """Whoever reads no files need not load what reads them."""
    from ledgercore_statements.reading import read_statements

    return read_statements(data, format=format, dialect=dialect, currency=currency)
