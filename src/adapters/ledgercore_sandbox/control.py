"""Making things happen at the bank: transactions, settlements, faults, time. For its own machine only."""

import ipaddress
from datetime import datetime
from typing import Any, Final

from attrs import asdict, field, frozen

from ledgercore_sandbox.bank import SandboxBank
from ledgercore_sandbox.books import Brand, Row, State, UnknownName
from ledgercore_sandbox.calls import Answer, Call, Refusal, Route
from ledgercore_sandbox.faults import FAULTS, Fault, FaultKind
from ledgercore_sandbox.generating import to_milliseconds
from ledgercore_sandbox.monzo_documents import created_event

WHOLE_MAX: Final = 10**9


@frozen
class Control:
    """The bank's levers, safe to use from any thread beside the server."""

    bank: SandboxBank

    def fault(self, kind: str, *, times: int = 1, path: str = "/", seconds: int = 1) -> None:
        """Let something go wrong `times`, on paths that start with `path`; kinds are those of `FAULTS`."""
        with self.bank.lock:
            fault = Fault(kind=FaultKind(kind), times=times, path=path, seconds=seconds)
            self.bank.faults.waiting.append(fault)

    def faults(self) -> list[dict[str, Any]]:
        """What is still to go wrong."""
        with self.bank.lock:
            return [asdict(fault) for fault in self.bank.faults.waiting]

    def clear_faults(self) -> None:
        """Let all be well again."""
        with self.bank.lock:
            self.bank.faults.waiting.clear()

    def make_transaction(
        self,
        account_id: str,
        *,
        amount_minor: int,
        description: str = "Made by hand",
        booked: bool = False,
        counterparty: str | None = None,
        end_to_end_id: str | None = None,
        created_at: datetime | None = None,
    ) -> str:
        """Write a transaction, pending unless it is booked at once; its id. Raises `UnknownName`."""
        with self.bank.lock:
            account, now = self.bank.books.account(account_id), to_milliseconds(self.bank.clock())
            row = Row(
                id=self.bank.names.row(account.brand),
                account_id=account_id,
                amount_minor=amount_minor,
                description=description,
                counterparty=counterparty,
                end_to_end_id=end_to_end_id,
                created_at=to_milliseconds(created_at or now),
                state=State.BOOKED if booked else State.PENDING,
                booked_at=to_milliseconds(created_at or now) if booked else None,
            )
            self.bank.books.write(row)
            self.bank.webhooks.tell(account_id, created_event(row, account.currency))
            return row.id

    def settle(
        self,
        row_id: str,
        *,
        amount_minor: int | None = None,
        new_id: str | None = None,
        booked_at: datetime | None = None,
    ) -> str:
        """Book a pending transaction, perhaps at another amount, id or time; its id. Raises `UnknownName`."""
        with self.bank.lock:
            at = to_milliseconds(booked_at or self.bank.clock())
            return self.bank.books.settle(row_id, amount_minor=amount_minor, new_id=new_id, booked_at=at).id

    def decline(self, row_id: str, *, reason: str = "INSUFFICIENT_FUNDS") -> None:
        """Turn a pending transaction down; raises `UnknownName`."""
        with self.bank.lock:
            self.bank.books.decline(row_id, reason=reason)

    def accounts(self) -> list[dict[str, Any]]:
        """Every account with its true balance and the number of its transactions."""
        with self.bank.lock:
            return [
                {
                    "id": account.id,
                    "bank": account.brand.value,
                    "customer_id": account.customer_id,
                    "iban": account.iban,
                    "currency": account.currency,
                    "opening_minor": account.opening_minor,
                    **asdict(self.bank.books.balance(account.id)),
                    "transactions": sum(1 for _ in self.bank.books.rows(account.id)),
                }
                for account in self.bank.books.accounts.values()
            ]

    def transactions(self, account_id: str) -> list[dict[str, Any]]:
        """Every transaction of an account as it is now, in the order of creation; raises `UnknownName`."""
        with self.bank.lock:
            self.bank.books.account(account_id)
            return [
                {
                    "id": row.id,
                    "amount_minor": row.amount_minor,
                    "state": row.state.value,
                    "description": row.description,
                    "created_at": row.created_at.isoformat(),
                    "booked_at": row.booked_at and row.booked_at.isoformat(),
                }
                for row in self.bank.books.rows(account_id)
            ]

    def advance(self, seconds: int) -> datetime:
        """Let time pass at the bank; the time it then is."""
        with self.bank.lock:
            self.bank.clock.advance(seconds)
            return self.bank.clock()

    def approve(self) -> None:
        """Let every customer approve in the app what they said they would approve later."""
        with self.bank.lock:
            for customer_id in self.bank.books.customers:
                for brand in Brand:
                    for grant in self.bank.grants[brand].of_customer(customer_id):
                        grant.is_approved = True
                for consent in self.bank.consents.of_customer(customer_id):
                    if consent.status == "received":
                        self.bank.consents.move(consent, "valid")

    def revoke(self, customer_id: str) -> None:
        """Let a customer take back all that they allowed."""
        with self.bank.lock:
            for brand in Brand:
                for grant in self.bank.grants[brand].of_customer(customer_id):
                    self.bank.grants[brand].revoke(grant)
            for consent in self.bank.consents.of_customer(customer_id):
                self.bank.consents.move(consent, "revokedByPsu")


@frozen
class ControlApi:
    """Answers requests under `/control`, with JSON both ways."""

    control: Control
    prefix: str = field(default="/control", init=False)

    def routes(self) -> list[Route]:
        """Every method and path that there is."""
        routes = [
            Route("GET", "/control/faults", self.list_faults),
            Route("POST", "/control/faults", self.add_fault),
            Route("DELETE", "/control/faults", self.clear_faults),
            Route("GET", "/control/accounts", self.list_accounts),
            Route("GET", "/control/accounts/{account_id}/transactions", self.list_transactions),
            Route("POST", "/control/transactions", self.make_transaction),
            Route("POST", "/control/settle", self.settle),
            Route("POST", "/control/decline", self.decline),
            Route("POST", "/control/clock/advance", self.advance),
            Route("POST", "/control/approve", self.approve),
            Route("POST", "/control/revoke", self.revoke),
        ]
        return [Route(route.method, route.path, _local(route)) for route in routes]

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """A refusal as this API tells it."""
        return Answer(status=refusal.status, document={"error": str(refusal)})

    def refusal_of(self, status: int, text: str) -> Refusal:
        """A refusal for a status alone."""
        return Refusal(status, "", text)

    def list_faults(self, call: Call) -> Answer:
        """What is to go wrong, and what may."""
        kinds = {kind.value: text for kind, text in FAULTS.items()}
        return Answer(document={"faults": self.control.faults(), "kinds": kinds})

    def add_fault(self, call: Call) -> Answer:
        """Let something go wrong."""
        told = _told(call)
        kind = told.text("kind")
        if kind not in list(FaultKind):
            raise Refusal(400, "", f"kind is one of {', '.join(FaultKind)}")
        path = told.text("path", "/")
        self.control.fault(kind, times=told.whole("times", 1), path=path, seconds=told.whole("seconds", 1))
        return Answer(status=201, document={"faults": self.control.faults()})

    def clear_faults(self, call: Call) -> Answer:
        """Let all be well again."""
        self.control.clear_faults()
        return Answer(document={"faults": []})

    def list_accounts(self, call: Call) -> Answer:
        """Every account with its true balance."""
        return Answer(document={"accounts": self.control.accounts()})

    def list_transactions(self, call: Call) -> Answer:
        """The truth about an account."""
        return Answer(document={"transactions": self.control.transactions(call.parameters["account_id"])})

    def make_transaction(self, call: Call) -> Answer:
        """Write a transaction."""
        told = _told(call)
        row_id = self.control.make_transaction(
            told.text("account_id"),
            amount_minor=told.whole("amount"),
            description=told.text("description", "Made by hand"),
            booked=told.text("state", "pending") == State.BOOKED.value,
            counterparty=told.maybe_text("counterparty"),
            end_to_end_id=told.maybe_text("end_to_end_id"),
            created_at=told.maybe_moment("date"),
        )
        return Answer(status=201, document={"id": row_id})

    def settle(self, call: Call) -> Answer:
        """Book a pending transaction."""
        told = _told(call)
        row_id = self.control.settle(
            told.text("id"),
            amount_minor=told.whole("amount") if "amount" in told.document else None,
            new_id=told.maybe_text("new_id"),
            booked_at=told.maybe_moment("date"),
        )
        return Answer(document={"id": row_id})

    def decline(self, call: Call) -> Answer:
        """Turn a pending transaction down."""
        told = _told(call)
        self.control.decline(told.text("id"), reason=told.text("reason", "INSUFFICIENT_FUNDS"))
        return Answer(document={"id": told.text("id")})

    def advance(self, call: Call) -> Answer:
        """Let time pass."""
        return Answer(document={"now": self.control.advance(_told(call).whole("seconds")).isoformat()})

    def approve(self, call: Call) -> Answer:
        """Let customers approve in the app."""
        self.control.approve()
        return Answer(document={})

    def revoke(self, call: Call) -> Answer:
        """Let a customer take back what they allowed."""
        self.control.revoke(_told(call).text("customer_id"))
        return Answer(document={})


@frozen
class _Told:
    """A JSON object and its fields, checked as they are read; raises `Refusal`."""

    document: dict[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.document.get(name, default)
        if not isinstance(value, str):
            raise Refusal(400, "", f"{name} is missing or no text")
        return value

    def maybe_text(self, name: str) -> str | None:
        return None if self.document.get(name) is None else self.text(name)

    def whole(self, name: str, default: int | None = None) -> int:
        value = self.document.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > WHOLE_MAX:
            raise Refusal(400, "", f"{name} is missing or no whole number")
        return value

    def maybe_moment(self, name: str) -> datetime | None:
        if self.document.get(name) is None:
            return None
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise Refusal(400, "", f"{name} is no RFC 3339 time")
        return moment


def _told(call: Call) -> _Told:
    try:
        document = call.document
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refusal(400, "", "a JSON object is wanted")
    return _Told(document)


def _local(route: Route) -> Any:
    """Let only this machine pull the levers."""

    def answer(call: Call) -> Answer:
        try:
            is_local = ipaddress.ip_address(call.peer).is_loopback
        except ValueError:
            is_local = False
        if not is_local:
            raise Refusal(403, "", "only from the machine that the sandbox runs on")
        try:
            return route.answer(call)
        except UnknownName as error:
            raise Refusal(404, "", f"nothing that fits is named {error}") from error

    return answer
