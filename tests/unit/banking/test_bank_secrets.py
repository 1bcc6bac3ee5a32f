"""Secrets of banks at rest and in values: bound to their row, readable after a change of keys, shown by nothing."""

from typing import Any

import pytest
from attrs import evolve

from ledgercore.banking.banks import Bank, Integration
from ledgercore.banking.clients.answers import refused
from ledgercore.banking.connecting import Begun, Wish
from ledgercore.banking.logins import BankLogin
from ledgercore.banking.observations import Permission, Tokens
from ledgercore.banking.resealing import Resealed, Resealing
from ledgercore.errors import InternalError
from ledgercore.errors.catalog import BANK_REFUSED
from ledgercore.events.webhooks import WebhookEndpoint
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.identity.audit import OPERATOR
from ledgercore.testing.banking_people import bank, bank_login, branch
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import MONDAY
from ledgercore_app.databases import Server
from ledgercore_app.settings import Settings
from ledgercore_crypto import AesGcmSealer, SealingKey
from ledgercore_memory import MemoryStore, MemoryWorkStore

OLD, NEW = SealingKey("old", b"o" * 32), SealingKey("new", b"n" * 32)
TOKENS = Tokens(access_token="access-marker", refresh_token="refresh-marker", extra={"consent_id": "consent-marker"})


class Kept:
    """A bank, two logins and a webhook, with secrets under the old key."""

    def __init__(self, store: MemoryWorkStore) -> None:
        sealer = AesGcmSealer([OLD])
        user, at = someone(), bank(integration=Integration.NONE)
        main = branch(at)
        hook = WebhookEndpoint(
            id=new_id(), owner_id=user.id, url="https://example.com", secret=b"", created_at=MONDAY, updated_at=MONDAY
        )
        self.store = store
        self.bank = evolve(at, sealed_client_secret=sealer.seal(b"client-marker", context=at.secret_context))
        self.logins = [
            bank_login(user, main).with_tokens(
                evolve(TOKENS, access_token=f"access-marker-{number}"), sealer=sealer, now=MONDAY
            )
            for number in range(2)
        ]
        self.bare = bank_login(user, main)
        self.hook = evolve(
            hook,
            secret=sealer.seal(b"hook-marker", context=hook.seal_context),
            previous_secret=sealer.seal(b"former-marker", context=hook.seal_context),
        )
        with store.begin() as work:
            work.users.add(user)
            work.banks.add(self.bank)
            work.banks.add(bank())
            work.banks.add_branch(main)
            for login in (*self.logins, self.bare):
                work.bank_logins.add(login)
            work.webhooks.add(self.hook)

    def now(self) -> tuple[Bank, list[BankLogin], WebhookEndpoint]:
        """All of them as they are."""
        with self.store.begin() as work:
            found = work.banks.find(self.bank.id), work.webhooks.find(self.hook.id)
            logins = [work.bank_logins.find(login.id) for login in self.logins]
        assert found[0] is not None
        assert found[1] is not None
        return found[0], [login for login in logins if login is not None], found[1]


@pytest.fixture
def kept(memory_store: MemoryStore, clock: Any) -> Kept:
    return Kept(MemoryWorkStore(memory_store, clock=clock))


def test_tokens_are_good_for_their_row_alone(kept: Kept) -> None:
    """Copied into another row of the same bank and user they open nothing."""
    first, second = kept.logins
    sealer = AesGcmSealer([OLD])

    with pytest.raises(InternalError, match="another context"):
        evolve(first, sealed_tokens=second.sealed_tokens).open_tokens(sealer)

    assert first.open_tokens(sealer).access_token == "access-marker-0"


def test_any_changed_bit_is_noticed(kept: Kept) -> None:
    """In the key id, the nonce, the ciphertext and the tag."""
    [login, _], sealer = kept.logins, AesGcmSealer([OLD])
    assert login.sealed_tokens is not None

    for place in range(len(login.sealed_tokens)):
        changed = bytearray(login.sealed_tokens)
        changed[place] ^= 1
        with pytest.raises(InternalError):
            evolve(login, sealed_tokens=bytes(changed)).open_tokens(sealer)


def test_resealed_secrets_need_the_old_key_no_more(kept: Kept) -> None:
    """They are the same, and whoever uses tokens just now may go on: their version is the same too."""
    both, new = AesGcmSealer([NEW, OLD]), AesGcmSealer([NEW])

    done = Resealing(store=kept.store, sealer=both).run(actor=OPERATOR)
    again = Resealing(store=kept.store, sealer=new).run(actor=OPERATOR)

    assert done == again == Resealed(clients=1, logins=2, webhooks=1)
    at, logins, hook = kept.now()
    assert at.sealed_client_secret is not None
    assert hook.previous_secret is not None
    assert new.open(at.sealed_client_secret, context=at.secret_context) == b"client-marker"
    assert [each.open_tokens(new).access_token for each in logins] == ["access-marker-0", "access-marker-1"]
    assert [each.tokens_version for each in logins] == [1, 1]
    assert new.open(hook.secret, context=hook.seal_context) == b"hook-marker"
    assert new.open(hook.previous_secret, context=hook.seal_context) == b"former-marker"
    with kept.store.begin() as work:
        *_, last = work.audit.entries()
    assert b'"secrets_resealed"' in last.body


def test_resealing_without_the_old_key_changes_nothing(kept: Kept) -> None:
    """It says what is missing; there is nothing to lose by trying."""
    before = kept.now()

    with pytest.raises(InternalError) as caught:
        Resealing(store=kept.store, sealer=AesGcmSealer([NEW])).run(actor=OPERATOR)

    assert caught.value.code == "configuration_error"
    assert kept.now() == before


@pytest.mark.parametrize("echoed", ["access-marker", "marker", "unknown.access-marker"])
def test_bank_that_repeats_a_token_as_its_code_is_not_quoted(echoed: str) -> None:
    """Its code is told to users, kept with failed jobs, and logged."""
    request = HttpRequest(name="x", method="GET", url="https://b", headers={"authorization": "Bearer access-marker"})

    error = refused(request, HttpResponse(status=403), BANK_REFUSED, echoed)

    assert "marker" not in f"{error} {error.details}"
    assert refused(request, HttpResponse(status=403), BANK_REFUSED, "forbidden").details["bank_code"] == "forbidden"


def test_values_do_not_show_their_secrets(kept: Kept) -> None:
    """Whatever prints them."""
    url = "https://bank/authorize?state=state-marker"
    permission = Permission(url=url, state="state-marker", verifier="verifier-marker", extra={"x": "extra-marker"})
    wish = Wish(user_id=new_id(), branch_id=new_id(), username="u", sync_frequency_seconds=None, permission=permission)
    server = "postgresql://app:password-marker@db/bank"

    told = [
        TOKENS, permission, wish, Begun(login=kept.logins[0], authorization_url=url), *kept.now(),
        Settings(database_url=server), Server(server), str(Server(server)),
    ]  # fmt: skip

    assert "marker" not in repr(told)
