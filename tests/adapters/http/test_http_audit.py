"""The audit log over HTTP: for admins alone, filtered, in pages, and verifiable."""

import pytest

from ledgercore.identity.audit import OPERATOR, AuditEvent


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def actions(answer):
    """What was done, in the order of the answer."""
    return [entry["action"] for entry in answer.json()["data"]]


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
def test_newest_comes_first_with_everything_about_it(ada, alice, prefix):
    alice.put("/profile", {"full_name": "Alicia"}, headers={"x-correlation-id": "changing-my-name"})

    entry = ada.request("GET", f"{prefix}/audit").json()["data"][0]
    assert (entry["action"], entry["actor"], entry["target"]) == (
        "user_updated",
        f"user:{alice.user_id}",
        f"user:{alice.user_id}",
    )
    assert (entry["source"], entry["correlation_id"]) == ("127.0.0.1", "changing-my-name")
    assert entry["details"] == {"fields": ["full_name"]}
    assert "Alicia" not in str(entry)


def test_pages_follow_one_another_without_gaps_while_more_happens(ada, alice):
    everything = [entry["number"] for entry in ada.get("/audit").json()["data"]]
    seen, cursor = [], None
    while True:
        page = ada.get("/audit", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [entry["number"] for entry in page["data"]]
        cursor = page["metadata"]["pagination"]["next_cursor"]
        alice.get("/users")
        if cursor is None:
            break

    assert seen == everything == list(range(everything[0], 0, -1))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=user_created_by_admin", 2),
        ("action=user_deleted", 0),
        ("actor=operator&action=user_created_by_admin", 2),
        ("target=user:{alice}", 2),
        ("actor=user:{alice}", 1),
        ("target=user:{alice}&action=user_login", 1),
        ("correlation_id=nothing-of-ours", 0),
        ("since=2026-03-01T11:59:00Z", 4),
        ("since=2026-03-01T12:00:01Z", 0),
        ("until=2026-03-01T12:00:01+00:00", 4),
        ("until=2026-03-01T11:59:59%2B00:00", 0),
    ],
)
def test_filters_narrow_the_list(ada, alice, query, found):
    answer = ada.get("/audit?" + query.replace("{alice}", alice.user_id))

    assert answer.status_code == 200
    assert len(answer.json()["data"]) == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("action=nothing", "invalid_filter"),
        ("actor=", "invalid_filter"),
        ("actor=a%00b", "invalid_filter"),
        ("target=a%20b", "invalid_filter"),
        ("correlation_id=" + "x" * 301, "invalid_filter"),
        ("since=yesterday", "invalid_datetime_format"),
        ("until=0000-01-01T00:00:00Z", "datetime_out_of_range"),
        ("limit=0", "invalid_filter"),
        ("cursor=%00", "invalid_cursor"),
        ("details=x", "unknown_fields"),
        ("action=user_login&action=user_login", "invalid_argument"),
    ],
)
def test_bad_query_is_refused(ada, query, code):
    assert told(ada.get(f"/audit?{query}")) == (400, code)


@pytest.mark.parametrize("path", ["/audit", "/audit/verification"])
def test_is_for_admins(anonymous, alice, sam, path):
    for client in (alice, sam):
        assert told(client.get(path)) == (403, "insufficient_permissions")
    assert told(anonymous.get(path)) == (401, "invalid_token")


def test_refusals_are_in_it(ada, alice):
    alice.get("/users", headers={"x-correlation-id": "peeping"})

    [entry] = ada.get("/audit?correlation_id=peeping").json()["data"]
    assert (entry["action"], entry["actor"]) == ("authorization_failure", f"user:{alice.user_id}")
    assert entry["details"] == {"reason": "insufficient_permissions", "method": "GET", "route": "/users"}


def test_sound_log_is_said_to_be_sound(ada, alice):
    assert ada.get("/audit/verification").json()["data"] == {"sound": True, "first_broken": None}


def test_broken_log_is_told_from_where(service, ada, monkeypatch):
    broken = service.identity.audit.record(AuditEvent(action="user_login", actor=OPERATOR))
    monkeypatch.setattr("ledgercore.identity.audit_trail.first_broken", lambda entries: broken)

    assert ada.get("/audit/verification").json()["data"] == {"sound": False, "first_broken": broken.log.batch}
