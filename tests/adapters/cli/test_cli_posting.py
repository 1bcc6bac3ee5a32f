"""Posting and reversing from the command line."""

import json
from typing import Any

import pytest

PAYROLL: dict[str, Any] = {
    "key": "payroll-1",
    "effective_at": "2026-02-27T10:00:00+01:00",
    "description": "Löhne",
    "reference": "2026-02",
    "metadata": {"run": 7},
    "lines": [
        {"debit": "expenses:wages", "amount": "3000.00", "currency": "EUR"},
        {"credit": "assets:bank", "amount": "2100.00", "currency": "EUR"},
        {"credit": "liabilities:tax", "amount": 900, "currency": "EUR"},
    ],
}


def numbered(count, **changes):
    lines = [{"debit": "assets:bank", "credit": "wallets:ann", "amount": "1.00", "currency": "EUR"}]
    return "".join(json.dumps({"key": f"row-{n}", "lines": lines, **changes}) + "\n" for n in range(1, count + 1))


def test_a_transfer_is_posted_with_everything_that_belongs_to_it(books):
    """The answer is the transaction as it stands in the journal."""
    posted = books.json(
        "post", "assets:bank", "wallets:ann", "12.50", "EUR", "--effective-at", "2026-01-01T00:00:00Z",
        "--description", "Gift", "--reference", "g-1", "--metadata", "from=bob",
    )  # fmt: skip

    assert posted["effective_at"] == "2026-01-01T00:00:00+00:00"
    assert (posted["description"], posted["reference"], posted["metadata"]) == ("Gift", "g-1", {"from": "bob"})
    assert posted["lines"] == [
        {
            "debit": "assets:bank", "credit": "wallets:ann", "amount": "12.50", "amount_minor": "1250",
            "currency": "EUR", "debit_balance": "112.50", "credit_balance": "112.50",
        }
    ]  # fmt: skip
    assert posted["replayed"] is False


def test_a_repeat_under_the_same_key_posts_once(books):
    """The first answer comes back, marked as a replay; other content is a conflict."""
    arguments = ("post", "assets:bank", "wallets:ann", "5.00", "EUR", "--key", "order-1")
    first, again = books.json(*arguments), books.json(*arguments)
    other = books("post", "assets:bank", "wallets:ann", "6.00", "EUR", "--key", "order-1")

    assert again == {**first, "replayed": True}
    assert "replayed" in books(*arguments).out
    assert other.status == 4
    assert books.json("balance", "wallets:ann")["posted"] == "105.00"


def test_an_id_names_the_intent_too(books):
    """A UUID of the caller's becomes the transaction's."""
    name = "0191d3c0-0000-7000-8000-000000000001"

    posted = books.json("post", "assets:bank", "wallets:ann", "5.00", "EUR", "--id", name)

    assert posted["id"] == name
    assert books.json("transaction", "show", name)["id"] == name


def test_a_rule_refuses_with_the_amounts_that_explain_it(books):
    """Status 5, and one line that says which account and by how much."""
    refused = books("post", "wallets:ann", "assets:bank", "100.01", "EUR")

    assert refused.status == 5
    assert refused.out == ""
    assert refused.err.startswith("error: insufficient_funds: ")
    assert "account=wallets:ann" in refused.err
    assert refused.err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "status"),
    [
        ("--expect-balance", "wallets:ann=100.00", 0),
        ("--expect-balance", "wallets:ann=99.00", 4),
        ("--expect-version", "wallets:ann=1", 0),
        ("--expect-version", "wallets:ann=2", 4),
        ("--expect-version", "wallets:ann=one", 2),
        ("--expect-balance", "wallets:bob=1.00", 3),
    ],
)
def test_a_precondition_must_hold(books, option, value, status):
    """Otherwise nothing is posted."""
    assert books("post", "assets:bank", "wallets:ann", "1.00", "EUR", option, value).status == status


def test_a_whole_transaction_is_read_from_a_file(books, write):
    """Several debits and credits, posted as one."""
    posted = books.json("post", "--file", write("payroll.json", PAYROLL))

    assert posted["key"] == "payroll-1"
    assert posted["effective_at"] == "2026-02-27T09:00:00+00:00"
    assert [line["amount"] for line in posted["lines"]] == ["3000.00", "2100.00", "900.00"]
    assert "Löhne" in books("transaction", "show", "key:payroll-1").out


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "field=colour"),
        ({"lines": [{**PAYROLL["lines"][0], "amount": 1.5}]}, "field=lines[0].amount"),
        ({"lines": PAYROLL["lines"][:2]}, "unbalanced_transaction"),
        ({"effective_at": "2026-02-27"}, "field=effective_at"),
    ],
    ids=["unknown field", "float", "unbalanced", "no offset"],
)
def test_a_faulty_file_is_refused_with_the_place_of_the_fault(books, write, changes, named):
    """Status 2."""
    refused = books("post", "--file", write("faulty.json", {**PAYROLL, **changes}))

    assert refused.status == 2
    assert named in refused.err


def test_a_batch_posts_every_line_for_itself(books, write):
    """Refused lines are told with their number; the status says that there are some."""
    rows = (
        numbered(2)
        + "\n"
        + numbered(1, key="broke").replace(
            '"debit": "assets:bank", "credit": "wallets:ann"', '"debit": "wallets:bob", "credit": "assets:bank"'
        )
    )
    path = write("batch.ndjson", rows)

    first, again = books("post", "--batch", path, "--json"), books("post", "--batch", path)

    assert first.status == again.status == 1
    assert {name: first.document[name] for name in ("posted", "replayed", "refused")} == {
        "posted": 2, "replayed": 0, "refused": 1,
    }  # fmt: skip
    assert [item["line"] for item in first.document["outcomes"]] == [1, 2, 4]
    assert "0 posted, 2 replayed, 1 refused" in again.out
    assert "insufficient_funds" in again.out


def test_an_atomic_batch_posts_all_or_nothing(books, write):
    """One refusal refuses the rest with it."""
    rows = numbered(2) + numbered(1, key="x").replace("EUR", "USD")

    refused = books("post", "--batch", write("batch.ndjson", rows), "--atomic", "--json")

    assert refused.status == 1
    assert refused.document["posted"] == 0
    assert books.json("balance", "wallets:ann")["posted"] == "100.00"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "invalid_argument"),
        (numbered(1) + "{\n", "invalid_json"),
        (numbered(1) + '{"key": "k", "key": "k"}\n', "invalid_json"),
        (numbered(20_001), "batch_too_large"),
    ],
    ids=["empty", "cut off", "repeated name", "too many"],
)
def test_a_batch_that_cannot_be_read_posts_nothing(books, write, content, code):
    """The whole file is read first."""
    result = books("post", "--batch", write("batch.ndjson", content))

    assert result.status == 2
    assert result.err.startswith(f"error: {code}: ")
    assert books.json("balance", "wallets:ann")["posted"] == "100.00"


def test_a_line_that_is_not_utf_8_is_named(books, tmp_path):
    """The row comes with the reason."""
    path = tmp_path / "latin.ndjson"
    path.write_bytes(numbered(1).encode() + b'{"description": "\xe4"}\n')

    result = books("post", "--batch", str(path))

    assert result.status == 2
    assert result.err.startswith("error: invalid_encoding: ")
    assert "row=2" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("assets:bank",),
        ("assets:bank", "wallets:ann", "1.00"),
        ("assets:bank", "wallets:ann", "1.00", "EUR", "--atomic"),
        ("--file", "{file}", "--key", "k"),
        ("--file", "{file}", "--batch", "{file}"),
        ("assets:bank", "wallets:ann", "1.00", "EUR", "--file", "{file}"),
        ("--file", "{file}.missing"),
    ],
)
def test_arguments_that_do_not_fit_together_are_wrong_usage(books, write, arguments):
    """Status 2, with or without a problem document."""
    path = write("payroll.json", PAYROLL)
    arguments = [argument.format(file=path) for argument in arguments]

    told, documented = books("post", *arguments), books("post", *arguments, "--json")

    assert told.status == documented.status == 2
    assert told.err.startswith("Usage: ledgercore post")
    assert documented.problem["code"] == "invalid_argument"


@pytest.mark.parametrize("amount", ["-5", "1,5", "1e3", "0", "0.001", "NaN", "Infinity", "9" * 39, "", "٣"])
def test_an_amount_is_a_plain_decimal_above_zero(books, amount):
    """Anything else is refused rather than guessed."""
    result = books("post", "--", "assets:bank", "wallets:ann", amount, "EUR")

    assert result.status == 2
    assert result.err.startswith("error: invalid_amount_format: ")


def test_a_transaction_is_undone_in_parts_until_nothing_is_left(books):
    """By key or by id, by an amount or by what remains."""
    part = books.json("reverse", "key:top-up", "40.00", "--description", "Half back")
    rest = books.json("reverse", str(books.ledger.get_transaction_by_key("top-up").id))
    none = books("reverse", "key:top-up")

    assert part["lines"][0]["amount"] == "40.00"
    assert rest["lines"][0]["amount"] == "60.00"
    assert part["reverses"] == rest["reverses"]
    assert none.status == 5
    assert none.err.startswith("error: transaction_already_reversed: ")


def test_lines_of_a_transaction_are_undone_by_name(books, write):
    """An array of lines says what of each."""
    books("post", "--file", write("payroll.json", PAYROLL))
    lines = [{**line, "amount": "900.00"} for line in (PAYROLL["lines"][0], PAYROLL["lines"][2])]

    undone = books.json("reverse", "key:payroll-1", "--lines", write("lines.json", lines))

    assert {line.get("debit") for line in undone["lines"]} == {"liabilities:tax", None}
    assert books.json("balance", "liabilities:tax")["posted"] == "0.00"
