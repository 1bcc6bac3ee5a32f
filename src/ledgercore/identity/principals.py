"""Principals: who acts in a request, and how they stand at its moment."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.service_tokens import Scope, ServiceToken
from ledgercore.identity.users import Role, UserStatus


@frozen(kw_only=True)
class Subject:
    """What a request says of itself: a session that a token was signed for, or the digest of a service token.

    `ledger` is the ledger that it is about, if any.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    token_digest: bytes | None = None
    ledger: str | None = None


@frozen(kw_only=True)
class Standing:
    """What the store knows of a subject now; what it does not find is `None`.

    A service token stands for its owner, whoever else the subject names; a session counts only for its own user.
    """

    user_id: UUID | None = None
    email: str | None = None
    role: Role | None = None
    status: UserStatus | None = None
    session_expires_at: datetime | None = None
    session_revoked_at: datetime | None = None
    token: ServiceToken | None = None
    ledger_exists: bool = False
    access: LedgerAccess | None = None


@frozen(kw_only=True)
class Principal:
    """Who acts: a user in a session, or a service token for its owner with no more than its scopes."""

    user_id: UUID
    email: str
    role: Role
    session_id: UUID | None = None
    token_id: UUID | None = None
    scopes: frozenset[Scope] | None = None
    ledgers: frozenset[str] | None = None

    def has_scope(self, scope: Scope) -> bool:
        """Whether the principal's token, if it is one of a machine, covers this."""
        return self.scopes is None or scope in self.scopes

    def covers_ledger(self, ledger: str) -> bool:
        """Whether the principal's token, if it is bound to ledgers, names this one."""
        return self.ledgers is None or ledger in self.ledgers

    @property
    def kind(self) -> str:
        """`user` or `service`."""
        return "user" if self.token_id is None else "service"

    @property
    def name(self) -> str:
        """The principal as the audit log, rate limits and kept answers name it."""
        return f"user:{self.user_id}" if self.token_id is None else f"token:{self.token_id}"
