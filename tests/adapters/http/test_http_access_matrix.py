"""The access matrix: every route, asked by everybody who could ask, against one table.

A new route fails until it has an entry in `RULES`, and so does an entry whose route has gone.
"""

import hmac
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from attrs import evolve

from ledgercore.events.received import Provider
from ledgercore.identity.access import LEDGER_READ, PUBLIC, Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.principals import Principal
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import Role
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import stored_account, stored_login
from ledgercore.testing.events_webhooks import delivery_to, endpoint_of
from ledgercore.testing.ledgers import EUR, MONDAY, StoppedClock
from ledgercore.testing.payments_people import payment, stored_payments
from ledgercore.testing.statement_imports import said, statement
from ledgercore_http import Service, create_app
from ledgercore_http.access_page import render_access
from ledgercore_http.docs_pages import ASSETS_PATH, DOCUMENT_PATHS, REDOC_PATHS, SWAGGER_PATHS
from ledgercore_http.resources.live_updates import SOCKET_PATH, STREAM_PATH
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Route, Routes
from ledgercore_http.schemas.banking import BANK_ASKED_EXAMPLE, BRANCH_ASKED_EXAMPLE
from ledgercore_http.serving import PREFIXES

RULES = {
    "login": "public",
    "refresh": "public",
    "logout": "public",
    "logout_all": "session",
    "me": "bearer profile:read",
    "validate": "bearer profile:read",
    "register_user": "public",
    "create_user": "admin users:write",
    "list_users": "admin users:read",
    "list_users_by_keyset": "admin users:read",
    "count_users": "admin users:read",
    "get_user": "admin users:read",
    "update_user": "admin users:write",
    "delete_user": "admin users:write",
    "get_profile": "bearer profile:read",
    "update_profile": "session",
    "change_password": "session",
    "issue_token": "bearer tokens:write",
    "list_tokens": "bearer tokens:write",
    "revoke_token": "bearer tokens:write",
    "get_ledger": "reader ledger:read",
    "replace_settings": "owner ledger:manage",
    "close_period": "owner ledger:manage",
    "create_ledger": "bearer ledger:manage",
    "list_ledgers": "bearer ledger:read",
    "list_members": "owner ledger:manage",
    "grant_membership": "owner ledger:manage",
    "revoke_membership": "owner ledger:manage",
    "create_account": "writer ledger:write",
    "list_accounts": "reader ledger:read",
    "get_account": "reader ledger:read",
    "change_account": "writer ledger:write",
    "get_balance": "reader ledger:read",
    "list_balances": "reader ledger:read",
    "list_entries": "reader ledger:read",
    "create_transaction": "writer ledger:write",
    "list_transactions": "reader ledger:read",
    "get_transaction": "reader ledger:read",
    "reverse_transaction": "writer ledger:write",
    "create_hold": "writer ledger:write",
    "list_holds": "reader ledger:read",
    "get_hold": "reader ledger:read",
    "change_hold": "writer ledger:write",
    "capture_hold": "writer ledger:write",
    "void_hold": "writer ledger:write",
    "replace_hold": "writer ledger:write",
    "capture_hold_group": "writer ledger:write",
    "void_hold_group": "writer ledger:write",
    "create_batch": "writer ledger:write",
    "get_trial_balance": "reader ledger:read",
    "get_balance_sheet": "reader ledger:read",
    "get_income_statement": "reader ledger:read",
    "get_totals": "reader ledger:read",
    "list_events": "reader ledger:read",
    "get_head": "reader ledger:read",
    "prove_transaction": "reader ledger:read",
    "prove_any_record": "reader ledger:read",
    "prove_heads_consistent": "reader ledger:read",
    "import_statements": "writer ledger:write",
    "list_statements": "reader ledger:read",
    "get_statement": "reader ledger:read",
    "list_statement_lines": "reader ledger:read",
    "reconcile": "writer ledger:write",
    "list_suggestions": "reader ledger:read",
    "list_unmatched": "reader ledger:read",
    "list_matches": "reader ledger:read",
    "create_match": "writer ledger:write",
    "undo_match": "writer ledger:write",
    "prove_reconciliation": "reader ledger:read",
    "list_banks": "bearer banking:read",
    "create_bank": "admin banking:write",
    "get_bank": "bearer banking:read",
    "change_bank": "admin banking:write",
    "list_branches": "bearer banking:read",
    "create_branch": "admin banking:write",
    "connect_bank": "bearer banking:write",
    "finish_connecting": "public",
    "finish_connecting_as_user": "bearer banking:write",
    "list_bank_logins": "bearer banking:read",
    "get_bank_login": "bearer banking:read",
    "disconnect_bank": "bearer banking:write",
    "sync_bank_login": "bearer banking:write",
    "hear_monzo": "public",
    "list_bank_accounts": "bearer banking:read",
    "create_bank_account": "bearer banking:write",
    "get_bank_account": "bearer banking:read",
    "change_bank_account": "bearer banking:write",
    "list_bank_account_transactions": "bearer banking:read",
    "list_bank_findings": "bearer banking:read",
    "create_payment": "bearer payments:write",
    "list_payments": "bearer payments:read",
    "get_payment_stats": "bearer payments:read",
    "validate_payment": "bearer payments:read",
    "get_payment": "bearer payments:read",
    "get_payment_status": "bearer payments:read",
    "process_payment": "bearer payments:write",
    "return_payment": "admin payments:write",
    "cancel_payment": "bearer payments:write",
    "create_webhook": "bearer webhooks:write",
    "list_webhooks": "bearer webhooks:write",
    "get_webhook": "bearer webhooks:write",
    "change_webhook": "bearer webhooks:write",
    "remove_webhook": "bearer webhooks:write",
    "rotate_webhook_secret": "bearer webhooks:write",
    "list_deliveries": "bearer webhooks:write",
    "redeliver": "bearer webhooks:write",
    "replay_webhook": "bearer webhooks:write",
    "list_providers": "public",
    "take_payments_webhook": "public",
    "take_payments_status": "public",
    "take_banks_webhook": "public",
    "take_banks_sync": "public",
    "take_fraud_webhook": "public",
    "take_fraud_detection": "public",
    "list_jobs": "admin jobs:read",
    "count_jobs": "admin jobs:read",
    "get_job": "admin jobs:read",
    "retry_job": "admin jobs:write",
    "cancel_job": "admin jobs:write",
    "list_audit": "admin audit:read",
    "verify_audit": "admin audit:read",
    "list_problems": "public",
    "get_problem": "public",
    "list_problems_of_category": "public",
    "health": "public",
    "health_detailed": "public",
    "health_ready": "public",
    "health_live": "public",
    "metrics": "public",
    "metrics_health": "public",
}
"""Whom each route is for, and the scope that a service token needs besides."""

# Machines have a token with every scope, but for those without the one that the route asks for. Whoever is gone was an
# admin and an owner of the ledger.
ANSWERS = """
                            public  session  bearer  admin  reader  writer  owner
    anonymous               in      401      401     401    401     401     401
    stranger                in      in       in      403    404     404     404
    reader                  in      in       in      403    in      403     403
    writer                  in      in       in      403    in      in      403
    owner                   in      in       in      403    in      in      in
    support                 in      in       in      403    in      403     403
    admin                   in      in       in      in     in      403     in
    machine                 in      403      in      403    in      in      in
    machine_of_admin        in      403      in      in     in      403     in
    machine_without_scope   in      403      403     403    403     403     403
    admins_without_scope    in      403      403     403    403     403     403
    machine_bound_elsewhere in      403      in      403    404     404     404
    machine_of_suspended    in      403      403     403    403     403     403
    machine_revoked         in      401      401     401    401     401     401
    suspended               in      401      401     401    401     401     401
    deleted                 in      401      401     401    401     401     401
    logged_out              in      401      401     401    401     401     401
    expired                 in      401      401     401    401     401     401
"""
"""What each of them gets. 401 is without a good token, 404 a ledger that is as if it were not there."""

# A token that is bound to ledgers makes neither a ledger nor a token that is bound to none.
EXCEPTIONS = {
    "create_ledger": {"machine_bound_elsewhere": "403"},
    "issue_token": {"machine_bound_elsewhere": "403"},
}

PAGE = Path(__file__).parents[3] / "docs" / "access.md"
PASSWORD = "correct horse battery"
ROUTES = [route for table in TABLES for route in table.table]
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
_DOORS, *_ROWS = (line.split() for line in ANSWERS.strip().splitlines())
EVERYBODY = [name for name, *_ in _ROWS]
_GONE = ("suspended", "deleted", "logged_out", "expired")
_ROLES = {"support": "support", "admin": "admin", **dict.fromkeys(_GONE, "admin")}
_ACCESS = {"reader": LedgerAccess.READER, "writer": LedgerAccess.WRITER} | dict.fromkeys(
    ("owner", *_GONE), LedgerAccess.OWNER
)
_MACHINES = {
    "machine": "owner", "machine_of_admin": "admin", "machine_without_scope": "owner", "admins_without_scope": "admin",
    "machine_bound_elsewhere": "owner", "machine_of_suspended": "suspended", "machine_revoked": "owner",
}  # fmt: skip
_BOUND = {"machine_bound_elsewhere": ["elsewhere"]}
_numbers = itertools.count(1)


def expected(name: str) -> dict[str, str]:
    """What everybody gets from a route, by the tables."""
    door = _DOORS.index(RULES[name].partition(" ")[0])
    return {who: answers[door] for who, *answers in _ROWS} | EXCEPTIONS.get(name, {})


class Stage:
    """A ledger of its own with everybody who could ask for something there, and fresh things to ask for."""

    def __init__(self, service: Service, clock: StoppedClock) -> None:
        self.identity, self.bank, self.clock, self.number = service.identity, service.bank, clock, next(_numbers)
        self.shop = f"shop-{self.number}"
        self.identity.ledgers.create(
            self.shop, Settings(opening=Opening(on_first_use=True)), by=Operator(), actor=OPERATOR
        )
        self.ledger = Ledger(service.journals.journal(self.shop))
        self.posted = self.ledger.transfer(debit="assets:bank", credit="income:sales", amount=Money(50_000, EUR)).id
        self.ids = {who: self.register(who) for who in EVERYBODY if who not in ("anonymous", *_MACHINES)}
        for who, access in _ACCESS.items():
            self.grant(self.ids[who], access)
        self.bearers: dict[str, str | None] = {"anonymous": None, "expired": self.log_in("expired")}
        clock.forward(hours=1)
        self.bearers |= {who: self.log_in(who) for who in self.ids if who != "expired"}
        self.keys = {who: self.issue(owner, ledgers=_BOUND.get(who)) for who, owner in _MACHINES.items()}
        self.part_from_those_who_go()

    def register(self, who: str) -> Any:
        """Make a user; each has an email of their own."""
        user = {
            "email": f"{who}-{next(_numbers)}@example.com",
            "full_name": who,
            "password": PASSWORD,
            "password_confirmation": PASSWORD,
            "role": _ROLES.get(who, "user"),
        }
        return self.identity.users.create(user, by=Operator(), actor=OPERATOR).id

    def grant(self, user_id: Any, access: LedgerAccess = LedgerAccess.READER) -> None:
        with self.identity.store.begin() as work:
            work.members.grant(Membership(ledger=self.shop, user_id=user_id, access=access, granted_at=self.clock()))

    def sign_in(self, who: str) -> Any:
        return self.identity.sign_in.login(self.email(who), PASSWORD, actor=OPERATOR)

    def log_in(self, who: str) -> str:
        return str(self.sign_in(who).access_token)

    def email(self, who: str) -> str:
        return self.identity.users.get(self.ids[who], by=Operator()).email

    def issue(self, owner: str, *, without: str = "", ledgers: list[str] | None = None) -> Any:
        """A service token with every scope but one."""
        scopes = [scope for scope in Scope if scope != without]
        return self.identity.service_tokens.issue(
            by=Operator(), name="machine", scopes=scopes, ledgers=ledgers, owner_id=self.ids[owner], actor=OPERATOR
        )

    def part_from_those_who_go(self) -> None:
        """End what is to have ended by now; the clock has expired the rest."""
        self.bearers["logged_out"] = (session := self.sign_in("logged_out")).access_token
        self.identity.sign_in.logout(session.refresh_token, actor=OPERATOR)
        self.identity.users.update(self.ids["suspended"], {"status": "SUSPENDED"}, by=Operator(), actor=OPERATOR)
        self.identity.users.delete(self.ids["deleted"], by=Operator(), actor=OPERATOR)
        self.identity.service_tokens.revoke(self.keys["machine_revoked"].token.id, by=Operator(), actor=OPERATOR)

    def bearer(self, who: str, route: Route) -> str | None:
        """What somebody comes with; whoever lacks the scope has all the others."""
        if who not in _MACHINES:
            return self.bearers[who]
        if who.endswith("without_scope"):
            return str(self.issue(_MACHINES[who], without=RULES[route.name].partition(" ")[2]).key)
        return str(self.keys[who].key)

    def path(self, route: Route, who: str) -> str:
        """A path that leads to something: what a request may use up is made for it."""
        about = {"ledger": self.shop, "path": "assets:bank", "number": "1", "reason": "hold_expired"}
        about["category"] = "conflict"
        if "{id}" in route.path:
            about["id"] = str(self.thing(route, who))
        if "{delivery_id}" in route.path:
            about["delivery_id"] = str(self.delivery.id)
        if "{group}" in route.path:
            about["group"] = f"group-{next(_numbers)}"
            self.hold(group=about["group"])
        if "{user_id}" in route.path:
            newcomer = self.register("newcomer")
            about["user_id"] = str(newcomer)
            if route.method == "DELETE":
                self.grant(newcomer)
        query = f"?older={self.ledger.state().head.hex()}" if route.name == "prove_heads_consistent" else ""
        query = self.callback() if route.name == "finish_connecting" else query
        query = "?account=assets:bank" if route.name == "import_statements" else query
        return route.path.format(**about) + query

    def thing(self, route: Route, who: str) -> Any:
        """What the id of a route names."""
        if route.tag == "holds":
            expires_at = self.clock() + timedelta(seconds=1)
            hold = self.hold(expires_at=expires_at if route.name == "replace_hold" else None)
            if route.name == "replace_hold":
                self.clock.now = expires_at
            return hold
        owner = _MACHINES.get(who, who)
        owner = "owner" if owner in ("anonymous", *_GONE) else owner
        if route.tag == "webhooks":
            return self.webhook(owner)
        if route.tag == "banks":
            return self.branch().bank_id
        if route.tag == "bank logins":
            return self.bank_login(owner).id
        if route.tag == "bank accounts":
            return self.account(owner).id
        if route.tag == "payments":
            return self.payment(route, owner)
        if route.tag == "jobs":
            return self.job(dead=route.name == "retry_job")
        if route.tag == "statements":
            return self.match().id if route.name == "undo_match" else self.line().statement_id
        if route.tag == "tokens":
            return self.issue(owner).token.id
        return self.register("newcomer") if route.tag == "users" else self.posted

    def account(self, owner: str) -> Any:
        """A bank account of somebody."""
        found: Any = stored_account(self.bank.store, user=self.identity.users.get(self.ids[owner], by=Operator()))
        return found

    def bank_login(self, owner: str) -> Any:
        """A login of somebody."""
        return stored_login(self.bank.store, user=self.identity.users.get(self.ids[owner], by=Operator()))

    def branch(self) -> Any:
        """A branch of a bank that can be connected to."""
        banks, number = self.bank.banking.banks, next(_numbers)
        told = {**BANK_ASKED_EXAMPLE, "name": f"Bank {self.number} {number}", "code": f"BANK_{self.number}_{number}"}
        return banks.add_branch(banks.add(told, actor=OPERATOR).id, BRANCH_ASKED_EXAMPLE, actor=OPERATOR)

    def callback(self, who: str = "owner") -> str:
        """What a bank sends a user back with."""
        wanted = {"bank_branch_id": str(self.branch().id), "username": "alice01"}
        by = Principal(user_id=self.ids[who], email=self.email(who), role=Role.USER)
        wish = self.bank.banking.connecting.ask(wanted, by=by)
        self.bank.banking.connecting.begin(wish, actor=OPERATOR)
        return f"?code=a-code&state={wish.permission.state}"

    def payment(self, route: Route, owner: str) -> Any:
        """A payment of somebody; support, who may see and never process any, has one that is processed already."""
        made = payment(self.account(owner), "12.50", direction=Direction.CREDIT)
        stored_payments(self.bank.store, made)
        if route.name == "return_payment" or (route.name == "process_payment" and owner == "support"):
            self.bank.payments.processing.process(made.id, by=Operator(), actor=OPERATOR)
        return made.id

    def job(self, *, dead: bool) -> Any:
        """A job that waits or was given up."""
        with self.bank.store.begin() as work:
            [id] = work.jobs.enqueue([NewJob(kind="count_sheep")])
            waiting = work.jobs.find(id)
            assert waiting is not None
            if dead:
                work.jobs.save(evolve(waiting, state=JobState.DEAD, finished_at=self.clock()))
        return id

    def line(self) -> Any:
        """A line of a new statement, which brings as much as was posted at first."""
        entry = said("500.00", text=f"line {next(_numbers)}")
        [imported] = self.bank.statement_import.store_all(
            [statement(entry)], ledger=self.shop, account="assets:bank", file_name="f", actor=OPERATOR
        )
        return self.bank.statements.lines_of(self.shop, imported.record.id).items[0]

    def match(self) -> Any:
        """A match of a new line and a new transaction."""
        paid = self.ledger.transfer(debit="assets:bank", credit="income:sales", amount=Money(50_000, EUR)).id
        return self.bank.reconciler.match(
            self.shop, "assets:bank", lines=[(self.line().id, None)], transactions=[(paid, None)], actor=OPERATOR
        )

    def webhook(self, owner: str) -> Any:
        """A webhook of an owner, with one delivery."""
        endpoint = endpoint_of(self.identity.users.get(self.ids[owner], by=Operator()))
        self.delivery = delivery_to(endpoint)
        with self.bank.store.begin() as work:
            work.webhooks.add(endpoint)
            work.webhooks.add_deliveries([self.delivery])
        return endpoint.id

    def hold(self, **options: Any) -> Any:
        return self.ledger.hold(debit="assets:bank", credit="income:sales", amount=Money(12_000, EUR), **options).id

    def body(self, route: Route) -> Any:
        """The example of a route, with what is true here in place of what is made up."""
        if route.body is not None and isinstance(route.body.example, str):
            return route.body.example
        sent = dict(route.body.example) if route.body is not None else None
        if route.name == "create_match":
            sent = {"lines": [{"id": str(self.line().id)}], "transactions": [{"id": str(self.posted)}]}
        elif route.name == "login":
            sent = {"email": self.email("stranger"), "password": PASSWORD}
        elif route.name == "create_bank":
            number = f"{self.number}_{next(_numbers)}"
            sent = {**sent, "name": f"Bank {number}", "code": f"BANK_{number}"}  # type: ignore[dict-item]
        elif route.name == "connect_bank":
            sent = {**sent, "bank_branch_id": str(self.branch().id)}  # type: ignore[dict-item]
        elif route.name in ("refresh", "logout"):
            sent = {"refresh_token": self.sign_in("stranger").refresh_token}
        elif route.name == "change_password":
            sent = {**sent, "current_password": PASSWORD}  # type: ignore[dict-item]
        elif route.name in ("register_user", "create_user"):
            sent = {**sent, "email": f"somebody-{next(_numbers)}@example.com"}  # type: ignore[dict-item]
        return sent

    def ask(self, client: Any, route: Route, who: str, prefix: str = "/api/v1") -> Any:
        """Send somebody's request."""
        body = self.body(route)
        if route.name in ("create_payment", "validate_payment"):
            owner = _MACHINES.get(who, who)
            account = self.account("owner" if owner in ("anonymous", *_GONE) else owner)
            body = {**body, "user_bank_account_id": str(account.id)}
        if route.name == "finish_connecting_as_user":
            owner = _MACHINES.get(who, who)
            query = parse_qs(self.callback("owner" if owner in ("anonymous", *_GONE) else owner).lstrip("?"))
            body = {name: found for name, [found] in query.items()}
        if route.name == "create_bank_account":
            owner = _MACHINES.get(who, who)
            login = self.bank_login("owner" if owner in ("anonymous", *_GONE) else owner)
            body = {**body, "user_bank_login_id": str(login.id)}
        options: dict[str, Any] = {} if body is None else {"json": body}
        if isinstance(body, str):
            options = {"content": body, "headers": {"content-type": "text/plain"}}
        if route.name.startswith("take_"):
            content = json.dumps({**body, "timestamp": self.clock().isoformat()}).encode()
            signature = hmac.digest(self.bank.webhook_secrets[Provider.PAYMENTS][0].encode(), content, "sha256").hex()
            headers = {"content-type": "application/json", "x-webhook-signature": f"sha256={signature}"}
            options = {"content": content, "headers": headers}
        return client.as_(self.bearer(who, route)).request(route.method, prefix + self.path(route, who), **options)


def outcome(answer: Any, route: Route) -> str:
    """The class of an answer; one that no request of ours should get is told in full."""
    if answer.status_code == route.success.status:
        return "in"
    told = answer.status_code, answer.json()["code"]
    if told[0] == 401 or told[0] == 403 or told == (404, "ledger_not_found"):
        return str(told[0])
    # Somebody came first: what stands there already lets nobody's request pass twice.
    return "in" if told[0] in (409, 422) else f"{told} {answer.json()['details']}"


@pytest.fixture(scope="module")
def clock() -> StoppedClock:
    """The time of all tests of this module."""
    return StoppedClock(MONDAY)


@pytest.fixture(scope="module")
def service(open_service, clock) -> Iterator[Service]:
    """One service for all of them; each has a ledger and people of its own."""
    with open_service(clock) as service:
        yield service


@pytest.fixture(scope="module")
def anonymous(service, client_of) -> Iterator[Any]:
    app = create_app(service)
    yield client_of(app)
    app.drain()


@pytest.fixture
def stage(service, clock) -> Stage:
    return Stage(service, clock)


def matrix_of(client: Any, stage: Stage, route: Route) -> dict[str, str]:
    """What everybody gets from a route."""
    return {who: outcome(stage.ask(client, route, who), route) for who in EVERYBODY}


def test_every_route_has_a_rule_and_every_rule_a_route():
    assert list(RULES) == [route.name for route in ROUTES]


@EVERY_ROUTE
def test_route_lets_in_whom_it_is_for_and_nobody_else(anonymous, stage, route):
    assert matrix_of(anonymous, stage, route) == expected(route.name)


@EVERY_ROUTE
def test_whoever_is_let_in_succeeds(anonymous, stage, route):
    """Requests get as far as the success of the route, so that no refusal above was for another cause."""
    who = next(who for who, answer in expected(route.name).items() if answer == "in")

    answer = stage.ask(anonymous, route, who)

    assert answer.status_code == route.success.status, answer.text


@EVERY_ROUTE
def test_both_prefixes_are_one(anonymous, service, clock, route):
    answers = [
        [stage.ask(anonymous, route, who, prefix).status_code for who in ("anonymous", "owner")]
        for prefix in PREFIXES
        for stage in [Stage(service, clock)]
    ]

    assert answers[0] == answers[1]


def test_nothing_is_served_beside_the_table_but_documentation_and_live_updates(anonymous):
    documentation = [*SWAGGER_PATHS, *REDOC_PATHS, *DOCUMENT_PATHS, f"{ASSETS_PATH}/{{name:str}}"]
    live = {("GET", prefix + STREAM_PATH) for prefix in PREFIXES} | {
        ("socket", prefix + SOCKET_PATH) for prefix in PREFIXES
    }
    served = {
        (method, route.path)
        for route in anonymous.app._app.routes
        for method in getattr(route, "methods", ()) or ["socket"]
        if method != "OPTIONS"
    }

    in_table = {(route.method, prefix + route.path.replace("}", ":str}")) for route in ROUTES for prefix in PREFIXES}
    assert served == in_table | live | {("GET", path) for path in documentation}


def tables_under(access: Any) -> list[Routes]:
    """The tables of routes under other rules."""
    changed = []
    for table in TABLES:
        changed.append(Routes(table.tag, table.description))
        changed[-1].table = [evolve(route, access=access(route)) for route in table.table]
    return changed


@pytest.fixture(scope="module")
def with_rules(service, client_of) -> Iterator[Any]:
    """A client of the same service under other rules: `with_rules(lambda route: PUBLIC)`."""
    apps = []

    def make(access: Any) -> Any:
        apps.append(create_app(service, tables_under(access)))
        return client_of(apps[-1])

    yield make
    for app in apps:
        app.drain()


@pytest.fixture(scope="module")
def opened(with_rules) -> Any:
    """A client of an application that has forgotten every rule."""
    return with_rules(lambda route: PUBLIC)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.access is not PUBLIC], ids=lambda route: route.name
)
def test_matrix_notices_a_rule_that_is_gone(opened, stage, route):
    found = {who: stage.ask(opened, route, who) for who in ("anonymous", "machine_without_scope")}

    # Where a handler asks who it is that acts, nobody is an error of ours.
    assert any(
        answer.status_code == 500 or outcome(answer, route) != expected(route.name)[who]
        for who, answer in found.items()
    )


@pytest.mark.parametrize("name", ["create_transaction", "close_period"])
def test_matrix_notices_a_rule_that_asks_for_less(with_rules, stage, name):
    lowered = with_rules(lambda route: LEDGER_READ if route.name == name else route.access)
    [route] = [route for route in ROUTES if route.name == name]

    found = matrix_of(lowered, stage, route)

    wrong = {who for who, answer in expected(name).items() if found[who] != answer}
    assert {"reader", "support"} <= wrong
    assert wrong.isdisjoint({"anonymous", "owner", "stranger"})


def test_page_of_the_documentation_is_the_table():
    """The page in docs is never older than the code.

    Renew it by writing what `render_access` returns to that file.
    """
    assert PAGE.read_text(encoding="utf-8") == render_access(TABLES)


@EVERY_ROUTE
def test_page_of_the_documentation_tells_what_the_matrix_found(route):
    [line] = [line for line in render_access(TABLES).splitlines() if f"`{route.method} {route.path}`" in line]
    told = dict(zip(("anonymous", "stranger", *EVERYBODY[2:7]), line.split(" | ")[1:-1], strict=True))

    assert {who: answer.replace("yes", "in") for who, answer in told.items()} == {
        who: expected(route.name)[who] for who in told
    }
