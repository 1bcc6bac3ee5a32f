"""What somebody might try with connections to banks and with live updates, and how far they get."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest
from attrs import evolve

from ledgercore.banking.banks import Integration
from ledgercore.banking.logins import LoginStatus
from ledgercore.errors import BusinessRuleError, LedgercoreError
from ledgercore.errors.catalog import RATE_LIMIT_EXCEEDED
from ledgercore.events.events import Event
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, Actor, AuditFilter
from ledgercore.identity.service_tokens import Scope
from ledgercore.jobs.ports import JobFilter
from ledgercore_http import Limits, create_app, live
from ledgercore_http.live import Live
from ledgercore_http.schemas.banking import BANK_ASKED_EXAMPLE

SOMEWHERE = Actor(name="anonymous", source="192.0.2.1")


class Desk:
    """A bank, and alice who connects to it."""

    def __init__(self, service: Any, ada: Any, alice: Any, anonymous: Any) -> None:
        self.service, self.alice, self.anonymous = service, alice, anonymous
        self.bank_id = ada.post("/banks", BANK_ASKED_EXAMPLE).json()["data"]["id"]
        branch = ada.post(f"/banks/{self.bank_id}/branches", {"name": "Main", "country": "GB"}).json()["data"]
        self.asked = {"bank_branch_id": branch["id"], "username": "alice01"}

    def begin(self) -> str:
        """A state of hers."""
        begun = self.alice.post("/bank-logins", self.asked).json()["data"]
        return parse_qs(urlsplit(begun["authorization_url"]).query)["state"][0]

    def connect(self) -> str:
        """A login of hers."""
        back = self.anonymous.get(f"/bank-logins/callback?code=a-code&state={self.begin()}")
        id: str = back.json()["data"]["id"]
        return id

    def login(self, id: str) -> Any:
        """It, as it is stored."""
        with self.service.bank.store.begin() as work:
            return work.bank_logins.find(UUID(id))

    def schedule(self) -> None:
        """What a worker does each minute, when the next synchronisation is due."""
        with self.service.bank.store.begin() as work:
            self.service.bank.banking.handlers.schedule_due(work, [])


@pytest.fixture
def desk(service: Any, ada: Any, alice: Any, anonymous: Any) -> Desk:
    return Desk(service, ada, alice, anonymous)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestComingBack:
    """A state is for the login; whose it is only a token can tell."""

    def test_nobody_is_lured_into_another_ones_connection(self, desk, bob):
        """Bob was sent to alice's bank page and agreed: his code never becomes tokens of her login."""
        state = desk.begin()

        answer = bob.post("/bank-logins/callback", {"state": state, "code": "a-code-of-bob"})

        assert code_of(answer) == (400, "invalid_consent_state")
        assert [each["status"] for each in desk.alice.get("/bank-logins").json()["data"]] == ["INACTIVE"]
        assert code_of(desk.alice.post("/bank-logins/callback", {"state": state, "code": "c"}))[0] == 400

    def test_user_who_began_ends_it(self, desk):
        """With what the page was called with."""
        answer = desk.alice.post("/bank-logins/callback", {"state": desk.begin(), "code": "a-code"})
        refused = desk.alice.post("/bank-logins/callback", {"state": desk.begin(), "error": "access_denied"})

        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "ACTIVE")
        assert code_of(refused) == (422, "consent_denied")

    def test_what_banks_add_is_passed_over(self, desk):
        """RFC 6749 has clients ignore what they do not know; these are what banks send."""
        added = "error_description=no&error_uri=https://x&iss=https://bank&scope=accounts&session_state=1"

        answer = desk.anonymous.get(f"/bank-logins/callback?state={desk.begin()}&code=a-code&{added}")

        assert answer.status_code == 200

    def test_user_who_was_shut_out_meanwhile_connects_nothing(self, desk):
        """Neither at our page nor at theirs."""
        state = desk.begin()
        desk.service.identity.users.suspend(UUID(desk.alice.user_id), by=Operator(), actor=OPERATOR)

        answer = desk.anonymous.get(f"/bank-logins/callback?state={state}&code=a-code")

        assert code_of(answer) == (400, "invalid_consent_state")


class TestUsersWhoAreGone:
    """Their banks are left alone."""

    def test_suspended_user_is_not_synchronised(self, desk, clock):
        """And is again, when back: the tokens are kept."""
        login_id, users = UUID(desk.connect()), desk.service.identity.users
        users.suspend(UUID(desk.alice.user_id), by=Operator(), actor=OPERATOR)

        with pytest.raises(BusinessRuleError) as caught:
            desk.service.bank.banking.sync.run(login_id, actor=OPERATOR)

        assert (caught.value.code, desk.login(str(login_id)).run) == ("bank_not_connected", None)
        clock.forward(hours=2)
        desk.schedule()
        assert desk.login(str(login_id)).sealed_tokens is not None

    def test_tokens_of_a_deleted_user_are_forgotten(self, desk, clock):
        """When the login would have been synchronised next; the audit log tells of it."""
        login_id = desk.connect()
        desk.service.identity.users.delete(UUID(desk.alice.user_id), by=Operator(), actor=OPERATOR)
        clock.forward(hours=2)

        desk.schedule()

        login = desk.login(login_id)
        assert (login.status, login.sealed_tokens, login.next_sync_at) == (LoginStatus.INACTIVE, None, None)
        with desk.service.bank.store.begin() as work:
            noted = work.audit.list_before(AuditFilter(action="bank_login_disconnected"), before=None, limit=9)
        assert [login_id.encode() in entry.body for entry in noted] == [True]


@pytest.mark.parametrize(("integration", "jobs"), [(Integration.MONZO, 2), (Integration.BERLIN_GROUP, 1)])
def test_only_banks_that_tell_us_are_heard(desk, clock, integration, jobs):
    """Others let us look so many times a day, and nobody shall use that up who merely knows a login's name."""
    login_id = desk.connect()
    with desk.service.bank.store.begin() as work:
        bank = work.banks.find(UUID(desk.bank_id))
        assert bank is not None
        work.banks.save(evolve(bank, integration=integration))
    clock.forward(hours=1)

    answer = desk.anonymous.post(f"/bank-logins/{login_id}/monzo-webhook", {"type": "transaction.created"})

    assert answer.json()["data"] == {"received": True}
    with desk.service.bank.store.begin() as work:
        assert len(work.jobs.list_after(JobFilter(kind="sync_bank_login"), after=None, limit=9)) == jobs


class TestListening:
    """As many as may, and to what they may."""

    def test_who_comes_at_once_is_counted_too(self, service, alice, monkeypatch):
        """All were let in before any of them listened."""
        monkeypatch.setattr(live, "LISTENERS_PER_USER", 1)

        async def story() -> str:
            listening = Live(service)
            first, second = [await listening.admit(alice.token, actor=SOMEWHERE) for _ in range(2)]
            events = listening.events(first, None, seconds=9)
            await anext(events)
            with pytest.raises(LedgercoreError) as caught:
                await anext(listening.events(second, None, seconds=9))
            return caught.value.code

        assert asyncio.run(story()) == RATE_LIMIT_EXCEEDED.code

    @pytest.mark.parametrize(("scopes", "told"), [
        ([Scope.PAYMENTS_READ], ["payment.completed"]),
        ([Scope.PAYMENTS_READ, Scope.BANKING_READ], ["balance.changed", "payment.completed"]),
    ])  # fmt: skip
    def test_balances_are_for_those_who_may_read_accounts(self, service, alice, monkeypatch, scopes, told):
        """As over any other route; whether just now or from before."""
        monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
        issued = service.identity.service_tokens.issue(
            by=Operator(), name="m", scopes=scopes, owner_id=UUID(alice.user_id), actor=OPERATOR
        )

        def happen() -> None:
            with service.bank.store.begin() as work:
                kinds = ("balance.changed", "payment.completed")
                owner_id = UUID(alice.user_id)
                work.events.publish_all([Event(type=each, subject="x", owner_id=owner_id) for each in kinds])

        async def story() -> list[str]:
            listening = Live(service)
            events = listening.events(await listening.admit(issued.key, actor=SOMEWHERE), 0, seconds=9)
            assert await anext(events) is None
            happen()
            heard: list[str] = []
            while heard.count("payment.completed") < 2:
                stored = await anext(events)
                heard += [] if stored is None else [stored.event.type]
                if heard[-1:] == ["payment.completed"] and heard.count("payment.completed") == 1:
                    happen()
            return heard

        assert asyncio.run(story()) == told * 2


class TestRates:
    """Who asks without a token is counted by where they are."""

    @pytest.fixture
    def limits(self, tight: Any) -> Limits:
        return Limits(per_address=tight, per_user=None, per_token=None, logins=None)

    def test_one_network_is_one_customer(self, anonymous, service, tight):
        """Of IPv6 anybody has as many addresses as they like: so many wrong webhooks, and no more audit records."""
        with_proxy = evolve(service, trusted_proxies=("127.0.0.0/8",))
        app = create_app(with_proxy)
        answers = [post_from(app, f"2001:db8:1:2::{number:x}") for number in range(tight.limit + 3)]
        elsewhere = post_from(app, "2001:db8:1:3::1")
        app.drain()

        assert answers == [401] * tight.limit + [429] * 3
        assert elsewhere == 401
        with service.identity.store.begin() as work:
            noted = work.audit.list_before(AuditFilter(action="authentication_failure"), before=None, limit=99)
        assert len(noted) == tight.limit + 1


def post_from(app: Any, address: str) -> int:
    """The status that an unsigned webhook from an address gets."""

    async def send() -> int:
        transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.post("/api/v1/webhooks/fraud", json={}, headers={"x-forwarded-for": address})
            return answer.status_code

    return asyncio.run(send())
