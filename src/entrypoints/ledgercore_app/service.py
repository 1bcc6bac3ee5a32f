"""Composition of the HTTP service: stores, keys, telemetry and the gathering of posts, for one process."""

import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from ledgercore import __version__
from ledgercore.clock import Clock
from ledgercore.ledger.commands import BatchItem
from ledgercore_app.bank import bank_over
from ledgercore_app.databases import Memory, database_from
from ledgercore_app.identity import identity_over
from ledgercore_app.probe import probe_of
from ledgercore_app.secret_keys import read_secrets, sealer_of, signer_of
from ledgercore_app.service_settings import OFF, ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_store, utc_now, work_store_of
from ledgercore_gather import Gatherer, append_each
from ledgercore_http import Limits, Service
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Routes
from ledgercore_memory import MemoryRateLimiter, MemoryStore
from ledgercore_telemetry import Metrics, Telemetry, configure_logs, tracing_from

if TYPE_CHECKING:
    from ledgercore.rate_limits import RateLimiter
    from ledgercore_postgres import PostgresStore

SERVICE_NAME: Final = "ledgercore"
READING_THREADS: Final = 8
GATHERING_THREADS: Final = 4
"""Together fewer than the connections of a pool, so that none waits for one."""
FINGERPRINT_LABEL: Final = b"ledgercore fingerprints\x00"


def telemetry_of(settings: ServiceSettings, tables: Sequence[Routes] = TABLES) -> Telemetry:
    """Logs to standard error, metrics of the routes, and traces if a collector is named."""
    log = configure_logs(sys.stderr, level=settings.log_level, json=settings.log_format == "json")
    # What migrations do is told by those who start them.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # In detail these tell headers and messages word for word, and there are tokens in them.
    for talkative in ("httpcore2", "uvicorn.error"):
        logging.getLogger(talkative).setLevel(logging.INFO)
    return Telemetry(
        log=log,
        metrics=Metrics(routes=[route.path for table in tables for route in table.table], version=__version__),
        tracer=tracing_from(settings.trace_endpoint, SERVICE_NAME),
    )


@contextmanager
def open_service(
    database: str | None,
    *,
    settings: Settings,
    service_settings: ServiceSettings,
    telemetry: Telemetry,
    clock: Clock = utc_now,
) -> Iterator[Service]:
    """Everything that requests are served with, for the length of a block; raises as `open_store` does."""
    named = database_from(database, settings)
    found = read_secrets(service_settings, named)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(database, clock=clock, settings=settings))
        readers = stack.enter_context(ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reading"))
        gatherers = stack.enter_context(ThreadPoolExecutor(GATHERING_THREADS, thread_name_prefix="gathering"))
        # The signer first: it says of a secret everything that may be wrong with it.
        signer, sealer = signer_of(service_settings, found), sealer_of(found)
        work = work_store_of(store, clock)
        bank = bank_over(work, sealer=sealer, service_settings=service_settings, clock=clock)
        telemetry.metrics.watch_jobs(bank.jobs.counts, clock)
        yield Service(
            identity=identity_over(work, signer=signer, service_settings=service_settings, clock=clock),
            bank=bank,
            journals=store,
            limiter=_limiter(store, service_settings, clock),
            sealer=sealer,
            clock=clock,
            random_bytes=os.urandom,
            fingerprint_key=_fingerprint_key(found.present),
            executor=readers,
            gather=lambda work: Gatherer(work, executor=gatherers),
            gather_posts=lambda journal: Gatherer(_counted(append_each(journal), telemetry), executor=gatherers),
            telemetry=telemetry,
            render_metrics=telemetry.metrics.render,
            probe=probe_of(named, store),
            version=__version__,
            limits=_limits(service_settings),
            immediate=isinstance(named, Memory),
            production=service_settings.production,
            trusted_proxies=service_settings.trusted_proxies,
            cors_origins=service_settings.cors_origins,
            public_url=service_settings.public_url,
        )


def _limiter(store: "PostgresStore | MemoryStore", settings: ServiceSettings, clock: Clock) -> "RateLimiter":
    """Where rates are kept: with the ledgers, or in memory where one process serves alone."""
    if isinstance(store, MemoryStore) or settings.rate_limits != "database":
        return MemoryRateLimiter(clock=clock)
    from ledgercore_postgres import PostgresRateLimiter

    return PostgresRateLimiter(store.engine)


def _limits(settings: ServiceSettings) -> Limits:
    """The service's limits with the quotas of the settings; none when rate limits are off."""
    if settings.rate_limits == OFF:
        return Limits(per_address=None, per_user=None, per_token=None, logins=None)
    return Limits(
        per_address=settings.rate_per_address,
        per_user=settings.rate_per_user,
        per_token=settings.rate_per_token,
        logins=settings.rate_of_logins,
    )


def _counted(
    work: Callable[[list[BatchItem]], Sequence[Any]], telemetry: Telemetry
) -> Callable[[list[BatchItem]], Sequence[Any]]:
    def counted(items: list[BatchItem]) -> Sequence[Any]:
        telemetry.metrics.gathered("posts", len(items))
        return work(items)

    return counted


def _fingerprint_key(secret: bytes) -> bytes:
    return hashlib.sha256(FINGERPRINT_LABEL + secret).digest()
