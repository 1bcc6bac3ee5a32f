"""Proofs are checked from the document alone, and every byte of it counts."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.chain import GENESIS
from ledgercore.ledger.proofs.checking import check, check_consistency, check_head, read_document
from ledgercore.ledger.proofs.proving import head_statement, prove, prove_consistency, prove_record
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.money import Money
from ledgercore.testing.books import EUR, SETTINGS, keep_books

PURCHASE = UUID(bytes=identity_of_key("purchase"))


@pytest.fixture
def books(store: Any, clock: Any) -> Ledger:
    """A ledger in which one of everything has happened, in each adapter in turn."""
    ledger = Ledger(store.create("books", SETTINGS))
    keep_books(ledger, wait=lambda time: clock.forward(seconds=time.total_seconds()))
    return ledger


@pytest.fixture
def small(memory_ledger: Ledger) -> Ledger:
    """A ledger with one interesting batch."""
    memory_ledger.post_all([sale(key=key, description="Täglich") for key in ("a", "b", "c")])
    memory_ledger.post_all([sale()])
    return memory_ledger


def sale(**fields: Any) -> Transaction:
    return transfer(debit="assets:bank", credit="income:sales", amount=Money(12_345, EUR), **fields)


def proof_of(ledger: Ledger, key: str, **options: Any) -> dict[str, Any]:
    return prove(ledger.journal, UUID(bytes=identity_of_key(key)), **options)


def spelled(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def test_every_record_is_provable(books: Ledger) -> None:
    """Transactions, holds, openings, refusals: each one's proof holds, and its head is the ledger's."""
    state = books.state()

    for number in range(1, state.number + 1):
        checked = check(read_document(spelled(prove_record(books.journal, number))), trusted_head=state.head)

        assert checked.says["number"] == number
        assert checked.committed


def test_proof_says_what_was_posted(books: Ledger) -> None:
    """Paths and currencies come from the accounts' openings, which are proven with it."""
    checked = check(prove(books.journal, PURCHASE))

    posted = books.get_transaction(PURCHASE)
    assert checked.says["key"] == "purchase"
    assert checked.says["recorded_at"] == posted.recorded_at.isoformat()
    assert [
        (line.get("debit"), line.get("credit"), line["amount"], line["currency"]) for line in checked.says["lines"]
    ] == [
        ("expenses:goods", None, "40.00", "EUR"),
        ("expenses:tax", None, "7.60", "EUR"),
        (None, "assets:bank", "47.60", "EUR"),
        ("assets:bank:usd", "income:exchange:usd", "5.00", "USD"),
    ]


def test_proof_without_paths_names_accounts_by_number(books: Ledger) -> None:
    """Without openings the proof is smaller and says minor units alone."""
    short = prove(books.journal, PURCHASE, paths=False)

    [first, *_] = check(short).says["lines"]
    assert short["openings"] == []
    assert (first["amount_minor"], "debit_account" in first, "debit" in first) == ("4000", True, False)


def test_head_kept_since_then_commits_to_the_record(small: Ledger) -> None:
    """Any head from the record's batch on will do, and no head of another ledger."""
    heads = [entry.head for entry in small.journal.log_entries()]

    document = proof_of(small, "a")

    assert [check(document, trusted_head=head).trusted_batch for head in heads[1:]] == [2, 3]
    with pytest.raises(ValidationError, match="the head that you trust"):
        check(document, trusted_head=bytes(range(32)))


def test_older_head_is_continued_but_does_not_commit(small: Ledger) -> None:
    """A head from before the record is shown to be continued: that is less, and said so."""
    [before, *_] = small.journal.log_entries()

    document = proof_of(small, "a", since=before.head)
    from_the_start = proof_of(small, "a", since=GENESIS)

    assert not check(document, trusted_head=before.head).committed
    assert check(document, trusted_head=small.state().head).committed
    assert check(from_the_start, trusted_head=GENESIS).trusted_batch == 0


def test_unknown_transaction_has_no_proof(small: Ledger) -> None:
    """Neither has a number beyond the log."""
    with pytest.raises(NotFoundError):
        prove(small.journal, UUID(int=1))
    with pytest.raises(NotFoundError):
        prove_record(small.journal, 999)


def test_head_of_another_ledger_is_refused(small: Ledger) -> None:
    """Consistency with a head that this ledger never had cannot be shown."""
    for make in (lambda: proof_of(small, "a", since=bytes(range(32))), lambda: consistency(small, bytes(range(32)))):
        with pytest.raises(ValidationError, match="never had this head"):
            make()


def consistency(ledger: Ledger, older: bytes, newer: bytes | None = None) -> dict[str, Any]:
    return prove_consistency(ledger.journal, older, newer)


def refusal_of(checked: Callable[[Any], object], data: bytes) -> str | None:
    try:
        checked(read_document(data))
    except ValidationError as error:
        return error.code
    return None


@pytest.mark.parametrize("make", ["proof", "short proof", "consistency"])
def test_every_changed_byte_is_refused(make: str, small: Ledger) -> None:
    """No byte of a document can be another one: each bit of each byte, one at a time."""
    older = next(small.journal.log_entries()).head
    document = {
        "proof": lambda: proof_of(small, "b"),
        "short proof": lambda: proof_of(small, "b", paths=False),
        "consistency": lambda: consistency(small, older),
    }[make]()
    data = spelled(document)
    checked = check if make != "consistency" else check_consistency
    checked(read_document(data))

    accepted = []
    for at in range(len(data)):
        for bit in range(8):
            changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            if refusal_of(checked, changed) != "invalid_proof":
                accepted.append((at, changed[at - 20 : at + 20]))

    assert accepted == []


@pytest.mark.parametrize("part", ["record", "openings", "log", "says", "format"])
def test_missing_part_is_refused(part: str, small: Ledger) -> None:
    """A document is complete or none."""
    document = proof_of(small, "a")
    del document[part]

    with pytest.raises(ValidationError, match="document"):
        check(document)


def forged(small: Ledger, **changes: Any) -> dict[str, Any]:
    document = deepcopy(proof_of(small, "a"))
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = document
        for parent in parents:
            target = target[int(parent)] if parent.isdecimal() else target[parent]
        target[int(last) if last.isdecimal() else last] = value
    return document


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"says": {}}, "says"),
        ({"says__more": 1}, "says"),
        ({"says__number": 4.0}, "says"),
        ({"record__batch": True}, "record.batch"),
        ({"record__batch": 9}, "record.batch"),
        ({"record__batch": 3}, "record.rows"),
        ({"record__rows": ""}, "record.rows"),
        ({"record__rows": "00"}, "record.rows"),
        ({"record__rows": "ff" * 76}, "record.rows"),
        ({"record__rows": "zz"}, "record.rows"),
        ({"record__path": []}, "record.path"),
        ({"record__path": "abc"}, "record.path"),
        ({"record__path__0": "00" * 31}, "record.path"),
        ({"openings": {}}, "openings"),
        ({"openings__0": {}}, "openings"),
        ({"log__entries": []}, "log.head"),
        ({"log__entries": None}, "log.entries"),
        ({"log__entries__0": 7}, "log.entries"),
        ({"log__entries__0": "00" * 64}, "log.entries"),
        ({"log__entries__0": "7f" * 64}, "log.entries"),
        ({"log__before": "00" * 32}, "log.entries"),
        ({"log__head": "A" * 64}, "log.head"),
    ],
)
def test_forged_document_is_refused_by_its_part(changes: dict[str, Any], why: str, small: Ledger) -> None:
    """Whatever a document holds, it is refused as an invalid proof that names the part."""
    with pytest.raises(ValidationError) as raised:
        check(forged(small, **changes))

    assert raised.value.code == "invalid_proof"
    assert str(raised.value.details["part"]).startswith(why)


def test_openings_of_other_accounts_are_refused(small: Ledger) -> None:
    """All of the record's accounts are shown, or none; each once, and opened before the record."""
    document = proof_of(small, "a")
    first, second = document["openings"]
    for openings in ([first], [second, first], [first, first], [first, second, second], [first, document["record"]]):
        with pytest.raises(ValidationError, match="opening"):
            check({**document, "openings": openings})


def test_record_of_another_place_is_refused(small: Ledger) -> None:
    """A sibling's path does not prove the record, nor does the record of the sibling."""
    mine, other = proof_of(small, "a"), proof_of(small, "b")

    with pytest.raises(ValidationError, match="path"):
        check({**mine, "record": {**mine["record"], "path": other["record"]["path"]}})
    with pytest.raises(ValidationError, match="says"):
        check({**mine, "record": other["record"]})


@pytest.mark.parametrize("document", [None, [], 7, "proof", {}, {"format": "other"}])
def test_anything_else_is_no_proof(document: Any) -> None:
    """Any JSON value may stand in a file."""
    for checked in (check, check_consistency, check_head):
        with pytest.raises(ValidationError):
            checked(document)


@pytest.mark.parametrize("data", [b"", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 100_000, b"1" * 5_000])
def test_what_is_not_json_is_no_proof(data: bytes) -> None:
    """Repeated names count as a fault too: which of the two would hold?"""
    with pytest.raises(ValidationError, match="not JSON"):
        read_document(data)


def test_newer_head_continues_an_older_one(small: Ledger) -> None:
    """The entries between two heads lead from one to the other."""
    heads = [GENESIS, *(entry.head for entry in small.journal.log_entries())]

    for older_batch, older in enumerate(heads):
        for newer_batch, newer in list(enumerate(heads))[older_batch:]:
            found = check_consistency(consistency(small, older, newer), older=older, newer=newer)

            assert (found.older_batch, found.newer_batch) == (older_batch, newer_batch)
    assert check_consistency(consistency(small, GENESIS)).newer_head == small.state().head


def test_consistency_is_about_the_heads_that_are_known(small: Ledger) -> None:
    """A document about other heads proves nothing to whoever kept these."""
    older, middle, newer = [entry.head for entry in small.journal.log_entries()]
    document = consistency(small, older, newer)

    with pytest.raises(ValidationError, match=r"older\.head"):
        check_consistency(document, older=middle)
    with pytest.raises(ValidationError, match=r"newer\.head"):
        check_consistency(document, newer=middle)


def test_newer_head_cannot_be_the_older_one(small: Ledger) -> None:
    """A log does not run backwards."""
    older, *_, newer = [entry.head for entry in small.journal.log_entries()]

    with pytest.raises(ValidationError, match="older of the two"):
        consistency(small, newer, older)


def test_head_statement_is_read_back(small: Ledger) -> None:
    """What an outsider keeps names the batch and the head."""
    statement = head_statement(small.journal)

    assert check_head(read_document(spelled(statement))) == (3, small.state().head)
    assert (statement["ledger"], statement["number"]) == ("books", small.state().number)


def test_proof_grows_with_the_logarithm_of_the_batch(memory_ledger: Ledger) -> None:
    """A thousand records in a batch are ten hashes; each batch up to the head is 64 bytes."""
    memory_ledger.post_all([sale(key=str(number)) for number in range(998)])
    for _ in range(5):
        memory_ledger.post_all([sale()])

    document = proof_of(memory_ledger, "997")

    assert len(document["record"]["path"]) <= 10
    assert [len(entry) for entry in document["log"]["entries"]] == [128] * 6
