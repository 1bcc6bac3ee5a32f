"""The service is what its OpenAPI document says, whoever asks: schemathesis reads the document and tries the service.

Each role has a service and a ledger of its own, sends the examples of every operation and follows the links between
them. Boundaries and random data are tried by that role which gets furthest; with LEDGERCORE_LONG=1 by every role, and
with a hundred times as many random examples.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
import schemathesis
from attrs import evolve, field, frozen
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema

from ledgercore.bank import Bank
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import User
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings as LedgerSettings
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money
from ledgercore.testing.events_webhooks import delivery_to, endpoint_of
from ledgercore.testing.ledgers import EUR, MONDAY, StoppedClock
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore.testing.statement_imports import said, statement
from ledgercore_app.service import open_service
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_http import Service, create_app
from ledgercore_http.openapi import PATH_PARAMETERS
from ledgercore_http.resources.table import TABLES
from ledgercore_http.schemas.banking import BANK_ASKED_EXAMPLE, BRANCH_ASKED_EXAMPLE
from ledgercore_memory import MemoryStore
from ledgercore_telemetry import Metrics, Telemetry, configure_logs, tracing_from

pytestmark = pytest.mark.slow

LONG: Final = os.environ.get("LEDGERCORE_LONG", "") not in ("", "0")
EXAMPLES: Final = 300 if LONG else 3
CHAINS: Final = 1_000 if LONG else 10
PASSWORD: Final = "correct horse battery"
EXAMPLE_ID: Final = PATH_PARAMETERS["id"][2]
IN_DEPTH: Final[Mapping[str, tuple[str, ...]]] = {
    "anonymous": ("auth", "health", "problems", "provider webhooks"),
    "owner": ("books", "ledgers", "transactions", "holds", "profile", "statements", "payments"),
    "support": ("reports", "proofs", "events"),
    "admin": ("users", "audit", "jobs", "banks"),
    "machine": ("accounts", "batches", "tokens", "webhooks", "bank logins", "bank accounts"),
}
"""The tags whose operations a role tries with more than their examples."""

REFUSALS: Final = ["400", "401", "403", "404", "405", "408", "409", "413", "414", "415", "422", "429", "431"]
# There are rules that JSON Schema cannot tell, so data that fits the document may be refused: lines that do not
# balance, a currency that nobody registered, the cursor of no page, a time that has passed, a password too short for a
# role.
EXPECTED: Final[Mapping[str, list[str]]] = {
    "positive_data_acceptance": ["2xx", *REFUSALS],
    "negative_data_rejection": REFUSALS,
    "missing_required_header": REFUSALS,
}


OPERATIONS: Final = {f"{route.method} {route.path}" for table in TABLES for route in table.table}
CHECKS: Final = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
}


@frozen(kw_only=True)
class Tally:
    """What was tried, and what was not as it should be."""

    answers: Counter[int] = field(factory=Counter)
    operations: set[str] = field(factory=set)
    checks: Counter[str] = field(factory=Counter)
    failures: dict[tuple[str, str], str] = field(factory=dict)

    def add(self, event: Any) -> None:
        """Count what an event tells."""
        if isinstance(event, events.ScenarioFinished):
            self._add_scenario(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.failures[str(event.label), "error"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception

    def _add_scenario(self, recorder: Any) -> None:
        self.operations.update(node.value.operation.label for node in recorder.cases.values())
        answered = {case_id: each.response for case_id, each in recorder.interactions.items() if each.response}
        self.answers.update(response.status_code for response in answered.values())
        for case_id, checks in recorder.checks.items():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    failure, answer = check.failure_info.failure, answered.get(case_id)
                    content = None if answer is None else answer.content[:500]
                    told = f"{failure.message}\n{check.failure_info.code_sample}\n{content!r}"
                    self.failures.setdefault((failure.operation, check.name), told)

    def told(self) -> str:
        """Every failure: what was asked, what came back."""
        return "\n\n".join(f"{check}: {operation}\n{why}" for (operation, check), why in self.failures.items())

    def __str__(self) -> str:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        return (
            f"{self.answers.total()} requests to {len(self.operations)} operations, {self.checks.total()} checks of "
            f"{len(self.checks)} kinds, {len(self.failures)} failures; answers: {answers}"
        )


@frozen(kw_only=True)
class Caller:
    """Somebody of a role: a bearer token, a ledger, and the ids that the token would go with.

    `things` are ids of what is theirs, by the tag of its routes and by the field of a body that names it.
    """

    token: str | None
    ledger: str
    own_ids: frozenset[str]
    things: Mapping[str, str] = field(factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """What every request of theirs comes with."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


def caller_of(role: str, service: Service) -> Caller:
    """Somebody of a role; the owner's ledger is theirs, and so is that of the machine's owner."""
    identity, ledger = service.identity, f"shop-of-{role}"
    identity.ledgers.create(ledger, LedgerSettings(opening=Opening(on_first_use=True)), by=Operator(), actor=OPERATOR)
    if role == "anonymous":
        return Caller(token=None, ledger=ledger, own_ids=frozenset())
    person = {
        "email": f"{role}@example.com",
        "full_name": role,
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
        "role": role if role in ("support", "admin") else "user",
    }
    user = identity.users.create(person, by=Operator(), actor=OPERATOR)
    if role in ("owner", "machine"):
        with identity.store.begin() as work:
            work.members.grant(
                Membership(ledger=ledger, user_id=user.id, access=LedgerAccess.OWNER, granted_at=user.inserted_at)
            )
    if role == "machine":
        issued = identity.service_tokens.issue(
            by=Operator(), name="machine", scopes=list(Scope), ledgers=None, owner_id=user.id, actor=OPERATOR
        )
        token, own_ids = str(issued.key), frozenset({str(user.id), str(issued.token.id)})
    else:
        token = identity.sign_in.login(user.email, PASSWORD, actor=OPERATOR).access_token
        own_ids = frozenset({str(user.id)})
    things = {name: str(id) for name, id in things_of(user, service.bank, ledger).items()}
    return Caller(token=token, ledger=ledger, own_ids=own_ids, things=things)


def things_of(user: User, bank: Bank, ledger: str) -> dict[str, UUID]:
    """What the bank has for somebody: money, a payment, a webhook, a statement, a job that was given up."""
    account = funded_account(bank.store, "500", ledger=bank.ledger, user=user)
    waiting = payment(account)
    stored_payments(bank.store, waiting)
    of = bank.banking.banks.add({**BANK_ASKED_EXAMPLE, "name": "Another", "code": "ANOTHER"}, actor=OPERATOR)
    branch = bank.banking.banks.add_branch(of.id, BRANCH_ASKED_EXAMPLE, actor=OPERATOR)
    endpoint = endpoint_of(user)
    with bank.store.begin() as work:
        work.webhooks.add(endpoint)
        work.webhooks.add_deliveries([delivery_to(endpoint)])
        Ledger(work.ledgers.journal(ledger)).transfer(
            debit="assets:bank", credit="income:sales", amount=Money(12_000, EUR)
        )
        [job] = work.jobs.enqueue([NewJob(kind="count_sheep")])
        waiting_job = work.jobs.find(job)
        assert waiting_job is not None
        work.jobs.save(evolve(waiting_job, state=JobState.DEAD, finished_at=MONDAY))
    [imported] = bank.statement_import.store_all(
        [statement(said("120.00", text="a sale"))],
        ledger=ledger,
        account="assets:bank",
        file_name="march.sta",
        actor=OPERATOR,
    )
    return {
        "payments": waiting.id,
        "bank accounts": account.id,
        "bank logins": account.user_bank_login_id,
        "banks": of.id,
        "webhooks": endpoint.id,
        "statements": imported.record.id,
        "jobs": job,
        "user_bank_account_id": account.id,
        "user_bank_login_id": account.user_bank_login_id,
        "bank_branch_id": branch.id,
    }


@contextmanager
def serving() -> Iterator[Service]:
    """A service in memory that hashes passwords as cheaply as can be."""
    with (
        open(os.devnull, "w") as nowhere,
        open_service(
            "memory",
            settings=Settings(),
            service_settings=ServiceSettings(rate_limits="off", password_time_cost=1, password_memory_kib=8),
            telemetry=Telemetry(
                log=configure_logs(nowhere),
                metrics=Metrics(routes=(), version="test"),
                tracer=tracing_from(None, "test"),
            ),
            # However long it takes, no token expires meanwhile.
            clock=StoppedClock(MONDAY),
        ) as service,
    ):
        yield service


def plan_of(role: str, caller: Caller) -> SchemathesisConfig:
    """What schemathesis shall do as a role: all checks, all phases, nothing kept on disk."""
    plan: dict[str, Any] = {
        "cache": {"enabled": False},
        "auth": {"auto-signup": False},
        "generation": {"max-examples": EXAMPLES, "database": "none"},
        "phases": {
            "examples": {"fill-missing": True},
            "stateful": {"generation": {"max-examples": CHAINS}},
        },
        "operations": [],
        "checks": {name: {"expected-statuses": statuses} for name, statuses in EXPECTED.items()},
    }
    if caller.token is not None:
        plan["headers"] = caller.headers
        # It would end the session that asks.
        plan["operations"].append({"include-operation-id": "logout_all", "enabled": False})
    if not LONG:
        off = {"enabled": False}
        others = [tag for each, tags in IN_DEPTH.items() if each != role for tag in tags]
        plan["operations"].append({"include-tag": others, "phases": {"coverage": off, "fuzzing": off}})
    return SchemathesisConfig.from_dict(plan)


def lead(case: Any, caller: Caller, ledgers: Collection[str]) -> None:
    """Lead a case to something that is there, as far as it fits the document; what does not fit is left as it is."""

    def fits(location: ParameterLocation) -> bool:
        return case.meta is None or not case.meta.is_negative_at(location)

    path, body = case.path_parameters, case.body if isinstance(case.body, dict) else {}
    if fits(ParameterLocation.PATH):
        if "ledger" in path and path["ledger"] not in ledgers:
            path["ledger"] = caller.ledger
        if "path" in path:
            # It comes percent-encoded, and as such would no longer count as one that fits.
            path["path"] = unquote(path["path"])
        [tag] = case.operation.tags
        if path.get("id") == EXAMPLE_ID and tag in caller.things:
            path["id"] = caller.things[tag]
        if case.method != "GET":
            # Nobody ends the token that they come with, nor takes their own rights away.
            path |= {name: str(uuid4()) for name in ("id", "user_id") if path.get(name) in caller.own_ids}
    if fits(ParameterLocation.HEADER) and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
        if body.get("id") or body.get("key"):
            # A command has one name.
            del case.headers["Idempotency-Key"]
    if fits(ParameterLocation.BODY):
        body |= {name: caller.things[name] for name in body.keys() & caller.things.keys()}
        if "password_confirmation" in body:
            body["password_confirmation"] = body.get("new_password", body.get("password"))


@contextmanager
def leading(caller: Caller, service: Service) -> Iterator[None]:
    """Every case is led before it is sent; schemathesis has such a hook for all its schemas alone."""
    store = service.journals
    assert isinstance(store, MemoryStore)

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        lead(case, caller, store.names())

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


@pytest.fixture(scope="module")
def tallies() -> Iterator[dict[str, Tally]]:
    """What each role tried; told at the end."""
    found: dict[str, Tally] = {}
    yield found
    print("", *(f"{role}: {tally}" for role, tally in found.items()), sep="\n")


def test_every_tag_is_tried_in_depth_by_one_role():
    assert sorted(tag for tags in IN_DEPTH.values() for tag in tags) == sorted(table.tag for table in TABLES)


@pytest.mark.parametrize("role", IN_DEPTH)
def test_service_is_what_its_document_says(tallies, role):
    tally = tallies[role] = Tally()
    with serving() as service:
        caller = caller_of(role, service)
        app = create_app(service)
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=plan_of(role, caller))
        with leading(caller, service):
            for event in from_schema(schema).execute():
                tally.add(event)
        me = schema["/auth/me"]["GET"].Case().call(headers=caller.headers)
        app.drain()

    assert not tally.failures, tally.told()
    assert tally.checks.keys() >= CHECKS
    assert tally.operations == OPERATIONS - (set() if caller.token is None else {"POST /auth/logout-all"})
    assert me.status_code == (401 if caller.token is None else 200), "the run was cut short: it lost its own token"
