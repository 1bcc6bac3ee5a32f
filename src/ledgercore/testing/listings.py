"""Registers, listings and searches: keyset pages that stay stable whatever is inserted."""

from datetime import timedelta
from typing import Any

import pytest

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.ledger.accounts import Side
from ledgercore.ledger.commands import Reversal
from ledgercore.ledger.holds import HoldStatus, PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.queries import HoldFilter, TransactionFilter
from ledgercore.ledger.transactions import Line, Transaction, credit, debit
from ledgercore.pages import encode_cursor
from ledgercore.testing.ledgers import LedgerContract, StoppedClock, day, eur, key_id, pages


class RegisterContract(LedgerContract):
    """An account's entries with the running balance."""

    @pytest.fixture
    def busy(self, ledger: Ledger) -> Ledger:
        """A ledger in which one account has entries of every form."""
        ledger.transfer(
            debit="assets:a", credit="income:x", amount=eur("10.00"), description="first", effective_at=day(9)
        )
        ledger.post(
            Transaction(
                lines=[
                    debit("expenses:y", eur("3.00")),
                    credit("assets:a", eur("1.00")),
                    credit("assets:a", eur("2.00")),
                ],
                description="second",
                effective_at=day(3),
            )
        )
        third = ledger.transfer(debit="assets:b", credit="assets:a", amount=eur("4.00"))
        ledger.reverse(third.id)
        return ledger

    def test_entries_run_in_recorded_order(self, busy: Ledger) -> None:
        """Each entry says its side, amount, counterpart, times, and the balance after it."""
        found = busy.list_entries("assets:a").items

        assert [(entry.side, entry.amount, entry.balance, entry.counterpart) for entry in found] == [
            (Side.DEBIT, eur("10.00"), eur("10.00"), "income:x"),
            (Side.CREDIT, eur("1.00"), eur("9.00"), None),
            (Side.CREDIT, eur("2.00"), eur("7.00"), None),
            (Side.CREDIT, eur("4.00"), eur("3.00"), "assets:b"),
            (Side.DEBIT, eur("4.00"), eur("7.00"), "assets:b"),
        ]
        assert [entry.description for entry in found] == ["first", "second", "second", None, None]
        assert [(entry.line, entry.kind) for entry in found] == [(0, "t"), (1, "t"), (2, "t"), (0, "t"), (0, "r")]
        assert [entry.effective_at for entry in found[:3]] == [day(9), day(3), day(3)]
        transaction = busy.get_transaction(found[1].transaction_id)
        assert (transaction.number, transaction.recorded_at) == (found[1].number, found[1].recorded_at)

    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_pages_cover_everything_once_in_either_direction(self, busy: Ledger, limit: int) -> None:
        """Pages of any size come to the same list; backwards it is reversed."""
        forwards = list(pages(busy.list_entries, "assets:a", limit=limit))
        backwards = list(pages(busy.list_entries, "assets:a", limit=limit, newest_first=True))

        assert forwards == list(busy.list_entries("assets:a", limit=1000).items)
        assert backwards == forwards[::-1]
        assert len(forwards) == 5

    def test_cursors_stay_stable_under_inserts(self, busy: Ledger) -> None:
        """What is recorded between two pages comes at the end forwards, and not at all backwards."""
        old = busy.list_entries("assets:a", limit=2)
        new = busy.list_entries("assets:a", limit=2, newest_first=True)
        busy.transfer(debit="assets:a", credit="income:x", amount=eur("1.00"), effective_at=day(1))

        rest_old = busy.list_entries("assets:a", cursor=old.next_cursor)
        rest_new = busy.list_entries("assets:a", cursor=new.next_cursor, newest_first=True)

        everything = busy.list_entries("assets:a").items
        assert old.items + rest_old.items == everything
        assert new.items + rest_new.items == everything[-2::-1]

    def test_last_page_has_no_cursor(self, busy: Ledger) -> None:
        """A page that ends the list says so, though it is full."""
        assert busy.list_entries("assets:a", limit=5).next_cursor is None
        assert busy.list_entries("assets:a", limit=4).next_cursor is not None

    def test_unknown_account_has_no_register(self, busy: Ledger) -> None:
        """Nothing is listed of what is not there."""
        with pytest.raises(NotFoundError):
            busy.list_entries("assets:zz")

    def test_opened_account_without_entries_has_an_empty_register(self, busy: Ledger) -> None:
        """No entries, one page."""
        busy.open_account("assets:new", eur("0.00").currency)

        assert busy.list_entries("assets:new").items == ()


class ListingContract(LedgerContract):
    """Accounts, holds, transactions: listed by filter and cursor."""

    def test_accounts_are_listed_by_path(self, ledger: Ledger) -> None:
        """At or below a prefix, segment by segment, in the order of code points."""
        for path in ("assets:b", "assets:B", "assets:b:1", "assets:b1", "assets:b.1", "assets:_", "income:x"):
            ledger.transfer(debit=path, credit="equity:e", amount=eur("1.00"))

        paths = [account.path for account in pages(ledger.list_accounts, limit=2)]
        below = [account.path for account in pages(ledger.list_accounts, limit=1, prefix="assets:b")]

        assert paths == sorted(paths)
        assert len(paths) == 8
        assert below == ["assets:b", "assets:b:1"]
        assert ledger.list_accounts(prefix="assets:zz").items == ()

    def test_holds_are_listed_by_filter(self, ledger: Ledger, clock: StoppedClock) -> None:
        """By status as of now, by group, by account; in the order of their ids."""
        line, other = Line(eur("1.00"), "assets:a", "assets:b"), Line(eur("1.00"), "assets:c", "assets:b")
        end = clock.now + timedelta(hours=1)
        for number, hold in enumerate(
            [
                PlaceHold(lines=[line], group="g", id=key_id(1)),
                PlaceHold(lines=[line], expires_at=end, id=key_id(2)),
                PlaceHold(lines=[other], group="g", id=key_id(3)),
                PlaceHold(lines=[line], id=key_id(4)),
                PlaceHold(lines=[line], expires_at=end, id=key_id(5)),
            ]
        ):
            assert ledger.place(hold).id == key_id(number + 1)
        ledger.void(key_id(4))
        ledger.capture(key_id(3))
        clock.forward(hours=1)

        def found(**wanted: Any) -> list[int]:
            return [
                hold.id.int - key_id(0).int for hold in pages(ledger.journal.list_holds, HoldFilter(**wanted), limit=2)
            ]

        assert found() == [1, 2, 3, 4, 5]
        assert [found(status=status) for status in HoldStatus] == [[1], [3], [4], [2, 5]]
        assert found(group="g") == [1, 3]
        assert found(account="assets:c") == [3]
        assert found(account="assets:b", status=HoldStatus.OPEN, group="g") == [1]
        assert found(account="assets:zz") == []

    def test_transactions_are_found_by_each_filter(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Every field narrows the search, and all that are given must fit; newest come first."""
        one = ledger.transfer(
            debit="assets:a", credit="income:x", amount=eur("1.00"), reference="R1",
            metadata={"n": 1, "l": [1, {"a": "b"}]}, effective_at=day(1),
        )  # fmt: skip
        clock.forward(hours=1)
        two = ledger.transfer(
            debit="assets:b", credit="income:x", amount=eur("20.00"), reference="R1", metadata={"n": True},
            effective_at=day(2),
        )  # fmt: skip
        clock.forward(hours=1)
        lines = [debit("assets:a", eur("9.00")), credit("income:x", eur("4.00")), credit("income:z", eur("5.00"))]
        three = ledger.post(Transaction(lines=lines, effective_at=day(3), metadata={"n": {"l": 1}}))
        four = ledger.reverse(two.id, amount=eur("3.00"), effective_at=day(4))
        hold_id = ledger.hold(debit="assets:a", credit="income:x", amount=eur("2.00"), metadata={"n": 1}).id
        five = ledger.capture(hold_id, effective_at=day(5))
        numbers = {outcome.number: index for index, outcome in enumerate((one, two, three, four, five), 1)}

        def found(**wanted: Any) -> list[int]:
            listed = pages(ledger.journal.list_transactions, TransactionFilter(**wanted), limit=1)
            return [numbers[transaction.number] for transaction in listed]

        assert found() == [5, 4, 3, 2, 1]
        assert found(account="assets:a") == [5, 3, 1]
        assert found(account="income:x") == [5, 4, 3, 2, 1]
        assert found(reference="R1") == [2, 1]
        assert found(metadata={"n": 1}) == [5, 1]
        assert found(metadata={"n": True}) == [2]
        assert found(metadata={"l": [{"a": "b"}]}) == [1]
        assert found(metadata={"n": {}}) == [3]
        assert found(metadata={"n": 1}, account="assets:b") == []
        assert found(amount_minor_min=500, amount_minor_max=2000) == [3, 2]
        assert found(account="income:z", amount_minor_max=450) == []
        assert found(amount_minor_min=2001) == []
        assert found(effective_from=day(2), effective_to=day(4)) == [4, 3, 2]
        assert found(recorded_to=two.recorded_at) == [2, 1]
        assert found(recorded_from=three.recorded_at) == [5, 4, 3]

    def test_compound_transactions_come_whole(self, ledger: Ledger) -> None:
        """A search by account gives all lines of what it finds, and each transaction once."""
        lines = [debit("assets:a", eur("9.00")), credit("income:x", eur("4.00")), credit("income:x", eur("5.00"))]
        ledger.post(Transaction(lines=lines))

        [found] = ledger.list_transactions(account="income:x", limit=5).items

        assert [line.line for line in found.lines] == lines

    def test_search_by_an_unknown_account_is_refused(self, ledger: Ledger) -> None:
        """A search for entries of what is not there is an error rather than an empty page."""
        with pytest.raises(NotFoundError):
            ledger.list_transactions(account="assets:zz")

    def test_searches_stay_stable_under_inserts(self, ledger: Ledger) -> None:
        """New transactions come before the first page, and disturb none after it."""
        outcomes = [ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00")) for _ in range(5)]
        first = ledger.list_transactions(limit=2)
        ledger.post_all([Reversal(transaction=outcomes[0].id)])

        second = ledger.list_transactions(limit=9, cursor=first.next_cursor)

        assert [found.number for found in first.items + second.items] == [each.number for each in outcomes[::-1]]

    @pytest.mark.parametrize("limit", [0, -1, 1001, True, "5", 2.0])
    def test_page_size_is_between_1_and_1000(self, ledger: Ledger, limit: Any) -> None:
        """Other sizes are refused by every listing."""
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        listings: list[Any] = [
            ledger.list_accounts,
            ledger.list_transactions,
            ledger.list_holds,
            lambda **options: ledger.list_entries("assets:a", **options),
        ]

        for listing in listings:
            with pytest.raises(ValidationError) as caught:
                listing(limit=limit)
            assert (caught.value.code, caught.value.details["field"]) == ("invalid_filter", "limit")

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "?",
            "AAAA",
            "ÿ",
            "\udc80",
            "a\x00b",
            "W10",
            encode_cursor("elsewhere", 1),
            encode_cursor("accounts", 1),
            encode_cursor("accounts", "a\x00b"),
            encode_cursor("accounts", "ü"),
            encode_cursor("accounts", "a", "b"),
            encode_cursor("transactions", "1"),
            encode_cursor("transactions", True),
            encode_cursor("transactions", -1),
            encode_cursor("transactions", 2**63),
            encode_cursor("transactions", 10**4000),
            encode_cursor("holds", "not a uuid"),
            encode_cursor("holds", 1),
            encode_cursor("entries", 1),
            encode_cursor("entries", 2**70, 0),
            encode_cursor("entries", 1, -1),
            encode_cursor("entries-newest", 1, None),  # type: ignore[arg-type]
        ],
    )
    def test_cursor_that_no_page_gave_out_is_refused(self, ledger: Ledger, cursor: str) -> None:
        """Cursors of other listings, tampered ones and made-up ones are told apart by every listing."""
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        listings: list[Any] = [
            ledger.list_accounts,
            ledger.list_transactions,
            ledger.list_holds,
            lambda **options: ledger.list_entries("assets:a", **options),
            lambda **options: ledger.list_entries("assets:a", newest_first=True, **options),
        ]

        for listing in listings:
            with pytest.raises(ValidationError) as caught:
                listing(cursor=cursor)
            assert (caught.value.code, caught.value.details["field"]) == ("invalid_cursor", "cursor")

    def test_cursors_of_one_listing_do_not_fit_another(self, ledger: Ledger) -> None:
        """A register's cursor leads on in its own direction only."""
        for _ in range(3):
            ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        cursor = ledger.list_entries("assets:a", limit=1).next_cursor

        with pytest.raises(ValidationError):
            ledger.list_entries("assets:a", limit=1, cursor=cursor, newest_first=True)
        with pytest.raises(ValidationError):
            ledger.list_transactions(limit=1, cursor=cursor)

    def test_unknown_things_are_not_found(self, ledger: Ledger) -> None:
        """Each reader by name has its own reason."""
        hold_id = ledger.hold(debit="assets:a", credit="assets:b", amount=eur("1.00")).id

        for read, code in (
            (lambda: ledger.get_account("assets:zz"), "account_not_found"),
            (lambda: ledger.get_transaction(hold_id), "transaction_not_found"),
            (lambda: ledger.get_transaction_by_key("none"), "transaction_not_found"),
            (lambda: ledger.get_hold(key_id(1)), "hold_not_found"),
        ):
            with pytest.raises(NotFoundError) as caught:
                read()
            assert caught.value.code == code
