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
    jobs,
    ledgers,
    members,
    payments,
    problems,
    profile,
    proofs,
    provider_webhooks,
    reports,
    service_tokens,
    statements,
    transactions,
    users,
    webhook_endpoints,
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
    statements.ROUTES,
    payments.ROUTES,
    webhook_endpoints.ROUTES,
    provider_webhooks.ROUTES,
    jobs.ROUTES,
    audit.ROUTES,
    problems.ROUTES,
    health.ROUTES,
)
