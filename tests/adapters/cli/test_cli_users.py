"""Users from the command line, on PostgreSQL."""

import logging
import os
import pty
import subprocess
import sys

import pytest

from ledgercore.errors import AuthenticationError
from ledgercore.identity.audit import OPERATOR
from ledgercore_app.cli import Program

from .conftest import PASSWORD, Console

OTHER_PASSWORD = "battery staple horse"


def login(console, email, password=PASSWORD):
    """A session as the service would begin it."""
    with console.application.open_identity(None) as identity:
        return identity.sign_in.login(email, password, actor=OPERATOR)


def live_sessions(console, signed_in):
    with console.application.open_identity(None) as identity, identity.store.begin() as work:
        return [work.sessions.find(each.session.id).revoked_at is None for each in signed_in]


def test_the_first_admin_is_created_by_command(people):
    """Nobody has to be there before, and the password lets the new user in."""
    shown = people.json("user", "show", "ada@example.com")

    assert (shown["email"], shown["full_name"], shown["role"], shown["status"]) == (
        "ada@example.com", "Ada", "admin", "ACTIVE",
    )  # fmt: skip
    assert login(people, "ada@example.com").user.role == "admin"


def test_a_new_user_is_shown_to_people(people):
    """What was stored, without a password or its hash."""
    result = people("user", "create", "Eve@Example.com", "--name", "Eve Adams", stdin=PASSWORD.encode())

    assert result.status == 0
    assert "eve@example.com" in result.out
    assert "Eve Adams" in result.out
    assert "argon2" not in result.out


@pytest.mark.parametrize(
    "sent",
    [PASSWORD.encode(), f"{PASSWORD}\n".encode(), f"{PASSWORD}\r\n".encode(), b"\xef\xbb\xbf" + PASSWORD.encode()],
    ids=["bare", "line", "Windows line", "byte order mark"],
)
def test_a_password_is_read_from_standard_input(people, sent):
    """Its final line break is not part of it."""
    assert people("user", "create", "eve@example.com", "--name", "Eve", "--password-stdin", stdin=sent).status == 0

    assert login(people, "eve@example.com").user.email == "eve@example.com"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "missing_fields"),
        (b"\n", "missing_fields"),
        (b"short\n", "invalid_password_format"),
        (PASSWORD.encode() + b"\nsecond line\n", "invalid_password_format"),
        (b"x" * 300, "invalid_password_format"),
        (b"x" * 100_000, "invalid_password_format"),
        (b"\xff" * 20, "invalid_encoding"),
    ],
)
def test_a_password_that_cannot_be_one_is_refused(people, sent, code):
    """Status 2, and no user."""
    result = people("user", "create", "eve@example.com", "--name", "Eve", "--json", stdin=sent)

    assert (result.status, result.problem["code"]) == (2, code)
    assert people("user", "show", "eve@example.com").status == 3


def test_an_admin_needs_a_longer_password(people):
    """The refusal says how long it must be."""
    line = ("user", "create", "eve@example.com", "--name", "Eve", "--role", "admin", "--json")

    result = people(*line, stdin=b"twelve chars")

    assert result.problem["details"]["length_min"] == 15


def test_a_password_is_never_an_argument(people):
    """Others could read it in the list of processes."""
    result = people("user", "create", "eve@example.com", "--name", "Eve", "--password", OTHER_PASSWORD)

    assert result.status == 2
    assert OTHER_PASSWORD not in result.err


def test_a_password_is_shown_nowhere(people, caplog):
    """Neither in output and errors, nor in logs, nor in the audit log, nor as it was before."""
    caplog.set_level(logging.DEBUG)
    sent = OTHER_PASSWORD.encode()
    lines = [
        ("user", "create", "eve@example.com", "--name", "Eve"),
        ("user", "create", "eve@example.com", "--name", "Eve"),
        ("user", "create", "not an email", "--name", "Eve"),
        ("user", "set-password", "eve@example.com"),
        ("user", "set-password", "nobody@example.com"),
        ("user", "show", "eve@example.com"),
        ("user", "list"),
        ("audit", "list"),
    ]

    results = [people(*line, *json, stdin=sent) for line in lines for json in ([], ["--json"])]

    said = "".join(result.out + result.err for result in results)
    assert {result.status for result in results} == {0, 2, 3, 4}
    assert OTHER_PASSWORD not in said + caplog.text
    assert "argon2" not in said


@pytest.mark.slow
def test_on_a_terminal_a_password_is_asked_for_twice_without_echo(people, database_url):
    """What is typed is not seen; the answer is on standard output alone."""
    code = "from ledgercore_app.cli import main; main()"
    line = ["user", "create", "eve@example.com", "--name", "Eve", "--json"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *line],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "LEDGERCORE_DATABASE_URL": database_url},
    )
    os.close(theirs)

    seen = b""
    for prompt in (b"Password: ", b"Once more: "):
        while not seen.endswith(prompt):
            seen += os.read(ours, 1_000)
        os.write(ours, f"{PASSWORD}\n".encode())
    out, _ = process.communicate(timeout=60)
    os.close(ours)

    assert process.returncode == 0
    assert b'"email": "eve@example.com"' in out
    assert PASSWORD.encode() not in seen + out
    assert login(people, "eve@example.com").user.email == "eve@example.com"


def test_an_email_is_taken_once(people):
    """Status 4, in whatever case it is written."""
    result = people("user", "create", "BOB@example.com", "--name", "Bob", "--json", stdin=PASSWORD.encode())

    assert (result.status, result.problem["code"]) == (4, "email_already_exists")


def test_users_are_filtered_sorted_and_paged(people):
    """The newest first unless sorted otherwise."""
    everybody = people.json("user", "list")
    admins = people.json("user", "list", "--role", "admin")
    second = people.json("user", "list", "--sort", "email", "--limit", "1", "--page", "2")
    first = people("user", "list", "--sort", "email", "--limit", "1")

    assert [user["full_name"] for user in everybody["items"]] == ["Bob", "Ada"]
    assert [user["full_name"] for user in admins["items"]] == ["Ada"]
    assert [user["full_name"] for user in second["items"]] == ["Bob"]
    assert (second["page"], second["total_pages"], second["total_count"]) == (2, 2, 2)
    assert "ada@example.com" in first.out
    assert "bob@example.com" not in first.out
    assert first.err == "more: --page 2\n"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (["--role", "boss"], "invalid_role"),
        (["--status", "asleep"], "invalid_status"),
        (["--sort", "password_hash"], "invalid_sort"),
        (["--limit", "0"], "invalid_filter"),
        (["--limit", "1001"], "invalid_filter"),
        (["--page", "0"], "invalid_argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_list_that_cannot_be_meant_is_refused(people, option, code):
    """Status 2 and a reason that names it."""
    result = people("user", "list", *option, "--json")

    assert (result.status, result.problem["code"]) == (2, code)


def test_a_user_is_named_by_email_or_id(people):
    """Both mean the same user."""
    by_email = people.json("user", "show", "Bob@Example.com")
    by_id = people.json("user", "show", by_email["id"])

    assert by_email == by_id


@pytest.mark.parametrize(
    "line",
    ["show", "set-role NAME admin", "suspend", "activate", "delete", "set-password", "logout"],
)
@pytest.mark.parametrize("name", ["nobody@example.com", "01970000-0000-7000-8000-000000000000"])
def test_an_unknown_user_is_not_found(people, line, name):
    """Status 3 in every command."""
    command, *rest = line.replace("NAME", name).split()

    result = people("user", command, *(rest or [name]), "--json", stdin=PASSWORD.encode())

    assert (result.status, result.problem["code"]) == (3, "user_not_found")


def test_what_is_neither_email_nor_id_is_refused(people):
    """Status 2."""
    assert people("user", "show", "bob").status == 2


def test_a_role_counts_at_once(people):
    """And is recorded."""
    changed = people.json("user", "set-role", "bob@example.com", "support")

    assert changed["role"] == "support"
    [entry] = people.json("audit", "list", "--limit", "1")["items"]
    assert (entry["action"], entry["actor"], entry["source"]) == ("user_updated", "operator", "cli")
    assert entry["details"] == {"fields": ["role"], "role": "support"}
    assert people("user", "set-role", "bob@example.com", "boss").status == 2


@pytest.mark.parametrize(
    "line", ["set-role ada@example.com user", "suspend ada@example.com", "delete ada@example.com --yes"]
)
def test_the_last_admin_is_kept(people, line):
    """Status 5, and the admin is as before."""
    result = people("user", *line.split(), "--json")

    assert (result.status, result.problem["code"]) == (5, "last_admin")
    shown = people.json("user", "show", "ada@example.com")
    assert (shown["role"], shown["status"]) == ("admin", "ACTIVE")


def test_a_suspended_user_is_out_until_activated(people):
    """Sessions end and stay ended."""
    sessions = [login(people, "bob@example.com")]

    suspended = people.json("user", "suspend", "bob@example.com")
    twice = people("user", "suspend", "bob@example.com")
    activated = people.json("user", "activate", "bob@example.com")

    assert (suspended["status"], twice.status, activated["status"]) == ("SUSPENDED", 4, "ACTIVE")
    assert live_sessions(people, sessions) == [False]
    assert login(people, "bob@example.com").user.is_active


def test_deleting_a_user_is_asked_about(people):
    """Whoever says no has deleted nobody; so has whoever says nothing."""
    refused = people("user", "delete", "bob@example.com", stdin=b"n\n")
    silent = people("user", "delete", "bob@example.com")

    assert (refused.status, silent.status) == (130, 130)
    assert "bob@example.com" in refused.err
    assert people.json("user", "show", "bob@example.com")["status"] == "ACTIVE"


@pytest.mark.parametrize(("options", "typed"), [([], b"y\n"), (["--yes"], b"")], ids=["asked", "told"])
def test_a_deleted_user_is_gone_and_the_email_stays_taken(people, options, typed):
    """Only a list of deleted ones shows the user again."""
    deleted = people("user", "delete", "bob@example.com", *options, stdin=typed)

    again = people("user", "create", "bob@example.com", "--name", "Bob", stdin=PASSWORD.encode())
    listed, gone = people.json("user", "list"), people.json("user", "list", "--status", "deleted")
    assert (deleted.status, again.status) == (0, 4)
    assert people("user", "show", "bob@example.com").status == 3
    assert [user["full_name"] for user in listed["items"]] == ["Ada"]
    assert [user["full_name"] for user in gone["items"]] == ["Bob"]


def test_another_password_ends_all_sessions(people):
    """The old one opens nothing any more; who set it is recorded, what it was is not."""
    sessions = [login(people, "bob@example.com"), login(people, "bob@example.com")]

    done = people.json("user", "set-password", "bob@example.com", stdin=OTHER_PASSWORD.encode())

    assert done == {"id": str(sessions[0].user.id), "sessions_ended": 2}
    assert live_sessions(people, sessions) == [False, False]
    with pytest.raises(AuthenticationError):
        login(people, "bob@example.com")
    assert login(people, "bob@example.com", OTHER_PASSWORD).user.email == "bob@example.com"
    [entry] = people.json("audit", "list", "--action", "password_changed")["items"]
    assert (entry["actor"], entry["target"], entry["details"]) == (
        "operator", f"user:{done['id']}", {"sessions": 2},
    )  # fmt: skip


def test_another_password_must_be_as_long_as_the_role_asks(people):
    """Status 2, and the old one still lets in."""
    result = people("user", "set-password", "ada@example.com", stdin=b"twelve chars")

    assert result.status == 2
    assert login(people, "ada@example.com").user.full_name == "Ada"


def test_logging_a_user_out_ends_all_sessions(people):
    """The password stays."""
    sessions = [login(people, "bob@example.com"), login(people, "bob@example.com")]

    told = people("user", "logout", "bob@example.com")
    nothing_left = people.json("user", "logout", "bob@example.com")

    assert told.out == "bob@example.com is logged out; sessions ended: 2\n"
    assert nothing_left["sessions_ended"] == 0
    assert live_sessions(people, sessions) == [False, False]
    assert login(people, "bob@example.com").user.full_name == "Bob"


def test_in_memory_there_is_nobody(capsys):
    """It makes little sense, and works."""
    console = Console(Program({"LEDGERCORE_DATABASE_URL": "memory"}), capsys)

    assert console("user", "list").out == "no users\n"


def test_the_secret_is_neither_needed_nor_made(open_directory, capsys):
    """Operators who reach the database need not know what the service signs with."""
    console = Console(Program({"LEDGERCORE_DATABASE_URL": f"embedded:{open_directory / 'data'}"}), capsys)

    assert console("user", "list").status == 0

    assert not [path for path in open_directory.iterdir() if "secret" in path.name]
