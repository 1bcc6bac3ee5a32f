"""The audit log from the command line, on PostgreSQL."""

import pytest
from sqlalchemy import text

TAMPERINGS = {
    "changed": "UPDATE audit SET body = replace(body::text, 'admin', 'user')::json WHERE number = 1",
    "changed, with its hash": """UPDATE audit SET body = '{"action":"x","actor":"y"}'::json,
        root = sha256('\\000{"action":"x","actor":"y"}') WHERE number = 2""",
    "other time": "UPDATE audit SET recorded_at = recorded_at - interval '1 hour' WHERE number = 2",
    "taken out": "DELETE FROM audit WHERE number = 2",
    "first taken out": "DELETE FROM audit WHERE number = 1",
    "moved": "UPDATE audit SET number = 9 WHERE number = 2",
}
FIRST_BROKEN = {
    "changed": 1, "changed, with its hash": 2, "other time": 2, "taken out": 3, "first taken out": 2, "moved": 3,
}  # fmt: skip


@pytest.fixture
def lively(people):
    """Four entries: Ada, Bob, a key and its end."""
    line = ("token", "issue", "--owner", "bob@example.com", "--name", "till", "--scope", "ledger:read")
    people.json("token", "revoke", people.json(*line)["id"])
    return people


def tamper(engine, statement):
    """Change what is stored as a superuser can, past the trigger that refuses it."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount == 1


def test_what_happened_is_listed_newest_first(lively):
    """Who, from where, what, to whom."""
    listed = lively.json("audit", "list")["items"]
    told = lively("audit", "list").out.splitlines()

    assert [entry["action"] for entry in listed] == [
        "service_token_revoked", "service_token_issued", "user_created_by_admin", "user_created_by_admin",
    ]  # fmt: skip
    assert {(entry["actor"], entry["source"]) for entry in listed} == {("operator", "cli")}
    assert [line.split()[0] for line in told[2:]] == ["4", "3", "2", "1"]


def test_the_log_is_read_in_pages(lively):
    """A cursor goes on where the page ended, whatever is added meanwhile."""
    page = lively.json("audit", "list", "--limit", "3")
    lively.json("user", "logout", "bob@example.com")
    rest = lively.json("audit", "list", "--cursor", page["next_cursor"])
    told = lively("audit", "list", "--limit", "3")

    assert [entry["number"] for entry in (*page["items"], *rest["items"])] == [4, 3, 2, 1]
    assert rest["next_cursor"] is None
    assert told.err.startswith("more: --cursor ")


def test_filters_pick_entries(lively):
    """By action, actor, target and time; all that are given must fit."""
    second, first = lively.json("audit", "list", "--action", "user_created_by_admin")["items"]

    by_target = lively.json("audit", "list", "--target", first["target"])["items"]
    by_actor = lively.json("audit", "list", "--actor", "anonymous")["items"]
    between = lively.json("audit", "list", "--since", first["at"], "--until", second["at"])["items"]

    assert by_target == [first]
    assert by_actor == []
    assert between == [second, first]


@pytest.mark.parametrize("option", ["--action=user_eaten", "--since=yesterday", "--limit=0", "--cursor=x"])
def test_a_filter_that_cannot_be_meant_is_refused(lively, option):
    """Status 2."""
    assert lively("audit", "list", option).status == 2


def test_a_sound_log_is_told_with_its_head(lively):
    """Whoever keeps the head elsewhere can tell later that nothing before it was cut off."""
    [newest] = lively.json("audit", "list", "--limit", "1")["items"]

    assert lively("audit", "verify").out == f"the log is sound: 4 entries\nhead {newest['head']}\n"
    assert lively.json("audit", "verify") == {"sound": True, "first_broken": None}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_is_found(lively, engine, how):
    """Status 6, and the first entry that is broken is named."""
    tamper(engine, TAMPERINGS[how])

    told, documented = lively("audit", "verify"), lively("audit", "verify", "--json")

    assert (told.status, documented.status) == (6, 6)
    assert f"broken at entry {FIRST_BROKEN[how]}, recorded 2" in told.out
    assert documented.document == {"sound": False, "first_broken": FIRST_BROKEN[how]}


def test_an_empty_log_is_sound(console):
    """Nothing happened, nothing is wrong."""
    assert console("audit", "verify").out == "the log is empty\n"
    assert console.json("audit", "verify") == {"sound": True, "first_broken": None}
