"""Making things happen at the bank: transactions, settlements, faults, time."""

from datetime import datetime
from typing import Any

from attrs import asdict, frozen

from ledgercore_sandbox.bank import SandboxBank
from ledgercore_sandbox.books import Brand, Row, State
from ledgercore_sandbox.faults import Fault, FaultKind
from ledgercore_sandbox.generating import to_milliseconds
from ledgercore_sandbox.monzo_documents import created_event


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
