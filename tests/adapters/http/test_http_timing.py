"""A login takes as long for an email that nobody has as for one that somebody has: the same work is done.

What is counted here, `tests/bench/bench_login_timing.py` times.
"""

import json
from contextlib import contextmanager
from typing import Any

import argon2
import pytest
from attrs import evolve

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"


class Counted:
    """A store that counts its units of work and look-ups, and what is done in them."""

    def __init__(self, store: Any) -> None:
        self.done: list[str] = []
        self._store = store

    @contextmanager
    def begin(self):
        self.done.append("begin")
        with self._store.begin() as work:
            yield CountedWork(work, self.done)

    def standings(self, subjects: Any) -> Any:
        self.done.append("standings")
        return self._store.standings(subjects)


class CountedWork:
    """A unit of work that notes every call of every part, in order."""

    def __init__(self, work: Any, done: list[str]) -> None:
        self._work = work
        self._done = done

    def __getattr__(self, part: str) -> Any:
        return CountedPart(getattr(self._work, part), part, self._done)


class CountedPart:
    def __init__(self, part: Any, name: str, done: list[str]) -> None:
        self._part, self._name, self._done = part, name, done

    def __getattr__(self, call: str) -> Any:
        found = getattr(self._part, call)
        self._done.append(f"{self._name}.{call}")
        return found


@pytest.fixture
def service(service):
    return evolve(service, identity=evolve(service.identity, store=Counted(service.identity.store)))


@pytest.fixture
def hashed(monkeypatch) -> list[argon2.Parameters]:
    """The parameters of everything that is hashed from now on, whoever asks for it."""
    found: list[argon2.Parameters] = []
    verify, hash_ = argon2.PasswordHasher.verify, argon2.PasswordHasher.hash

    def counting_verify(hasher, hash, password):
        found.append(argon2.extract_parameters(hash))
        return verify(hasher, hash, password)

    def counting_hash(hasher, password, **options):
        made = hash_(hasher, password, **options)
        found.append(argon2.extract_parameters(made))
        return made

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting_verify)
    monkeypatch.setattr(argon2.PasswordHasher, "hash", counting_hash)
    return found


@pytest.fixture
def attempt(service, anonymous, ada, alice, bob, carol, hashed):
    """Tries to log in, and tells what it was answered, what was hashed for it and what was asked of the store."""
    ada.put(f"/users/{bob.user_id}", {"status": "SUSPENDED"})
    ada.delete(f"/users/{carol.user_id}")

    def try_(who: str, sent: dict[str, Any]) -> tuple[Any, list[argon2.Parameters], list[str]]:
        hashed.clear()
        service.identity.store.done.clear()
        body = json.dumps({"email": f"{who}@example.com", **sent}).encode()
        answer = anonymous.post("/auth/login", content=body, headers={"content-type": "application/json"})
        return answer, list(hashed), list(service.identity.store.done)

    return try_


# bob is suspended, carol is deleted, and nobody is called mallory.
REFUSED = [
    ("mallory", {"password": PASSWORD}),
    ("mallory", {"password": WRONG}),
    ("mallory", {}),
    ("alice", {"password": WRONG}),
    ("alice", {"password": ""}),
    ("alice", {"password": None}),
    ("alice", {"password": 17}),
    ("alice", {"password": "x" * 100_000}),
    ("alice", {"password": "nul \x00 inside"}),
    ("alice", {"password": "\ud800"}),
    ("alice", {}),
    ("bob", {"password": WRONG}),
    ("bob", {}),
    ("carol", {"password": PASSWORD}),
    ("carol", {"password": WRONG}),
    ("ada", {"password": WRONG}),
]


def test_every_refused_login_is_the_same_work(attempt):
    """One hash of the present parameters, and the same calls of the store in the same order."""
    _, hashed, done = attempt("alice", {"password": WRONG})

    assert [(each.time_cost, each.memory_cost) for each in hashed] == [(1, 64)]
    assert done == ["begin", "users.find_by_email", "begin", "audit.append"]
    for who, sent in REFUSED:
        assert attempt(who, sent)[1:] == (hashed, done), (who, str(sent)[:40])


def test_every_refused_login_is_the_same_answer(attempt):
    """Byte for byte, but for the name of the request and the time."""
    seen = set()
    for who, sent in REFUSED:
        answer, *_ = attempt(who, sent)
        body = answer.json()
        for own in (body["correlation_id"], body["timestamp"]):
            assert own in answer.text
        text = answer.text.replace(body["correlation_id"], "*").replace(body["timestamp"], "*")
        headers = tuple((name, value) for name, value in answer.headers.items() if name != "x-correlation-id")
        seen.add((answer.status_code, headers, text))

    assert len(seen) == 1


def test_status_costs_no_second_hash(attempt):
    """A suspended user with the right password is told so after one hash; who is let in, too."""
    suspended, hashed, _ = attempt("bob", {"password": PASSWORD})
    let_in, hashed_too, _ = attempt("alice", {"password": PASSWORD})

    assert (suspended.json()["code"], let_in.status_code) == ("account_inactive", 200)
    assert len(hashed) == len(hashed_too) == 1


def test_counting_would_notice_a_shortcut(attempt, service, monkeypatch):
    """A hasher that does nothing for nobody is found out."""
    verify = type(service.identity.hasher).verify
    monkeypatch.setattr(
        type(service.identity.hasher),
        "verify",
        lambda self, given, hash: hash is not None and verify(self, given, hash),
    )

    assert attempt("mallory", {"password": WRONG})[1] == []
    assert len(attempt("alice", {"password": WRONG})[1]) == 1


@pytest.mark.parametrize("key", ["lc_test_" + "0" * 38, "lc_live_x", "lc_"])
def test_mistyped_key_is_refused_before_the_store_is_asked(service, anonymous, key):
    service.identity.store.done.clear()

    assert anonymous.as_(key).get("/auth/me").status_code == 401
    assert "standings" not in service.identity.store.done
