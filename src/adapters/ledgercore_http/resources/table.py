"""All tables of routes, in the order of the document."""

from typing import Final

from ledgercore_http.resources import (
    accounts,
    audit,
    auth,
    batches,
    events,
    health,
    holds,
    ledgers,
    members,
    problems,
    profile,
    proofs,
    reports,
    service_tokens,
    transactions,
    users,
)
from ledgercore_http.routes import Routes

TABLES: Final[tuple[Routes, ...]] = (
    auth.ROUTES,
    users.ROUTES,
    profile.ROUTES,
    service_tokens.ROUTES,
    ledgers.ROUTES,
    members.ROUTES,
    accounts.ROUTES,
    transactions.ROUTES,
    holds.ROUTES,
    batches.ROUTES,
    reports.ROUTES,
    events.ROUTES,
    proofs.ROUTES,
    audit.ROUTES,
    problems.ROUTES,
    health.ROUTES,
)
