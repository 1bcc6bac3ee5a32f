"""Ledgers and who is what in them: creating, granting, revoking, listing."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, BusinessRuleError, NotFoundError
from ledgercore.errors.catalog import INSUFFICIENT_PERMISSIONS, LAST_OWNER, MEMBER_NOT_FOUND
from ledgercore.identity.access import LEDGER_MANAGE, Caller, bearer, check_access
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.memberships import check_access as read_access
from ledgercore.identity.policies import can_name_ledger_exactly, can_read_ledger
from ledgercore.identity.ports import IdentityStore, Work
from ledgercore.identity.principals import Principal, Standing
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.user_changes import existing_user
from ledgercore.identity.users import Role
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.names import check_ledger_name
from ledgercore.pages import Page, check_limit, decode_cursor, page_of

ENDING_LENGTH: Final = 10
_ENDING_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""32 letters and digits of which no two look alike: i, l, o and u are left out."""

LedgerOf: TypeAlias = tuple[str, LedgerAccess | None]
"""A ledger's name and the access that a user has to it."""


@frozen(kw_only=True)
class LedgerAdministration:
    """Creates ledgers and decides about their members."""

    store: IdentityStore
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def create(self, name: str, settings: Settings | None = None, *, by: Caller, actor: Actor) -> str:
        """Start a ledger whose owner is whoever creates it; returns its full name.

        Admins and operators name it exactly. Others get `-` and ten random characters after their name, so that
        nobody learns which names are taken. Raises `invalid_ledger_name`, also when the full name is too long,
        `ledger_already_exists`, and `insufficient_permissions` for a token that is bound to ledgers.
        """
        check_ledger_name(name)
        if isinstance(by, Principal):
            check_access(bearer(Scope.LEDGER_MANAGE), by)
            if by.ledgers is not None:
                raise AuthorizationError(INSUFFICIENT_PERMISSIONS, ledgers=by.ledgers)
            if not can_name_ledger_exactly(by):
                name = check_ledger_name(f"{name}-{self._ending()}")
        with self.store.begin() as work:
            work.ledgers.create(name, settings)
            if isinstance(by, Principal):
                work.members.grant(self._membership(name, by.user_id, LedgerAccess.OWNER))
            work.audit.append(AuditEvent(action="ledger_created", actor=actor, target=f"ledger:{name}"))
        return name

    def grant(self, ledger: str, user_id: UUID, access: object, *, by: Caller, actor: Actor) -> Membership:
        """Give a user an access to a ledger, in place of an earlier one.

        Raises `invalid_access`, `ledger_not_found`, `insufficient_permissions`, `user_not_found`, and `last_owner`
        when the only owner would become less than one.
        """
        membership = self._membership(ledger, user_id, read_access(access))
        with self.store.begin() as work:
            members = _managed(work, by, ledger)
            existing_user(work, user_id)
            if membership.access is not LedgerAccess.OWNER:
                _check_owner_remains(members, user_id)
            work.members.grant(membership)
            work.audit.append(_event("member_granted", ledger, actor, user_id=user_id, access=membership.access))
        return membership

    def revoke(self, ledger: str, user_id: UUID, *, by: Caller, actor: Actor) -> None:
        """Take a user's access away.

        Raises `ledger_not_found`, `insufficient_permissions`, `member_not_found` and `last_owner`.
        """
        with self.store.begin() as work:
            _check_owner_remains(_managed(work, by, ledger), user_id)
            if not work.members.revoke(ledger, user_id):
                raise NotFoundError(MEMBER_NOT_FOUND, ledger=ledger, user_id=user_id)
            work.audit.append(_event("member_revoked", ledger, actor, user_id=user_id))

    def members(self, ledger: str, *, by: Caller) -> Sequence[Membership]:
        """Who is what in a ledger, by user id; raises `ledger_not_found` and `insufficient_permissions`."""
        with self.store.begin() as work:
            return _managed(work, by, ledger)

    def page(
        self, *, by: Caller, everybodys: bool = False, cursor: str | None = None, limit: int = 100
    ) -> Page[LedgerOf]:
        """Ledgers by name: one's own, or `everybodys` for operators, admins and support.

        A token that is bound to ledgers sees those of them that its owner is a member of. Raises
        `insufficient_permissions`.
        """
        check_limit(limit)
        after = "" if cursor is None else decode_cursor("ledgers", cursor, str)[0]
        with self.store.begin() as work:
            found = _ledgers_of(work, by, everybodys=everybodys, after=after, limit=limit + 1)
        return page_of(found, limit, "ledgers", lambda each: (each[0],))

    def _membership(self, ledger: str, user_id: UUID, access: LedgerAccess) -> Membership:
        return Membership(ledger=ledger, user_id=user_id, access=access, granted_at=self.clock())

    def _ending(self) -> str:
        return "".join(_ENDING_ALPHABET[byte & 31] for byte in self.random_bytes(ENDING_LENGTH))


def _managed(work: Work, by: Caller, ledger: str) -> Sequence[Membership]:
    """The members of a ledger that the caller may manage, locked."""
    work.ledgers.journal(ledger)
    members = work.members.list_in(ledger)
    if isinstance(by, Principal):
        access = next((member.access for member in members if member.user_id == by.user_id), None)
        check_access(LEDGER_MANAGE, by, Standing(ledger_exists=True, access=access), ledger)
    return members


def _check_owner_remains(members: Sequence[Membership], leaving: UUID) -> None:
    owners = {member.user_id for member in members if member.access is LedgerAccess.OWNER}
    if owners == {leaving}:
        raise BusinessRuleError(LAST_OWNER, user_id=leaving)


def _ledgers_of(work: Work, by: Caller, *, everybodys: bool, after: str, limit: int) -> Sequence[LedgerOf]:
    if not isinstance(by, Principal):
        return work.members.list_of(None, after=after, limit=limit)
    if everybodys and not can_read_ledger(by, None):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, role=Role.SUPPORT)
    if by.ledgers is not None:
        memberships = [work.members.find(name, by.user_id) for name in sorted(by.ledgers) if name > after]
        return [(found.ledger, found.access) for found in memberships if found is not None][:limit]
    return work.members.list_of(None if everybodys else by.user_id, after=after, limit=limit)


def _event(action: str, ledger: str, actor: Actor, **details: object) -> AuditEvent:
    return AuditEvent(action=action, actor=actor, target=f"ledger:{ledger}", details=details)
