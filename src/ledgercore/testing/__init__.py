"""Contract suites for whoever writes an adapter: subclass, say where your store is, run pytest.

    from ledgercore.testing import JournalContract, LedgerStoreContract, StoppedClock

    class TestMyJournal(JournalContract):
        @pytest.fixture
        def store(self, clock):
            return MyStore(clock=clock)

`store` is a fixture of one test: a `LedgerStore` at the time of the `clock` fixture. It may keep its
ledgers in a database shared by many tests, since every test takes ledgers of names never used before.
`IdentityStoreContract` asks for `identity` besides, an `IdentityStore` over the same ledgers, and
`RateLimiterContract` for `limiter` and `elapse`; `JobStoreContract` for `jobs` and
`job_queue`. Needs pytest; the memory adapter is held to the same suites.
"""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ledgercore.testing.banking_stores import BankStoreContract as BankStoreContract
    from ledgercore.testing.identities import IdentityStoreContract as IdentityStoreContract
    from ledgercore.testing.job_stores import JobStoreContract as JobStoreContract
    from ledgercore.testing.journals import JournalContract as JournalContract
    from ledgercore.testing.ledgers import OPENING as OPENING
    from ledgercore.testing.ledgers import StoppedClock as StoppedClock
    from ledgercore.testing.payment_stores import PaymentStoreContract as PaymentStoreContract
    from ledgercore.testing.rate_limits import RateLimiterContract as RateLimiterContract
    from ledgercore.testing.statement_stores import StatementStoreContract as StatementStoreContract
    from ledgercore.testing.stores import LedgerStoreContract as LedgerStoreContract

_HOMES: Final = {
    "BankStoreContract": "banking_stores",
    "IdentityStoreContract": "identities",
    "JobStoreContract": "job_stores",
    "JournalContract": "journals",
    "LedgerStoreContract": "stores",
    "OPENING": "ledgers",
    "PaymentStoreContract": "payment_stores",
    "RateLimiterContract": "rate_limits",
    "StatementStoreContract": "statement_stores",
    "StoppedClock": "ledgers",
}
__all__ = [*sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    # Only then does a failing assertion in a suite tell the values that it compared.
    modules = (f"{__name__}.{module.name}" for module in iter_modules(__path__))
    pytest.register_assert_rewrite(*(module for module in modules if module not in sys.modules))
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
