"""Whatever text comes in, it is read back unchanged or refused for a catalogued reason; nothing else happens."""

import itertools
import threading
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledgercore.errors import LedgercoreError
from ledgercore.errors.category import Category
from ledgercore.ledger.commands import ClosePeriod
from ledgercore.ledger.holds import Capture, PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.queries import AsOf, HoldFilter, TransactionFilter
from ledgercore.ledger.texts import parse_moment
from ledgercore.ledger.transactions import Line, Precondition, transfer
from ledgercore.money import Money
from ledgercore.testing import OPENING, StoppedClock
from ledgercore.testing.ledgers import EUR, MONDAY, eur, key_id, told
from ledgercore_memory import MemoryStore
from ledgercore_postgres import PostgresStore

_numbers = itertools.count(1)

any_character = st.characters()
any_text = st.one_of(
    st.text(any_character, max_size=40),
    st.text(any_character, min_size=200, max_size=300),
    st.text("ab:._-", max_size=20).map(lambda text: f"assets:{text}"),
    st.sampled_from(["\x00", "a\x00b", "\ud800", "\udfffx", "assets:\n", "assets:a\n", "\U0001d7d9", "a" * 256]),
    st.just("💶" * 255),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(10**300, 10**320), st.floats(), any_text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(any_text, inner, max_size=3)),
    max_leaves=8,
)
metadata = st.dictionaries(any_text, json_values, max_size=3)


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A ledger in each store; the same for all examples of a test, since nothing bad gets into it."""
    clock = StoppedClock(MONDAY)
    if request.param == "memory":
        return Ledger(MemoryStore(clock=clock).create("any", OPENING))
    engine: Engine = request.getfixturevalue("random_engine")
    return Ledger(PostgresStore(engine, clock=clock).create(f"any-{next(_numbers)}", OPENING))


def refused_for_a_reason(act) -> bool:
    """Whether the act was refused, as something that the caller has to mend."""
    error = _error_of(act)
    if error is None:
        return False
    assert error.reason.category in (Category.VALIDATION, Category.NOT_FOUND, Category.BUSINESS_RULE), error
    assert error.reason.category is not Category.VALIDATION or "field" in error.details
    assert str(error).encode()
    return True


def _error_of(act):
    try:
        act()
    except LedgercoreError as error:
        return error
    return None


@given(text=any_text)
def test_description_reference_and_key_are_read_back(ledger, text):
    """Free text is stored exactly, or refused by the field that holds it."""
    for field in ("description", "reference", "key"):
        number = ledger.state().number
        fields = {"key": f"{text}{number}"} if field == "key" else {field: text}

        refused = refused_for_a_reason(
            lambda fields=fields: ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("0.01"), **fields)
        )

        if refused:
            assert ledger.state().number == number
        else:
            [found] = ledger.list_transactions(limit=1).items
            assert getattr(found, field) == (fields[field] or None)


@given(path=any_text)
def test_paths_name_accounts_or_are_refused(ledger, path):
    """An account opens under exactly this path, or the field is named; readers refuse what cannot be a path."""
    number = ledger.state().number

    refused = refused_for_a_reason(lambda: ledger.transfer(debit=path, credit="income:x", amount=eur("0.01")))

    if refused:
        assert ledger.state().number == number
    else:
        assert ledger.get_account(path).path == path
    for read in (
        lambda: ledger.get_account(path),
        lambda: ledger.balance_at(path, effective_at=MONDAY),
        lambda: ledger.list_entries(path),
        lambda: ledger.list_accounts(prefix=path),
        lambda: ledger.balances(prefix=path),
        lambda: ledger.balances(prefix=path, effective_at=MONDAY),
        lambda: ledger.list_transactions(account=path),
        lambda: ledger.list_holds(account=path),
        lambda: Precondition(path, balance=0),
    ):
        refused_for_a_reason(read)


@given(found=metadata)
@example(found={"a": float("nan")})
@example(found={"a": [[[[[[[[1]]]]]]]]})
@example(found={"a": 10**5000})
@example(found={"a": "x" * 20_000})
@example(found={"a": {1: 2}})
@example(found={"a": {1, 2}})
@example(found=[1])
@example(found="text")
def test_metadata_is_read_back(ledger, found):
    """Metadata comes back as it was, is found by itself, or is refused whole."""
    number = ledger.state().number

    refused = refused_for_a_reason(
        lambda: ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("0.01"), metadata=found)
    )

    if refused:
        assert ledger.state().number == number
    else:
        [newest] = ledger.list_transactions(limit=1).items
        assert newest.metadata == (found or None)
        [again] = ledger.list_transactions(limit=1, metadata=found).items
        assert again.number == newest.number


@given(text=any_text)
def test_groups_and_filters_take_any_text(ledger, text):
    """A group is found under its name; whatever else is searched for is found or refused."""
    refused = refused_for_a_reason(
        lambda: ledger.place(PlaceHold(lines=[Line(eur("0.01"), "assets:a", "assets:b")], group=text))
    )

    if not refused:
        assert ledger.list_holds(group=text).items
    for read in (
        lambda: ledger.list_transactions(reference=text),
        lambda: ledger.get_transaction_by_key(text),
        lambda: ledger.journal.list_holds(HoldFilter(group=text)),
        lambda: ledger.list_accounts(cursor=text),
        lambda: ledger.list_transactions(cursor=text),
        lambda: ledger.list_holds(cursor=text),
        lambda: ledger.list_entries("assets:a", cursor=text),
    ):
        refused_for_a_reason(read)


@given(minor=st.one_of(st.integers(), st.integers(10**37, 10**40), st.floats(), st.booleans(), any_text))
def test_amounts_of_any_kind_move_exactly_or_not_at_all(ledger, minor):
    """Minor units are whole, above zero, and of at most 38 digits; filters by amount are as strict."""
    number = ledger.state().number

    refused = refused_for_a_reason(
        lambda: ledger.transfer(debit="assets:m", credit="assets:n", amount=Money(minor, EUR))
    )

    if refused:
        assert ledger.state().number == number
    else:
        [found] = ledger.list_transactions(limit=1).items
        assert [line.line.amount.minor for line in found.lines] == [minor]
    refused_for_a_reason(lambda: ledger.list_transactions(amount_minor_min=minor))
    refused_for_a_reason(lambda: Precondition("assets:m", balance=minor))


offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=st.datetimes(timezones=st.one_of(st.none(), offsets)))
@example(moment=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
@example(moment=datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-14))))
def test_times_of_any_year_and_offset_are_read_back(ledger, moment):
    """A time comes back as the same moment, or is refused for its year or its missing offset."""
    assume(moment.tzinfo is None or moment.utcoffset() is not None)
    number = ledger.state().number

    refused = refused_for_a_reason(
        lambda: ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("0.01"), effective_at=moment)
    )

    if refused:
        assert ledger.state().number == number
        assert moment.tzinfo is None or not 1001 <= moment.year <= 9997
    else:
        [found] = ledger.list_transactions(limit=1).items
        assert found.effective_at == moment
        ledger.balance_at("assets:a", effective_at=moment)
    for read in (
        lambda: AsOf(effective_at=moment, recorded_at=moment),
        lambda: TransactionFilter(effective_from=moment, recorded_to=moment),
        lambda: ledger.balance_at("assets:b", recorded_at=moment),
        lambda: ClosePeriod(through=moment),
    ):
        refused_for_a_reason(read)


@given(text=st.one_of(any_text, st.from_regex(r"[0-9]{4,5}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,15}(Z|[+-][0-9:]{2,6})?)?")))
def test_any_text_is_a_time_or_refused(text):
    """What is no ISO 8601 time with an offset is refused, and what is has one."""
    refused_for_a_reason(lambda: parse_moment(text, field="effective_at"))


def test_hold_is_captured_once_by_many(ledger):
    """Of captures that arrive at the same time one takes effect, and the others are told."""
    ledger.transfer(debit="assets:bank", credit="liabilities:w", amount=eur("100.00"))
    ledger.hold(debit="liabilities:w", credit="income:x", amount=eur("60.00"), id=key_id(1))
    start, words = threading.Barrier(4), []

    def capture() -> None:
        start.wait(timeout=30)
        words.append(told(ledger.post_all([Capture(hold=key_id(1))])[0]))

    threads = [threading.Thread(target=capture) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(words) == ["hold_already_closed"] * 3 + ["posted"]
    assert str(ledger.balance("liabilities:w").posted) == "40.00 EUR"


def test_one_key_posts_once_from_many_threads(ledger):
    """Callers who repeat each other get one transaction, whatever the order."""
    command = transfer(debit="assets:new", credit="income:new", amount=eur("1.00"), key="once")
    start, outcomes = threading.Barrier(4), []

    def post() -> None:
        start.wait(timeout=30)
        outcomes.append(ledger.post_all([command])[0])

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(outcome.replayed for outcome in outcomes) == [False, True, True, True]
    assert len({outcome.number for outcome in outcomes}) == 1
    assert str(ledger.balance("assets:new").posted) == "1.00 EUR"
