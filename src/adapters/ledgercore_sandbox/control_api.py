"""The bank's levers over HTTP, for its own machine only."""

import ipaddress
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from ledgercore_sandbox.books import State, UnknownName
from ledgercore_sandbox.calls import Answer, Call, Refusal, Route
from ledgercore_sandbox.control import Control
from ledgercore_sandbox.faults import FAULTS, FaultKind

WHOLE_MAX: Final = 10**9


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
