"""How subjects stand, from what is kept in memory."""

from collections.abc import Container

from ledgercore.identity.principals import Standing, Subject
from ledgercore_memory.identity.state import State


def standing_of(state: State, subject: Subject, ledgers: Container[str]) -> Standing:
    """What is known of a subject."""
    token, user_id = None, subject.user_id
    if subject.token_digest is not None:
        token = next((token for token in state.tokens.values() if token.digest == subject.token_digest), None)
        user_id = None if token is None else token.owner_id
    user = None if user_id is None else state.users.get(user_id)
    session = None if subject.session_id is None else state.sessions.get(subject.session_id)
    if user is None or session is None or session.user_id != user.id:
        session = None
    ledger = subject.ledger if subject.ledger in ledgers else None
    member = None if user is None or ledger is None else state.members.get((ledger, user.id))
    return Standing(
        user_id=None if user is None else user.id,
        email=None if user is None else user.email,
        role=None if user is None else user.role,
        status=None if user is None else user.status,
        session_expires_at=None if session is None else session.expires_at,
        session_revoked_at=None if session is None else session.revoked_at,
        token=token,
        ledger_exists=ledger is not None,
        access=None if member is None else member.access,
    )
