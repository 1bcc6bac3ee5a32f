"""What managers do to a ledger is told by the audit log; the use of service tokens by the tokens themselves."""

import pytest

END = {"through": "2025-12-31T23:59:59Z"}


@pytest.fixture
def told(ada, shop):
    """The actions that the audit log tells of the ledger, newest first, with their actors."""

    def read() -> list[tuple[str, str]]:
        entries = ada.get(f"/audit?target=ledger:{shop}&limit=100").json()["data"]
        return [(entry["action"], entry["actor"]) for entry in entries]

    return read


def test_changed_settings_are_told(alice, shop, told):
    """Once for each change, by whom."""
    before = told()

    for _ in range(2):
        assert alice.put(f"/ledgers/{shop}/settings", {"on_first_use": False}).status_code == 200

    assert told() == [("settings_changed", f"user:{alice.user_id}"), *before]


def test_a_closed_period_is_told_once(alice, shop, told):
    """A repeat under the same key changes nothing, so nothing is told."""
    before = told()

    answers = [alice.post(f"/ledgers/{shop}/periods", END, key="year-end") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert "idempotency-replayed" in answers[1].headers
    assert told() == [("period_closed", f"user:{alice.user_id}"), *before]


def test_a_refusal_under_a_key_is_kept_and_not_told(alice, shop, told):
    """A period that is closed already stays refused under its key."""
    alice.post(f"/ledgers/{shop}/periods", END)
    before = told()

    answers = [alice.post(f"/ledgers/{shop}/periods", END, key="again") for _ in range(2)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "period_already_closed")}
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False, True]
    assert told() == before


def test_a_batch_that_closes_a_period_is_told(alice, shop, told):
    """However it is closed."""
    before = told()

    alice.post(f"/ledgers/{shop}/batches", {"items": [{"type": "period_close", **END}]})

    assert told() == [("period_closed", f"user:{alice.user_id}"), *before]


def test_last_use_of_a_service_token_is_noted(alice, shop, clock):
    """Within a minute; a token that was never used says so."""
    issued = alice.post("/tokens", {"name": "till", "scopes": ["ledger:read"]}).json()["data"]
    machine = alice.as_(issued["key"])

    def last_used_at():
        [token] = alice.get("/tokens").json()["data"]
        return token.get("last_used_at")

    never = last_used_at()
    machine.get(f"/ledgers/{shop}")
    first = last_used_at()
    clock.forward(seconds=30)
    machine.get(f"/ledgers/{shop}")
    soon = last_used_at()
    clock.forward(seconds=31)
    machine.get(f"/ledgers/{shop}")

    assert never is None
    assert first == soon
    assert last_used_at() > first
