"""Composition of identity: its use cases over the store that the ledgers are in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ledgercore.clock import Clock
from ledgercore.identity.identity import Identity
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.secrets import TokenSigner
from ledgercore.identity.sessions import Lifetimes
from ledgercore_app.databases import Memory
from ledgercore_app.secret_keys import read_secrets, signer_of
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_store, work_store_of
from ledgercore_crypto import Argon2Hasher


@contextmanager
def open_identity(
    database: str | None, *, settings: Settings, service_settings: ServiceSettings, clock: Clock
) -> Iterator[Identity]:
    """Identity at the command line, for the length of a block; raises as `open_store` does."""
    with open_store(database, clock=clock, settings=settings) as store:
        # Nobody logs in here, so operators need not know the secret: what signs is made up, as for ledgers in memory.
        signer = signer_of(ServiceSettings(), read_secrets(ServiceSettings(), Memory()))
        yield identity_over(work_store_of(store, clock), signer=signer, service_settings=service_settings, clock=clock)


def identity_over(
    store: IdentityStore, *, signer: TokenSigner, service_settings: ServiceSettings, clock: Clock
) -> Identity:
    """Identity in a store; raises `configuration_error` for costs that passwords cannot have."""
    return Identity(
        store=store,
        hasher=Argon2Hasher(
            time_cost=service_settings.password_time_cost, memory_kib=service_settings.password_memory_kib
        ),
        signer=signer,
        clock=clock,
        random_bytes=os.urandom,
        lifetimes=Lifetimes(
            access=timedelta(seconds=service_settings.access_seconds),
            refresh=timedelta(seconds=service_settings.refresh_seconds),
        ),
        environment="live" if service_settings.production else "dev",
    )
