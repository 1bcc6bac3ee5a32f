"""Connecting a login: the user is sent to the bank with a state and a challenge, and comes back with a code."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.banking.banks import Bank, BankStatus, Integration
from ledgercore.banking.logins import SYNC_FREQUENCY_SECONDS, BankLogin, LoginStatus
from ledgercore.banking.observations import Permission
from ledgercore.banking.ports import PendingConsent, Work
from ledgercore.banking.records import login_audited, login_event
from ledgercore.banking.runs import Surroundings, bank_of, is_with_us
from ledgercore.banking.sync_jobs import enqueue_sync
from ledgercore.errors import BusinessRuleError, NotFoundError, ValidationError, shortened
from ledgercore.errors.catalog import (
    BANK_LOGIN_NOT_FOUND,
    BANK_NOT_CONNECTED,
    BRANCH_NOT_FOUND,
    CONSENT_DENIED,
    INVALID_CONSENT_STATE,
    MISSING_FIELDS,
)
from ledgercore.identity.audit import Actor
from ledgercore.identity.principals import Principal
from ledgercore.ledger.documents import id_from, parse_json
from ledgercore.ledger.texts import encode_json

SECRET_BYTES: Final = 32
GOOD_FOR: Final = timedelta(minutes=10)
"""How long a user may take to agree."""
CONSENT_LIFETIMES: Final = {Integration.MONZO: timedelta(days=90), Integration.BERLIN_GROUP: timedelta(days=180)}
"""After how long users must agree anew (PSD2)."""
CODE_LENGTH_MAX: Final = 4_096


@frozen(kw_only=True)
class Wish:
    """What a user wants to connect, and where the bank wants to see them for it; not stored yet."""

    user_id: UUID
    branch_id: UUID
    username: str
    sync_frequency_seconds: int | None
    permission: Permission = field(repr=False)


@frozen(kw_only=True)
class Begun:
    """A login that is being connected, and the address where its user has to go."""

    login: BankLogin
    authorization_url: str = field(repr=False)


@frozen(kw_only=True)
class BankConnecting:
    """Connects logins. What speaks with banks is apart from what stores, and never inside a unit of work."""

    around: Surroundings

    def ask(self, attrs: Mapping[str, Any], *, by: Principal, user_address: str | None = None) -> Wish:
        """Ask a bank where the user has to go; `attrs` have bank_branch_id, username and maybe sync_frequency.

        Raises `missing_fields`, `invalid_uuid_format`, `invalid_bank`, `branch_not_found`, `bank_not_connected` for a
        bank that cannot be connected to, and what banks raise.
        """
        branch_id = id_from(attrs.get("bank_branch_id"), field="bank_branch_id")
        username, frequency = attrs.get("username"), attrs.get("sync_frequency")
        if branch_id is None or username is None:
            missing = "username" if branch_id else "bank_branch_id"
            raise ValidationError(MISSING_FIELDS, field=missing, fields=[missing])
        now = self.around.clock()
        # Whatever is wrong with these is found before the bank is asked.
        _login(by.user_id, branch_id, username, frequency, now=now, id=self.around.new_id(now))
        with self.around.store.begin() as work:
            bank = _bank_of_branch(work, branch_id)
        if bank.status is not BankStatus.ACTIVE:
            raise BusinessRuleError(BANK_NOT_CONNECTED, bank_id=bank.id, why="the bank is not active")
        client = self.around.client_of(bank)
        asking = client.begin_consent(state=self._secret(), verifier=self._secret(), now=now, user_address=user_address)
        return Wish(
            user_id=by.user_id,
            branch_id=branch_id,
            username=username,
            sync_frequency_seconds=frequency,
            permission=self.around.exchanges.run(asking, bank=bank.code),
        )

    def begin(self, wish: Wish, *, actor: Actor) -> Begun:
        """Store that a user is being sent to a bank; the state is good once, for ten minutes."""
        permission, now = wish.permission, self.around.clock()
        id = self.around.new_id(now)
        new = _login(wish.user_id, wish.branch_id, wish.username, wish.sync_frequency_seconds, now=now, id=id)
        with self.around.store.begin() as work:
            found = work.bank_logins.find_same(new.user_id, new.bank_branch_id, new.username)
            if found is None:
                work.bank_logins.add(new)
            login = found or new
            consent = PendingConsent(
                state_digest=digest_of(permission.state), bank_login_id=login.id, sealed=b"", expires_at=now + GOOD_FOR
            )
            needed = encode_json({"verifier": permission.verifier, "extra": permission.extra})
            sealed = self.around.sealer.seal(needed, context=consent.context)
            work.bank_logins.add_consent(evolve(consent, sealed=sealed))
            work.audit.append(login_audited("bank_login_connecting", login, actor))
        return Begun(login=login, authorization_url=permission.url)

    def finish(
        self, *, state: object, code: object = None, refusal: object = None, by: Principal | None = None, actor: Actor
    ) -> BankLogin:
        """Turn what a user came back with into tokens, and have the login synchronised.

        The state is used up by this, whatever comes of it. `refusal` is the bank's code for not letting us in; `by` is
        who came back, where that is known. Raises `invalid_consent_state`, `consent_denied`, and what banks raise.
        """
        login, bank, consent = self._take(state, by)
        if refusal is not None or not isinstance(code, str) or not 1 <= len(code) <= CODE_LENGTH_MAX:
            raise BusinessRuleError(CONSENT_DENIED, bank_login_id=login.id, bank_code=shortened(refusal or "no code"))
        needed = parse_json(self.around.sealer.open(consent.sealed, context=consent.context))
        asking = self.around.client_of(bank).finish_consent(
            code=code, verifier=needed["verifier"], extra=needed["extra"], now=self.around.clock()
        )
        tokens = self.around.exchanges.run(asking, bank=bank.code)
        with self.around.store.begin() as work:
            now = self.around.clock()
            found = work.bank_logins.find(login.id)
            if found is None:
                raise NotFoundError(BANK_LOGIN_NOT_FOUND, bank_login_id=login.id)
            connected = evolve(
                found.with_tokens(tokens, sealer=self.around.sealer, now=now),
                consent_expires_at=now + CONSENT_LIFETIMES[bank.integration],
                next_sync_at=now,
                last_run_at=None,
                run=None,
            )
            work.bank_logins.save(connected)
            # A job from before, which may have found no way in, does not do for this one.
            enqueue_sync(work, connected, correlation_id=actor.correlation_id, unique_for=timedelta())
            work.events.publish_all([login_event("connected", connected)])
            work.audit.append(login_audited("bank_login_connected", connected, actor))
        return connected

    def _take(self, state: object, by: Principal | None) -> tuple[BankLogin, Bank, PendingConsent]:
        if not isinstance(state, str) or not state:
            raise ValidationError(INVALID_CONSENT_STATE, field="state")
        with self.around.store.begin() as work:
            consent = work.bank_logins.take_consent(digest_of(state))
            login = None if consent is None else work.bank_logins.find(consent.bank_login_id)
            bank = None if login is None or not is_with_us(work, login) else bank_of(work, login)
        if consent is None or login is None or bank is None or consent.expires_at <= self.around.clock():
            raise ValidationError(INVALID_CONSENT_STATE, field="state")
        if by is not None and by.user_id != login.user_id:
            raise ValidationError(INVALID_CONSENT_STATE, field="state", why="another user has begun")
        return login, bank, consent

    def _secret(self) -> str:
        return urlsafe_b64encode(self.around.random_bytes(SECRET_BYTES)).rstrip(b"=").decode()


def digest_of(state: str) -> bytes:
    """What a state is found by: it is random, so a plain digest keeps it."""
    return hashlib.sha256(state.encode("utf-8", "backslashreplace")).digest()


def _login(
    user_id: UUID, branch_id: UUID, username: Any, frequency: int | None, *, now: datetime, id: UUID
) -> BankLogin:
    return BankLogin(
        id=id,
        user_id=user_id,
        bank_branch_id=branch_id,
        username=username,
        status=LoginStatus.INACTIVE,
        sync_frequency_seconds=SYNC_FREQUENCY_SECONDS if frequency is None else frequency,
        inserted_at=now,
        updated_at=now,
    )


def _bank_of_branch(work: Work, branch_id: UUID) -> Bank:
    branch = work.banks.find_branch(branch_id)
    bank = None if branch is None else work.banks.find(branch.bank_id)
    if bank is None:
        raise NotFoundError(BRANCH_NOT_FOUND, bank_branch_id=branch_id)
    return bank
