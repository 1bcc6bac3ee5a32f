"""From bearer tokens to principals."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError
from ledgercore.identity.authenticating import Authenticator
from ledgercore.identity.principals import Principal, Standing, Subject
from ledgercore.identity.secrets import Claims, TokenType
from ledgercore.identity.service_tokens import Scope, ServiceToken, digest_of, new_key, shown_of
from ledgercore.identity.users import Role, UserStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE, SESSION = UUID(int=1), UUID(int=2)
KEY = new_key("test", bytes(range(32)))
CLAIMS = Claims(
    token_id="t", user_id=ALICE, session_id=SESSION, type=TokenType.ACCESS, issued_at=NOON,
    expires_at=NOON + timedelta(minutes=15), email="old@example.com", role="admin",
)  # fmt: skip
TOKEN = ServiceToken(
    id=UUID(int=3), owner_id=ALICE, name="ci", shown=shown_of(KEY), digest=digest_of(KEY),
    scopes=frozenset({Scope.LEDGER_READ}), ledgers=("shop",), issued_at=NOON,
)  # fmt: skip
OF_SESSION = Subject(user_id=ALICE, session_id=SESSION)
OF_KEY = Subject(token_digest=digest_of(KEY))
ALIVE = Standing(
    user_id=ALICE, email="alice@example.com", role=Role.USER, status=UserStatus.ACTIVE,
    session_expires_at=NOON + timedelta(days=1),
)  # fmt: skip
KEY_ALIVE = evolve(ALIVE, session_expires_at=None, token=TOKEN)


class OneToken:
    """A signer that knows one token and counts how often it is asked."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, TokenType]] = []

    def sign(self, claims: Claims) -> str:
        raise AssertionError("nothing is signed here")

    def read(self, token: str, *, wanted: TokenType, now: datetime) -> Claims:
        self.reads.append((token, wanted))
        return CLAIMS


@pytest.fixture
def signer() -> OneToken:
    return OneToken()


@pytest.fixture
def authenticator(signer) -> Authenticator:
    return Authenticator(signer)


def code_of(authenticator: Authenticator, subject: Subject, standing: Standing, now: datetime = NOON) -> str:
    with pytest.raises(LedgercoreError) as caught:
        authenticator.principal_of(subject, standing, now)
    return caught.value.code


def test_session_token_is_read_as_an_access_token(authenticator, signer):
    subject = authenticator.subject_of("a.b.c", ledger="shop", now=NOON)

    assert subject == Subject(user_id=ALICE, session_id=SESSION, ledger="shop")
    assert signer.reads == [("a.b.c", TokenType.ACCESS)]


def test_key_is_looked_up_by_its_digest(authenticator, signer):
    assert authenticator.subject_of(KEY, ledger=None, now=NOON) == OF_KEY
    assert signer.reads == []


@pytest.mark.parametrize(
    "key", [KEY[:-1] + "x", KEY.swapcase(), KEY + "0", KEY[:-1], "lc_", "lc_test_" + "0" * 38, "lc_\ud800" + KEY]
)
def test_mistyped_key_is_refused_without_being_looked_up(authenticator, signer, key):
    bearer = key if key.startswith("lc_") else "lc_" + key
    with pytest.raises(LedgercoreError) as caught:
        authenticator.subject_of(bearer, ledger=None, now=NOON)

    assert (caught.value.code, signer.reads) == ("invalid_token", [])


def test_principal_is_what_the_store_says_now(authenticator):
    """Neither the role nor the email of the token counts."""
    principal = authenticator.principal_of(OF_SESSION, ALIVE, NOON)

    assert principal == Principal(user_id=ALICE, email="alice@example.com", role=Role.USER, session_id=SESSION)


def test_key_acts_for_its_owner_with_its_scopes_and_ledgers(authenticator):
    principal = authenticator.principal_of(OF_KEY, KEY_ALIVE, NOON)

    assert principal == Principal(
        user_id=ALICE, email="alice@example.com", role=Role.USER, token_id=TOKEN.id,
        scopes=frozenset({Scope.LEDGER_READ}), ledgers=frozenset({"shop"}),
    )  # fmt: skip
    assert (principal.kind, principal.name) == ("service", f"token:{TOKEN.id}")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"session_expires_at": None}, "invalid_token"),
        ({"session_revoked_at": NOON}, "token_revoked"),
        ({"session_expires_at": NOON}, "token_expired"),
        ({"session_expires_at": NOON, "session_revoked_at": NOON}, "token_revoked"),
        ({"user_id": None, "email": None, "role": None, "status": None}, "invalid_token"),
        ({"status": UserStatus.DELETED}, "invalid_token"),
        ({"status": UserStatus.SUSPENDED}, "forbidden"),
        ({"status": UserStatus.SUSPENDED, "session_revoked_at": NOON}, "token_revoked"),
    ],
    ids=str,
)
def test_session_that_does_not_count(authenticator, changes, code):
    assert code_of(authenticator, OF_SESSION, evolve(ALIVE, **changes)) == code


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, UserStatus.ACTIVE, "invalid_token"),
        (evolve(TOKEN, revoked_at=NOON), UserStatus.ACTIVE, "token_revoked"),
        (evolve(TOKEN, expires_at=NOON), UserStatus.ACTIVE, "token_expired"),
        (TOKEN, UserStatus.SUSPENDED, "forbidden"),
        (TOKEN, UserStatus.DELETED, "invalid_token"),
        (evolve(TOKEN, revoked_at=NOON), UserStatus.DELETED, "token_revoked"),
    ],
    ids=["unknown", "revoked", "ended", "suspended owner", "deleted owner", "revoked with its owner"],
)
def test_key_that_does_not_count(authenticator, token, status, code):
    assert code_of(authenticator, OF_KEY, evolve(KEY_ALIVE, token=token, status=status)) == code


def test_nobody_enters_by_what_the_store_does_not_know(authenticator):
    assert code_of(authenticator, OF_SESSION, Standing()) == "invalid_token"
    assert code_of(authenticator, OF_KEY, Standing()) == "invalid_token"


def test_a_session_is_not_judged_by_a_key_nor_a_key_by_a_session(authenticator):
    both: Any = evolve(ALIVE, token=TOKEN)

    assert authenticator.principal_of(OF_SESSION, both, NOON).scopes is None
    assert code_of(authenticator, OF_KEY, ALIVE) == "invalid_token"
    assert code_of(authenticator, OF_SESSION, KEY_ALIVE) == "invalid_token"


def test_end_of_a_token_is_told(authenticator):
    end = NOON + timedelta(days=3)

    assert authenticator.expires_at("a.b.c", ALIVE, now=NOON) == CLAIMS.expires_at
    assert authenticator.expires_at(KEY, evolve(KEY_ALIVE, token=evolve(TOKEN, expires_at=end)), now=NOON) == end
    assert authenticator.expires_at(KEY, KEY_ALIVE, now=NOON) is None
