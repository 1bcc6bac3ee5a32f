"""How many subjects stand now, by one statement that looks each of them up by its keys."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from psycopg import Cursor

from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.principals import Standing, Subject
from ledgercore.identity.service_tokens import Scope, ServiceToken
from ledgercore.identity.users import Role, UserStatus
from ledgercore_postgres.parameters import Blobs, Texts, Uuids

# A session is looked up by its id alone, so that no other index can seem as good, and must then be the user's.
_STANDINGS: Final = (
    "SELECT person.id, person.email, person.role, person.status, login.expires_at, login.revoked_at,"
    " book.ledger_id IS NOT NULL, member.access, token.id, token.name, token.shown, token.scopes, token.ledgers,"
    " token.issued_at, token.expires_at, token.revoked_at, token.last_used_at"
    " FROM unnest(%b, %b, %b, %b) WITH ORDINALITY AS subject (user_id, session_id, digest, ledger, place)"
    " LEFT JOIN LATERAL (SELECT * FROM service_tokens WHERE digest = subject.digest LIMIT 1) AS token ON true"
    " LEFT JOIN LATERAL (SELECT id, email, role, status FROM users WHERE id ="
    " CASE WHEN subject.digest IS NULL THEN subject.user_id ELSE token.owner_id END LIMIT 1) AS person ON true"
    " LEFT JOIN LATERAL (SELECT user_id, expires_at, revoked_at FROM sessions WHERE id = subject.session_id LIMIT 1)"
    " AS login ON login.user_id = person.id"
    " LEFT JOIN LATERAL (SELECT ledger_id FROM ledgers WHERE name = subject.ledger LIMIT 1) AS book ON true"
    " LEFT JOIN LATERAL (SELECT access FROM memberships WHERE ledger_id = book.ledger_id AND user_id = person.id"
    " LIMIT 1) AS member ON true"
    " ORDER BY subject.place"
)
# By value, since calling an enumeration takes longer than the rest of a row.
_ROLES: Final = {role.value: role for role in Role}
_STATUSES: Final = {status.value: status for status in UserStatus}
_ACCESSES: Final = {access.value: access for access in LedgerAccess}
_SCOPES: Final = {scope.value: scope for scope in Scope}


def read_standings(cursor: Cursor[Any], subjects: Sequence[Subject]) -> list[Standing]:
    """How each subject stands, in the order given."""
    cursor.execute(
        _STANDINGS,
        (
            Uuids(None if subject.user_id is None else subject.user_id.bytes for subject in subjects),
            Uuids(None if subject.session_id is None else subject.session_id.bytes for subject in subjects),
            Blobs(subject.token_digest for subject in subjects),
            Texts(_name(subject.ledger) for subject in subjects),
        ),
    )
    return [_standing(subject, row) for subject, row in zip(subjects, cursor.fetchall(), strict=True)]


def _name(ledger: str | None) -> str:
    """A ledger's name as a database can take it; what cannot be a name becomes another that none has."""
    return ledger if ledger is not None and ledger.isascii() and "\x00" not in ledger else ""


def _standing(subject: Subject, row: Sequence[Any]) -> Standing:
    user_id, email, role, status, expires_at, revoked_at, ledger_exists, access, token_id, *token = row
    return Standing(
        user_id=user_id,
        email=email,
        role=_ROLES.get(role),
        status=_STATUSES.get(status),
        session_expires_at=expires_at,
        session_revoked_at=revoked_at,
        token=None if token_id is None else _token(subject, user_id, token_id, *token),
        ledger_exists=ledger_exists,
        access=_ACCESSES.get(access),
    )


def _token(
    subject: Subject,
    owner_id: Any,
    id: Any,
    name: str,
    shown: str,
    scopes: Iterable[str],
    ledgers: Iterable[str] | None,
    issued_at: Any,
    expires_at: Any,
    revoked_at: Any,
    last_used_at: Any,
) -> ServiceToken:
    assert subject.token_digest is not None
    return ServiceToken(
        id=id,
        owner_id=owner_id,
        name=name,
        shown=shown,
        digest=subject.token_digest,
        scopes=frozenset(_SCOPES[scope] for scope in scopes),
        ledgers=ledgers,
        issued_at=issued_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
        last_used_at=last_used_at,
    )
