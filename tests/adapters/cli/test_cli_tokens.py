"""Keys of machines from the command line, on PostgreSQL."""

from datetime import UTC, datetime

import pytest

from ledgercore.errors import LedgercoreError

ISSUE = ("token", "issue", "--owner", "bob@example.com", "--name", "till", "--scope", "ledger:read")


def enter(console, key, ledger=None):
    """Whom the service would let in with a key."""
    now = datetime.now(UTC)
    with console.application.open_identity(None) as identity:
        subject = identity.authenticator.subject_of(key, ledger=ledger, now=now)
        [standing] = identity.store.standings([subject])
        return identity.authenticator.principal_of(subject, standing, now)


def test_a_key_lets_its_owner_in_with_its_scopes(people):
    """It works at once."""
    issued = people.json(*ISSUE, "--scope", "ledger:write")

    principal = enter(people, issued["key"])

    assert issued["scopes"] == ["ledger:read", "ledger:write"]
    assert "ledgers" not in issued
    assert (principal.email, sorted(principal.scopes), principal.ledgers) == (
        "bob@example.com", ["ledger:read", "ledger:write"], None,
    )  # fmt: skip


def test_a_key_is_shown_once(people):
    """Neither lists nor the audit log have it again."""
    result = people(*ISSUE)
    [key] = [line.split()[1] for line in result.out.splitlines() if line.startswith("key ")]

    later = [people(*line.split(), *json) for line in ("token list", "audit list") for json in ([], ["--json"])]

    assert enter(people, key).email == "bob@example.com"
    assert "not shown again" in result.out
    assert not [each for each in later if key in each.out + each.err]


@pytest.mark.parametrize(
    "line",
    [("--ledger", "main", *ISSUE), (*ISSUE, "--ledger", "main"), ("--ledger", "main", *ISSUE, "--ledger", "main")],
    ids=["before the command", "behind it", "both"],
)
def test_a_key_is_bound_to_the_ledger_that_is_named(people, line):
    """Wherever it is named: a key never opens more than was meant."""
    issued = people.json(*line)

    assert issued["ledgers"] == ["main"]
    assert enter(people, issued["key"]).ledgers == {"main"}


def test_a_key_may_be_bound_to_several_ledgers(people):
    """Each is named."""
    assert people.json(*ISSUE, "--ledger", "shop", "--ledger", "main")["ledgers"] == ["main", "shop"]


def test_a_key_ends_at_its_time(people):
    """A time that has passed is refused."""
    issued = people.json(*ISSUE, "--expires-at", "2199-01-01T00:00:00+01:00")
    late = people(*ISSUE, "--expires-at", "2020-01-01T00:00:00Z", "--json")

    assert issued["expires_at"] == "2198-12-31T23:00:00+00:00"
    assert (late.status, late.problem["code"]) == (2, "invalid_expiry")


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (["--owner", "nobody@example.com"], 3, "user_not_found"),
        (["--owner", "nobody"], 2, "invalid_uuid_format"),
        (["--scope", "everything"], 2, "invalid_scope"),
        (["--ledger", "no spaces"], 2, "invalid_ledger_name"),
        (["--name", "a\x00b"], 2, "invalid_name_format"),
        (["--expires-at", "tomorrow"], 2, "invalid_datetime_format"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_key_that_cannot_be_issued_is_refused(people, options, status, code):
    """With a reason, and without a key."""
    result = people(*ISSUE, *options, "--json")

    assert (result.status, result.problem["code"]) == (status, code)
    assert people.json("token", "list")["items"] == []


def test_a_suspended_owner_gets_no_key(people):
    """Status 5."""
    people.json("user", "suspend", "bob@example.com")

    assert people(*ISSUE).status == 5


def test_keys_are_listed_by_owner_and_in_pages(people):
    """In the order they were issued; the start of a key tells them apart."""
    first, second = people.json(*ISSUE), people.json(*ISSUE)
    adas = people.json("token", "issue", "--owner", "ada@example.com", "--name", "report", "--scope", "audit:read")

    page = people.json("token", "list", "--owner", "bob@example.com", "--limit", "1")
    rest = people.json("token", "list", "--owner", "bob@example.com", "--cursor", page["next_cursor"])
    shown = people("token", "list")

    assert [token["id"] for token in (*page["items"], *rest["items"])] == [first["id"], second["id"]]
    assert rest["next_cursor"] is None
    assert adas["shown"] in shown.out
    assert "ada@example.com" in shown.out
    assert shown.out.count("live") == 3


def test_a_revoked_key_opens_nothing(people):
    """At once; revoking it again changes nothing."""
    issued = people.json(*ISSUE)

    revoked = people.json("token", "revoke", issued["id"])
    again = people.json("token", "revoke", issued["id"])

    assert revoked["revoked_at"] == again["revoked_at"]
    with pytest.raises(LedgercoreError, match="revoked"):
        enter(people, issued["key"])
    assert "revoked" in people("token", "list").out
    assert len(people.json("audit", "list", "--action", "service_token_revoked")["items"]) == 1


@pytest.mark.parametrize(("id", "status"), [("01970000-0000-7000-8000-000000000000", 3), ("lc_dev_x", 2)])
def test_a_key_that_is_not_there_cannot_be_revoked(people, id, status):
    """Keys are named by their ids."""
    assert people("token", "revoke", id).status == status
