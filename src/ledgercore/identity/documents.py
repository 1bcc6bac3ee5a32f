"""Users, tokens, members and audit entries as JSON documents; no password, hash or digest is in any of them."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from ledgercore.identity.audit import AuditEntry
from ledgercore.identity.ledger_administration import LedgerOf
from ledgercore.identity.memberships import Membership
from ledgercore.identity.service_token_administration import IssuedToken
from ledgercore.identity.service_tokens import ServiceToken
from ledgercore.identity.signing_in import SignedIn
from ledgercore.identity.users import User, UserCounts, UserStatus
from ledgercore.ledger.documents import present


def user_document(user: User) -> dict[str, Any]:
    """A user. `verified` is false for everybody: nothing here has ever checked that an address is somebody's."""
    return {
        **_summary(user),
        "active": user.is_active,
        "verified": False,
        "suspended": user.status is UserStatus.SUSPENDED,
        "deleted": user.status is UserStatus.DELETED,
        "inserted_at": user.inserted_at.isoformat(),
        "updated_at": user.updated_at.isoformat(),
    }


def user_counts_document(counts: UserCounts) -> dict[str, int]:
    """How many users there are."""
    return {
        "total_users": counts.total,
        "active_users": counts.active,
        "admin_users": counts.admins,
        "suspended_users": counts.suspended,
    }


def position_document(position: tuple[datetime, UUID] | None) -> dict[str, str] | None:
    """Where a slice of users ends, as `keyset_attrs` reads it."""
    return position and {"inserted_at": position[0].isoformat(), "id": str(position[1])}


def tokens_document(signed_in: SignedIn) -> dict[str, str]:
    """A new pair of tokens."""
    return {"access_token": signed_in.access_token, "refresh_token": signed_in.refresh_token}


def signed_in_document(signed_in: SignedIn) -> dict[str, Any]:
    """A new pair of tokens, and whose they are."""
    return {**tokens_document(signed_in), "user": _summary(signed_in.user)}


def service_token_document(token: ServiceToken) -> dict[str, Any]:
    """A service token without its key; without `ledgers` it opens all of its owner's."""
    return present(
        id=str(token.id),
        owner_id=str(token.owner_id),
        name=token.name,
        shown=token.shown,
        scopes=sorted(token.scopes),
        ledgers=None if token.ledgers is None else sorted(token.ledgers),
        issued_at=token.issued_at.isoformat(),
        expires_at=_text(token.expires_at),
        revoked_at=_text(token.revoked_at),
        last_used_at=_text(token.last_used_at),
    )


def issued_token_document(issued: IssuedToken) -> dict[str, Any]:
    """A new service token with its key, the only time it is shown."""
    return {**service_token_document(issued.token), "key": issued.key}


def membership_document(membership: Membership) -> dict[str, str]:
    """What a user is to a ledger."""
    return {
        "ledger": membership.ledger,
        "user_id": str(membership.user_id),
        "access": membership.access.value,
        "granted_at": membership.granted_at.isoformat(),
    }


def ledger_document(ledger: LedgerOf) -> dict[str, Any]:
    """A ledger in a list, with the access of whoever asks, if it is a member's."""
    name, access = ledger
    return present(ledger=name, access=access and access.value)


def audit_document(entry: AuditEntry) -> dict[str, Any]:
    """An audit entry: what was recorded, and its place in the chain.

    `root` is the leaf hash of the canonical JSON of everything else but `head`.
    """
    return {**json.loads(entry.body), "root": entry.log.root.hex(), "head": entry.log.head.hex()}


def _summary(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role.value,
        "status": user.status.value,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
