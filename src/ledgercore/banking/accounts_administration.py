"""Bank accounts, as their owners see them: opened, listed, changed, closed; what is in them the ledger says."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.accounts import AccountStatus, AccountType, BankAccount
from ledgercore.banking.findings import Finding
from ledgercore.banking.ledger_accounts import ensure_ledger, limits_of, open_ledger_account
from ledgercore.banking.logins_administration import existing_login
from ledgercore.banking.normalizers import NAME_LENGTH_MAX, bank_account_attrs, bank_account_update_attrs
from ledgercore.banking.policies import (
    can_list_bank_accounts,
    can_set_status,
    can_update_bank_account,
    can_view_account,
)
from ledgercore.banking.ports import Work
from ledgercore.banking.runs import Surroundings
from ledgercore.errors import AuthorizationError, BusinessRuleError, NotFoundError, ValidationError, shortened
from ledgercore.errors.catalog import (
    ACCOUNT_INACTIVE,
    ACCOUNT_NOT_EMPTY,
    ACCOUNT_NOT_FOUND,
    INSUFFICIENT_PERMISSIONS,
    INVALID_ACCOUNT_NAME_FORMAT,
    INVALID_ACCOUNT_TYPE,
    INVALID_ARGUMENT,
    INVALID_STATUS,
    MISSING_FIELDS,
)
from ledgercore.ibans import check_iban
from ledgercore.identity.access import Caller
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role
from ledgercore.ledger.commands import ChangeAccount
from ledgercore.ledger.documents import id_from
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.queries import AccountEntry
from ledgercore.money import Money
from ledgercore.money.currency import ISO
from ledgercore.money.parsing import parse_amount
from ledgercore.pages import Page, check_limit, decode_cursor, page_of

EXTERNAL_ID_LENGTH_MAX: Final = 50


@frozen(kw_only=True)
class AccountWithBalance:
    """An account and what is posted in it."""

    account: BankAccount
    balance: Money


@frozen(kw_only=True)
class BankAccountAdministration:
    """Opens, lists and changes accounts. Another's account is as one that is not there. `ledger` is the bank's."""

    around: Surroundings
    ledger: str

    def add(self, attrs: object, *, by: Principal, actor: Actor) -> AccountWithBalance:
        """Open an account of a login of the caller's own, here and in the ledger.

        Raises `missing_fields`, `invalid_uuid_format`, `invalid_currency_format`, `invalid_account_type`,
        `invalid_account_name_format`, `invalid_argument`, `invalid_iban`, `bank_login_not_found`,
        `account_already_linked`.
        """
        given = bank_account_attrs(attrs)
        _check_given(given, "currency", "account_type", "account_name", "user_bank_login_id")
        login_id = id_from(given["user_bank_login_id"], field="user_bank_login_id")
        assert login_id is not None
        now = self.around.clock()
        currency = ISO.get(given["currency"])
        account = BankAccount(
            id=self.around.new_id(now),
            user_id=by.user_id,
            user_bank_login_id=login_id,
            currency=currency.code,
            account_type=_account_type(given["account_type"]),
            account_name=_account_name(given["account_name"]),
            status=AccountStatus.ACTIVE,
            inserted_at=now,
            updated_at=now,
            last_four=_digits(given.get("last_four")),
            external_account_id=_external_id(given.get("external_account_id")),
            iban=None if given.get("iban") is None else check_iban(str(given["iban"])),
        )
        with self.around.store.begin() as work:
            login = existing_login(work, login_id, by)
            account = evolve(account, user_id=login.user_id)
            work.accounts.add(account)
            open_ledger_account(work, self.ledger, account)
            work.audit.append(_event("bank_account_created", account, actor))
        return AccountWithBalance(account=account, balance=Money.zero(currency))

    def get(self, id: UUID, *, by: Caller) -> AccountWithBalance:
        """An account with its balance; raises `account_not_found`."""
        with self.around.store.begin() as work:
            account = _visible(work.accounts.find(id), id, by)
            return self._with_balances(work, [account])[0]

    def list_of(self, *, by: Caller, user_id: UUID | None = None) -> Sequence[AccountWithBalance]:
        """One's own accounts, or for admins, support and operators those of a user, or of all.

        Raises `insufficient_permissions`.
        """
        owner_id = user_id or (by.user_id if isinstance(by, Principal) else None)
        if not can_list_bank_accounts(by, owner_id):
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, user_id=owner_id)
        with self.around.store.begin() as work:
            return self._with_balances(work, work.accounts.list_of(owner_id))

    def change(self, id: UUID, attrs: object, *, by: Caller, actor: Actor) -> AccountWithBalance:
        """Change an account's name or status; admins also the credit limit of a CREDIT account.

        Raises `account_not_found`, `missing_fields`, `insufficient_permissions`, `invalid_status`,
        `invalid_account_name_format`, `invalid_argument`, `account_inactive` for one that is closed or not imported
        yet, and `account_not_empty` for closing one with money in it.
        """
        named = {str(name) for name in attrs if attrs[name] is not None} if isinstance(attrs, Mapping) else set()
        given = {name: value for name, value in bank_account_update_attrs(attrs).items() if value is not None}
        with self.around.store.begin() as work:
            account = _visible(next(iter(work.accounts.lock([id])), None), id, by)
            if not given:
                raise ValidationError(MISSING_FIELDS, field="account_name", fields=["account_name", "status"])
            if not can_update_bank_account(by, account.user_id, named):
                raise AuthorizationError(INSUFFICIENT_PERMISSIONS, account_id=id)
            journal = ensure_ledger(work, self.ledger)
            changed = self._changed(account, given, by=by, journal=journal)
            if changed == account:
                return self._with_balances(work, [account])[0]
            changed = evolve(changed, updated_at=self.around.clock())
            work.accounts.save(changed)
            if limits_of(changed) != limits_of(account):
                [outcome] = journal.append([ChangeAccount(path=account.path, limits=limits_of(changed))])
                outcome.or_raise()
            [found] = self._with_balances(work, [changed])
            work.audit.append(_event("bank_account_updated", changed, actor, fields=sorted(given)))
        return found

    def entries(self, id: UUID, *, by: Caller, cursor: str | None = None, limit: int = 100) -> Page[AccountEntry]:
        """What moved an account, newest first, each with the balance after it; raises `account_not_found`."""
        with self.around.store.begin() as work:
            account = _visible(work.accounts.find(id), id, by)
            journal = ensure_ledger(work, self.ledger)
            if journal.find_account(account.path) is None:
                return Page(())
            return journal.list_entries(account.path, cursor=cursor, limit=check_limit(limit), newest_first=True)

    def findings(self, id: UUID, *, by: Caller, cursor: str | None = None, limit: int = 100) -> Page[Finding]:
        """What did not agree about an account, newest first; raises `account_not_found`."""
        before = None if cursor is None else decode_cursor("bank_findings", cursor, UUID)[0]
        with self.around.store.begin() as work:
            _visible(work.accounts.find(id), id, by)
            found = work.findings.list_before(id, before=before, limit=check_limit(limit) + 1)
        return page_of(found, limit, "bank_findings", lambda finding: (str(finding.id),))

    def _changed(self, account: BankAccount, given: Mapping[str, Any], *, by: Caller, journal: Journal) -> BankAccount:
        if account.status is AccountStatus.CLOSED:
            raise BusinessRuleError(ACCOUNT_INACTIVE, account_id=account.id, status=account.status)
        changes: dict[str, Any] = {}
        if "account_name" in given:
            changes["account_name"] = _account_name(given["account_name"])
        if "status" in given:
            changes["status"] = self._status(account, given["status"], by=by, journal=journal)
        if "credit_limit" in given:
            changes["credit_limit_minor"] = _credit_limit(account, given["credit_limit"], by)
        return evolve(account, **changes)

    def _status(self, account: BankAccount, value: object, *, by: Caller, journal: Journal) -> AccountStatus:
        status = _status(value)
        if status is account.status:
            return status
        if not can_set_status(by, account, status):
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, account_id=account.id, status=status)
        at = journal.find_account(account.path)
        if account.last_sync_at is None and (
            account.sync_cursor is not None or (at is not None and at.limits.minimum is None)
        ):
            # Before its first page there is no cursor yet; without limits in the ledger it is all the same.
            raise BusinessRuleError(ACCOUNT_INACTIVE, account_id=account.id, why="its past is still being imported")
        if status is AccountStatus.CLOSED and at is not None and at.balance.posted.minor:
            raise BusinessRuleError(ACCOUNT_NOT_EMPTY, account_id=account.id, balance=str(at.balance.posted))
        return status

    def _with_balances(self, work: Work, accounts: Sequence[BankAccount]) -> list[AccountWithBalance]:
        journal = ensure_ledger(work, self.ledger)
        found = journal.find_accounts([account.path for account in accounts]) if accounts else []
        return [
            AccountWithBalance(
                account=account,
                balance=Money.zero(ISO.get(account.currency)) if at is None else at.balance.posted,
            )
            for account, at in zip(accounts, found, strict=True)
        ]


def _visible(account: BankAccount | None, id: UUID, by: Caller) -> BankAccount:
    if account is None or not can_view_account(by, account.user_id):
        raise NotFoundError(ACCOUNT_NOT_FOUND, account_id=id)
    return account


def _check_given(attrs: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if attrs.get(name) in (None, "")]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)


def _account_type(value: object) -> AccountType:
    try:
        return AccountType(str(value))
    except ValueError as error:
        raise ValidationError(
            INVALID_ACCOUNT_TYPE, field="account_type", value=shortened(value), allowed=list(AccountType)
        ) from error


def _status(value: object) -> AccountStatus:
    try:
        return AccountStatus(str(value))
    except ValueError as error:
        raise ValidationError(
            INVALID_STATUS, field="status", value=shortened(value), allowed=list(AccountStatus)
        ) from error


def _account_name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_LENGTH_MAX or not value.isprintable():
        raise ValidationError(
            INVALID_ACCOUNT_NAME_FORMAT, field="account_name", value=shortened(value), why="1 to 100 characters"
        )
    return value


def _digits(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 4 or not (value.isascii() and value.isdecimal()):
        raise ValidationError(INVALID_ARGUMENT, field="last_four", value=shortened(value), why="4 digits")
    return value


def _external_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not (value.isascii() and value.isalnum()) or len(value) > EXTERNAL_ID_LENGTH_MAX:
        raise ValidationError(
            INVALID_ARGUMENT, field="external_account_id", value=shortened(value), why="1 to 50 letters and digits"
        )
    return value


def _credit_limit(account: BankAccount, value: object, by: Caller) -> int:
    if isinstance(by, Principal) and by.role is not Role.ADMIN:
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, role=Role.ADMIN)
    if account.account_type is not AccountType.CREDIT:
        raise ValidationError(INVALID_ARGUMENT, field="credit_limit", value=shortened(value), why="a CREDIT account")
    return parse_amount(str(value), ISO.get(account.currency))


def _event(action: str, account: BankAccount, actor: Actor, **details: object) -> AuditEvent:
    told = {"user_id": account.user_id, "account_type": account.account_type, "status": account.status, **details}
    return AuditEvent(action=action, actor=actor, target=f"account:{account.id}", details=told)
