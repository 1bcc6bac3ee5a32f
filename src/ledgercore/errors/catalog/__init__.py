"""Every reason for which this project refuses or fails, by theme.

`from ledgercore.errors.catalog import HOLD_EXPIRED` gives one; `CATALOG` gives all of them by code.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from ledgercore.errors.catalog import (
    bank,
    connections,
    events,
    identity,
    jobs,
    ledger,
    protocol,
    requests,
    statements,
    storage,
)
from ledgercore.errors.catalog.bank import *  # noqa: F403 - a hundred names would be listed twice
from ledgercore.errors.catalog.connections import *  # noqa: F403
from ledgercore.errors.catalog.events import *  # noqa: F403
from ledgercore.errors.catalog.identity import *  # noqa: F403
from ledgercore.errors.catalog.jobs import *  # noqa: F403
from ledgercore.errors.catalog.ledger import *  # noqa: F403
from ledgercore.errors.catalog.protocol import *  # noqa: F403
from ledgercore.errors.catalog.requests import *  # noqa: F403
from ledgercore.errors.catalog.statements import *  # noqa: F403
from ledgercore.errors.catalog.storage import *  # noqa: F403
from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason


def _reasons_in(*themes: ModuleType) -> Iterator[tuple[str, Reason]]:
    for theme in themes:
        for value in vars(theme).values():
            if isinstance(value, Reason):
                yield value.code, value


CATALOG: Final[Mapping[str, Reason]] = MappingProxyType(
    dict(_reasons_in(protocol, requests, ledger, storage, identity, bank, connections, statements, jobs, events))
)


def find_reason(code: str) -> Reason | None:
    """The reason with this code, or `None`."""
    return CATALOG.get(code)


def reasons_of(category: Category) -> tuple[Reason, ...]:
    """All reasons of a category, in the order of the catalog."""
    return tuple(reason for reason in CATALOG.values() if reason.category is category)
