"""The sample year: sound books that are the same everywhere."""

import csv
import hashlib
import io
import json
from collections import Counter

import pytest

from ledgercore.ledger.documents import transaction_from
from ledgercore.ledger.files.csv_rows import COLUMNS
from ledgercore.money import ISO
from ledgercore_app.sample import YEAR, sample_year


@pytest.fixture(scope="module")
def movements():
    return sample_year()


def test_the_year_is_the_same_every_time(movements):
    """Whoever runs it gets these very movements; a change of the rules changes this digest."""
    text = "\n".join(json.dumps(movement.document(), sort_keys=True) for movement in movements)

    assert sample_year() == movements
    assert len(movements) == 2_041
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "0b5860df52d49be5"


def test_movements_come_in_order_within_the_year_under_keys_of_their_own(movements):
    """As a bookkeeper would write them."""
    times = [movement.effective_at for movement in movements]

    assert times == sorted(times)
    assert {time.year for time in times} == {YEAR}
    assert len({movement.key for movement in movements}) == len(movements)


def test_the_year_has_transactions_of_many_lines_and_two_currencies(movements):
    """Sales with VAT, payrolls, and dollars bought through trading accounts."""
    sizes = Counter(len(movement.lines) for movement in movements)
    exchanges = [movement for movement in movements if movement.key.startswith("exchange")]

    assert sizes[4] == 36
    assert sizes[2] > 1_000
    assert len(exchanges) == 4
    assert {money.currency.code for _, _, money in exchanges[0].lines} == {"EUR", "USD"}


def test_every_document_is_a_transaction(movements):
    """Read as strictly as anybody's."""
    for movement in movements:
        assert transaction_from(movement.document(), ISO).key == movement.key


def test_no_account_of_the_company_is_overdrawn_at_any_time(movements):
    """Cash, banks and card money are never below zero, receivables and what is owed neither."""
    balances: Counter[str] = Counter()
    for movement in movements:
        for debit, credit, money in movement.lines:
            balances[debit] += money.minor
            balances[credit] -= money.minor
        for account, minor in balances.items():
            if account.startswith("assets:"):
                assert minor >= 0, (movement.key, account)
            if account.startswith("liabilities:"):
                assert minor <= 0, (movement.key, account)


def test_the_sample_is_written_as_csv_or_as_ndjson(console):
    """One row for each line, or one document for each movement."""
    rows = list(csv.reader(io.StringIO(console("sample").out)))
    documents = [json.loads(line) for line in console("sample", "--ndjson").out.splitlines()]

    assert rows[0] == [*COLUMNS]
    assert len(rows) - 1 == sum(len(document["lines"]) for document in documents)
    assert len({row[0] for row in rows}) == len(rows)
