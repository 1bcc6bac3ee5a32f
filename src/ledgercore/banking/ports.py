"""What banking needs from a store."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import field, frozen

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.banks import Bank, Branch
from ledgercore.banking.exchange import Exchange, Result
from ledgercore.banking.findings import Finding, RowSums
from ledgercore.banking.logins import BankLogin
from ledgercore.banking.rows import BankRow
from ledgercore.statements.ports import Work as StatementsWork


@frozen(kw_only=True)
class PendingConsent:
    """A connection that a user has begun to make, found by the SHA-256 of its state.

    `sealed` is what the client needs to end it, sealed for `context`.
    """

    state_digest: bytes
    bank_login_id: UUID
    sealed: bytes = field(repr=False)
    expires_at: datetime

    @property
    def context(self) -> str:
        """The row and column that the rest is sealed for."""
        return f"bank_consents/{self.state_digest.hex()}/sealed"


class Banks(Protocol):
    """Banks and their branches."""

    def add(self, bank: Bank) -> None:
        """Store a new bank; raises `bank_already_exists`."""
        ...

    def find(self, id: UUID) -> Bank | None:
        """A bank, locked until the end of the unit of work."""
        ...

    def find_by_code(self, code: str) -> Bank | None:
        """The bank with a code; not locked."""
        ...

    def save(self, bank: Bank) -> None:
        """Replace a bank; raises `bank_already_exists`."""
        ...

    def list_after(self, id: UUID | None, *, limit: int) -> Sequence[Bank]:
        """At most `limit` banks after an id, by id."""
        ...

    def add_branch(self, branch: Branch) -> None:
        """Store a new branch; raises `branch_already_exists`."""
        ...

    def find_branch(self, id: UUID) -> Branch | None:
        """A branch; not locked."""
        ...

    def list_branches(self, bank_id: UUID) -> Sequence[Branch]:
        """The branches of a bank, by id."""
        ...


class BankLogins(Protocol):
    """Users' connections to banks."""

    def add(self, login: BankLogin) -> None:
        """Store a new login that its user, branch and username do not have yet."""
        ...

    def find(self, id: UUID) -> BankLogin | None:
        """A login, locked until the end of the unit of work."""
        ...

    def find_same(self, user_id: UUID, branch_id: UUID, username: str) -> BankLogin | None:
        """The login of a user at a branch under a username, locked until the end of the unit of work.

        While there is none, nobody else looks for the same until then.
        """
        ...

    def save(self, login: BankLogin) -> None:
        """Replace a login."""
        ...

    def list_of(self, user_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[BankLogin]:
        """At most `limit` logins of a user, or of all, after an id, by id."""
        ...

    def list_due(self, now: datetime, *, limit: int) -> Sequence[BankLogin]:
        """At most `limit` logins whose next synchronisation is due, the longest due first."""
        ...

    def add_consent(self, consent: PendingConsent) -> None:
        """Store a connection that has begun, in place of an earlier one of the same login."""
        ...

    def take_consent(self, state_digest: bytes) -> PendingConsent | None:
        """Find a connection that has begun and remove it: of simultaneous askers one gets it."""
        ...


class BankAccounts(Protocol):
    """Bank accounts of users."""

    def add(self, account: BankAccount) -> None:
        """Store a new account; raises `account_already_linked` for an external id that its login has already."""
        ...

    def find(self, id: UUID) -> BankAccount | None:
        """An account; not locked."""
        ...

    def lock(self, ids: Sequence[UUID]) -> Sequence[BankAccount]:
        """Those of the accounts that are there, by id, each locked until the end of the unit of work."""
        ...

    def save(self, account: BankAccount) -> None:
        """Replace an account."""
        ...

    def list_of(self, user_id: UUID | None, *, login_id: UUID | None = None) -> Sequence[BankAccount]:
        """The accounts of a user, or of all, and of one login if it is named; by id."""
        ...


class BankRows(Protocol):
    """What banks told of transactions. Whoever changes rows of an account has locked it."""

    def find_related(
        self, account_id: UUID, *, external_ids: Sequence[str], fingerprints: Sequence[bytes]
    ) -> Sequence[BankRow]:
        """Rows with one of the ids or, without an id, one of the fingerprints, and every pending row."""
        ...

    def find_linked(self, payment_ids: Sequence[UUID]) -> Sequence[BankRow]:
        """Rows that are one of these payments."""
        ...

    def save_all(self, rows: Sequence[BankRow]) -> None:
        """Store rows in place of those with the same ids, if there are any; in one trip."""
        ...

    def list_unseen(self, account_id: UUID, *, listing_id: UUID, since: datetime) -> Sequence[BankRow]:
        """Pending rows, and booked ones without an id, created since a time and not told of in a listing."""
        ...

    def sums(self, account_id: UUID) -> RowSums:
        """What the rows of an account come to."""
        ...

    def list_of(self, account_id: UUID, *, after: UUID | None, limit: int) -> Sequence[BankRow]:
        """At most `limit` rows of an account after an id, by id."""
        ...


class Findings(Protocol):
    """What did not agree."""

    def add_all(self, findings: Sequence[Finding]) -> None:
        """Store findings."""
        ...

    def find_difference(self, account_id: UUID) -> Finding | None:
        """The unresolved difference of balances of an account."""
        ...

    def save(self, finding: Finding) -> None:
        """Replace a finding."""
        ...

    def list_before(self, account_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Finding]:
        """At most `limit` findings of an account before an id, newest first."""
        ...


class Work(StatementsWork, Protocol):
    """A unit of work with banks."""

    @property
    def banks(self) -> Banks: ...
    @property
    def bank_logins(self) -> BankLogins: ...
    @property
    def accounts(self) -> BankAccounts: ...
    @property
    def bank_rows(self) -> BankRows: ...
    @property
    def findings(self) -> Findings: ...


class Store(Protocol):
    """Where banking is kept with everything else."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...


class Exchanges(Protocol):
    """Whoever holds conversations with banks."""

    def run(self, exchange: Exchange[Result], *, bank: str) -> Result:
        """Hold a conversation to its end; `bank` names whose circuit breaker guards it.

        Raises what the exchange raises, and what keeps answers from coming: `timeout`, `service_unavailable`,
        `circuit_open`.
        """
        ...
