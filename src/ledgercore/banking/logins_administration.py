"""Logins, as their users see them: listed, disconnected, synchronised when asked for."""

from collections.abc import Callable
from uuid import UUID

from attrs import frozen

from ledgercore.banking.banks import Integration
from ledgercore.banking.logins import BankLogin, LoginStatus
from ledgercore.banking.policies import can_list_bank_accounts, can_view_account
from ledgercore.banking.ports import Store, Work
from ledgercore.banking.records import login_audited, login_event
from ledgercore.banking.runs import bank_of
from ledgercore.banking.sync_jobs import enqueue_sync
from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, BusinessRuleError, NotFoundError
from ledgercore.errors.catalog import (
    BANK_LOGIN_NOT_FOUND,
    BANK_NOT_CONNECTED,
    BRANCH_NOT_FOUND,
    INSUFFICIENT_PERMISSIONS,
)
from ledgercore.identity.access import Caller
from ledgercore.identity.audit import Actor
from ledgercore.identity.principals import Principal
from ledgercore.ids import TimeOrderedIds
from ledgercore.pages import Page, check_limit, decode_cursor, page_of


@frozen(kw_only=True)
class BankLoginAdministration:
    """Lists, disconnects and synchronises logins. Another's login is as one that is not there."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def get(self, id: UUID, *, by: Caller) -> BankLogin:
        """A login; raises `bank_login_not_found`."""
        with self.store.begin() as work:
            return existing_login(work, id, by)

    def add_by_hand(self, user_id: UUID, branch_id: UUID, username: str, *, actor: Actor) -> BankLogin:
        """A login that is not connected, for accounts that are kept by hand; the one there is, if there is one.

        Raises `invalid_bank` and `branch_not_found`.
        """
        now = self.clock()
        login = BankLogin(
            id=TimeOrderedIds(self.random_bytes).one(now),
            user_id=user_id,
            bank_branch_id=branch_id,
            username=username,
            status=LoginStatus.INACTIVE,
            inserted_at=now,
            updated_at=now,
        )
        with self.store.begin() as work:
            if work.banks.find_branch(branch_id) is None:
                raise NotFoundError(BRANCH_NOT_FOUND, bank_branch_id=branch_id)
            found = work.bank_logins.find_same(user_id, branch_id, username)
            if found is not None:
                return found
            work.bank_logins.add(login)
            work.audit.append(login_audited("bank_login_added", login, actor))
        return login

    def page(
        self, *, by: Caller, user_id: UUID | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[BankLogin]:
        """Logins in the order they were begun: one's own, or for admins, support and operators those of any user.

        Raises `insufficient_permissions`.
        """
        owner_id = user_id or (by.user_id if isinstance(by, Principal) else None)
        if not can_list_bank_accounts(by, owner_id):
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, user_id=owner_id)
        after = None if cursor is None else decode_cursor("bank_logins", cursor, UUID)[0]
        with self.store.begin() as work:
            found = work.bank_logins.list_of(owner_id, after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "bank_logins", lambda login: (str(login.id),))

    def disconnect(self, id: UUID, *, by: Caller, actor: Actor) -> BankLogin:
        """Forget a login's tokens and plans; what is known of its accounts stays. Raises `bank_login_not_found`."""
        with self.store.begin() as work:
            login = existing_login(work, id, by)
            if login.status is LoginStatus.INACTIVE and login.sealed_tokens is None:
                return login
            ended = login.disconnected(now=self.clock())
            work.bank_logins.save(ended)
            work.events.publish_all([login_event("disconnected", ended)])
            work.audit.append(login_audited("bank_login_disconnected", ended, actor))
        return ended

    def request_sync(self, id: UUID, *, by: Caller, actor: Actor) -> UUID:
        """Leave a synchronisation to the workers and give the job's id; within 300 seconds it is the same job.

        Raises `bank_login_not_found` and `bank_not_connected`.
        """
        with self.store.begin() as work:
            login = existing_login(work, id, by)
            if login.status is not LoginStatus.ACTIVE:
                raise BusinessRuleError(BANK_NOT_CONNECTED, bank_login_id=id, status=login.status)
            return enqueue_sync(work, login, correlation_id=actor.correlation_id)

    def hear(self, id: UUID, *, correlation_id: str | None = None) -> None:
        """Somebody says that something happened at the bank: look for ourselves, if there is such a login.

        Nothing of what was said is believed, and nothing is told to whoever said it.
        """
        with self.store.begin() as work:
            login = work.bank_logins.find(id)
            # Other banks count how often we look, and nobody else shall use that up.
            is_told_of = login is not None and bank_of(work, login).integration is Integration.MONZO
            if login is not None and is_told_of and login.status is LoginStatus.ACTIVE:
                enqueue_sync(work, login, correlation_id=correlation_id)


def existing_login(work: Work, id: UUID, by: Caller) -> BankLogin:
    """A login that the caller may see, locked; raises `bank_login_not_found`."""
    login = work.bank_logins.find(id)
    if login is None or not can_view_account(by, login.user_id):
        raise NotFoundError(BANK_LOGIN_NOT_FOUND, bank_login_id=id)
    return login
