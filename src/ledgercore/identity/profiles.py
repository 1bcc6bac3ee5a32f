"""What users see and change of themselves."""

from typing import Any

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthenticationError, AuthorizationError, ValidationError
from ledgercore.errors.catalog import (
    INSUFFICIENT_PERMISSIONS,
    INVALID_CREDENTIALS,
    INVALID_PASSWORD_FORMAT,
    MISSING_FIELDS,
)
from ledgercore.identity.access import SESSION, check_access
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.credentials import is_right, is_still_right
from ledgercore.identity.normalizers import password_attrs, user_update_attrs
from ledgercore.identity.passwords import check_new_password
from ledgercore.identity.policies import RESTRICTED, can_change_password
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.principals import Principal
from ledgercore.identity.secrets import PasswordHasher
from ledgercore.identity.user_changes import checked, decide_update, existing_user, given, store_change
from ledgercore.identity.users import User


@frozen(kw_only=True)
class Profiles:
    """Everybody's own user."""

    store: IdentityStore
    hasher: PasswordHasher
    clock: Clock

    def get(self, principal: Principal) -> User:
        """The user who asks; raises `user_not_found` for one who was deleted just now."""
        with self.store.begin() as work:
            return existing_user(work, principal.user_id)

    def update(self, principal: Principal, attrs: object, *, actor: Actor) -> User:
        """Change one's own name or email.

        Raises `missing_fields` when neither is given, `invalid_name_format`, `invalid_email_format`,
        `email_already_exists`, and `insufficient_permissions` for a role or status, an admin's own too.
        """
        check_access(SESSION, principal)
        sent = user_update_attrs(attrs)
        restricted = sorted(RESTRICTED & given(sent).keys())
        if restricted:
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, field=restricted[0], fields=restricted)
        changes = checked(sent, one_of=("full_name", "email"))
        with self.store.begin() as work:
            before = existing_user(work, principal.user_id)
            after = decide_update(before, changes, now=self.clock())
            store_change(work, before, after, actor=actor)
        return after

    def change_password(self, principal: Principal, attrs: object, *, actor: Actor) -> int:
        """Set another password and end every other session; returns how many ended.

        Raises `missing_fields`, `invalid_password_format` for one that is too weak, the same as before or not
        confirmed, and `invalid_credentials` when the current one is wrong.
        """
        check_access(SESSION, principal)
        sent = password_attrs(attrs)
        with self.store.begin() as work:
            user = existing_user(work, principal.user_id)
        current, new = _checked_passwords(sent, user)
        if not is_right(self.hasher, current, user.password_hash):
            raise AuthenticationError(INVALID_CREDENTIALS)
        hashed = self.hasher.hash(new)
        with self.store.begin() as work:
            seen, user = user.password_hash, existing_user(work, principal.user_id)
            if not is_still_right(self.hasher, current, seen=seen, now=user.password_hash):
                raise AuthenticationError(INVALID_CREDENTIALS)
            now = self.clock()
            work.users.save(evolve(user, password_hash=hashed, updated_at=now))
            ended = work.sessions.revoke_all(user.id, now=now, but=principal.session_id)
            work.audit.append(
                AuditEvent(
                    action="password_changed", actor=actor, target=f"user:{user.id}", details={"sessions": ended}
                )
            )
        return ended


def _checked_passwords(sent: dict[str, Any], user: User) -> tuple[object, str]:
    names = ("current_password", "new_password", "password_confirmation")
    missing = [name for name in names if sent.get(name) in (None, "")]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)
    current, new, confirmation = (sent[name] for name in names)
    if not can_change_password(current, new):
        raise ValidationError(INVALID_PASSWORD_FORMAT, field="new_password", why="it is the current one")
    try:
        return current, check_new_password(new, confirmation, role=user.role, email=user.email)
    except ValidationError as error:
        raise ValidationError(error.reason, **{**error.details, "field": "new_password"}) from error
