"""The suite for the store of payments: every promise of its port."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.banking.accounts import BankAccount
from ledgercore.errors.catalog import INSUFFICIENT_FUNDS
from ledgercore.money import Money, currency
from ledgercore.payments.payments import Payment, PaymentFilter, PaymentStatus, PaymentType, Return, start_of_day
from ledgercore.payments.ports import Store
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import stored_account
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.ledgers import MONDAY, LedgerContract
from ledgercore.testing.payments_people import completed, payment, stored_payments

MINUTE = timedelta(minutes=1)


class PaymentStoreContract(LedgerContract):
    """Subclass it, override the fixture `bank_store`, and run pytest."""

    @pytest.fixture
    def bank_store(self) -> Store:
        """Where everything is kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `bank_store`")

    @pytest.fixture
    def account(self, bank_store: Store) -> BankAccount:
        """An account in euros."""
        return stored_account(bank_store)

    def test_payments_being_processed_are_listed_by_id(self, bank_store: Store, account: BankAccount) -> None:
        """After one of them, and none that waits or is final."""
        begun = [payment(account).moved("process", now=MONDAY) for _ in range(3)]
        stored_payments(bank_store, begun[1], payment(account), begun[2], completed(account), begun[0])
        before = begun[0].id.int - 1

        with bank_store.begin() as work:
            first = work.payments.list_processing(after=UUID(int=before), limit=2)
            rest = work.payments.list_processing(after=first[-1].id, limit=2)

        assert [*first, *rest] == begun

    def test_payment_is_found_as_it_was_stored(self, bank_store: Store, account: BankAccount) -> None:
        """Whatever its amount, and every field of it."""
        greatest = payment(account, "9" * 36 + ".99", description="ümläut — 支付", external_transaction_id="x")
        stored_payments(bank_store, greatest)

        with bank_store.begin() as work:
            assert work.payments.find(greatest.id) == greatest
            assert work.payments.find(new_id()) is None

    @pytest.mark.parametrize(("code", "amount"), [("JPY", "500"), ("KWD", "1.234")])
    def test_currency_keeps_its_decimals(self, bank_store: Store, code: str, amount: str) -> None:
        """Minor units are those of the currency."""
        made = payment(stored_account(bank_store, currency=code), amount)
        stored_payments(bank_store, made)

        with bank_store.begin() as work:
            found = work.payments.find(made.id)

        assert found is not None
        assert str(found.amount) == f"{amount} {code}"

    def test_locked_are_those_that_are_there(self, bank_store: Store, account: BankAccount) -> None:
        """By id, each once."""
        made = [payment(account) for _ in range(3)]
        stored_payments(bank_store, *made)

        with bank_store.begin() as work:
            found = work.payments.lock([made[2].id, new_id(), made[0].id, made[2].id])
            assert work.payments.lock([]) == []

        assert list(found) == [made[0], made[2]]

    def test_saved_are_as_they_became(self, bank_store: Store, account: BankAccount) -> None:
        """Each way that a payment can end, in one batch."""
        ended = [payment(account) for _ in range(4)]
        stored_payments(bank_store, *ended)
        after = [
            ended[0].completed(new_id(), now=MONDAY + MINUTE),
            ended[1].failed(INSUFFICIENT_FUNDS, now=MONDAY + MINUTE),
            ended[2].moved("cancel", now=MONDAY + MINUTE),
            evolve(ended[3].begun(now=MONDAY + MINUTE), external_transaction_id="theirs"),
        ]

        with bank_store.begin() as work:
            work.payments.lock([each.id for each in ended])
            work.payments.save_all(after)

        with bank_store.begin() as work:
            assert [work.payments.find(each.id) for each in ended] == after

    def test_nothing_is_left_of_a_unit_that_failed(self, bank_store: Store, account: BankAccount) -> None:
        """Neither a new payment, nor a change, nor a return."""
        there, new = payment(account), payment(account)
        stored_payments(bank_store, there)

        def fail() -> None:
            with bank_store.begin() as work:
                work.payments.add(new)
                [locked] = work.payments.lock([there.id])
                work.payments.save_all([locked.moved("cancel", now=MONDAY)])
                work.payments.add_return(_return(there, 1))
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        with bank_store.begin() as work:
            assert (work.payments.find(new.id), work.payments.find(there.id)) == (None, there)
            assert list(work.payments.returns_of(there.id)) == []

    def test_pages_are_newest_first(self, bank_store: Store, account: BankAccount) -> None:
        """With how many there are in all; payments of one moment by id."""
        made = [payment(account, inserted_at=MONDAY) for _ in range(5)]
        stored_payments(bank_store, *made)
        mine = PaymentFilter(user_id=account.user_id)

        with bank_store.begin() as work:
            pages = [work.payments.page(mine, offset=offset, limit=2) for offset in (0, 2, 4, 6)]

        assert [total for _, total in pages] == [5] * 4
        assert [each for items, _ in pages for each in items] == made[::-1]

    def test_everybodys_are_listed_without_a_user(self, bank_store: Store, account: BankAccount) -> None:
        """The newest of all users come first."""
        latest = [
            payment(each, inserted_at=MONDAY + timedelta(days=3_000)) for each in (account, stored_account(bank_store))
        ]
        stored_payments(bank_store, *latest)

        with bank_store.begin() as work:
            items, total = work.payments.page(PaymentFilter(), offset=0, limit=2)

        assert {each.inserted_at for each in items} == {latest[0].inserted_at}
        assert total >= len(latest)

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"status": PaymentStatus.COMPLETED}, "b"),
            ({"direction": Direction.CREDIT}, "c"),
            ({"payment_type": PaymentType.TRANSFER}, "a"),
            # The posted one counts by when it was posted, the others by when they were inserted.
            ({"date_from": MONDAY + 2 * MINUTE}, "bc"),
            ({"date_to": MONDAY + 2 * MINUTE}, "ac"),
            ({"date_from": MONDAY + 2 * MINUTE, "date_to": MONDAY + 2 * MINUTE}, "c"),
            ({"amount_min": Decimal("20.00")}, "bc"),
            ({"amount_max": Decimal("20.00")}, "ab"),
            ({"amount_min": Decimal("10.01"), "amount_max": Decimal("29.99")}, "b"),
            ({"amount_min": Decimal("-1")}, "abc"),
            ({"status": PaymentStatus.COMPLETED, "direction": Direction.CREDIT}, ""),
        ],
    )
    def test_filters_must_all_fit(
        self, bank_store: Store, account: BankAccount, wanted: dict[str, Any], expected: str
    ) -> None:
        """Bounds are inclusive."""
        made = {
            "a": payment(account, "10.00", inserted_at=MONDAY, payment_type=PaymentType.TRANSFER),
            "b": completed(account, "20.00", inserted_at=MONDAY, at=MONDAY + 3 * MINUTE),
            "c": payment(account, "30.00", inserted_at=MONDAY + 2 * MINUTE, direction=Direction.CREDIT),
        }
        stored_payments(bank_store, *made.values())

        with bank_store.begin() as work:
            found, total = work.payments.page(PaymentFilter(user_id=account.user_id, **wanted), offset=0, limit=10)

        assert {each.id for each in found} == {made[name].id for name in expected}
        assert total == len(expected)

    def test_amounts_are_compared_in_units_of_each_currency(self, bank_store: Store) -> None:
        """Five hundred yen are above four hundred and ninety-nine euros and some cents."""
        yen = stored_account(bank_store, currency="JPY")
        made = payment(yen, "500")
        stored_payments(bank_store, made)

        with bank_store.begin() as work:
            for least, count in ((Decimal("499.99"), 1), (Decimal("500.01"), 0)):
                wanted = PaymentFilter(user_id=yen.user_id, amount_min=least)
                assert work.payments.page(wanted, offset=0, limit=1)[1] == count

    def test_spent_are_completed_debits_since_a_time(self, bank_store: Store, account: BankAccount) -> None:
        """Of each account by itself; what was posted at that very time counts."""
        other, unused = stored_account(bank_store), stored_account(bank_store)
        midnight = start_of_day(MONDAY)
        stored_payments(
            bank_store,
            completed(account, "1.00", at=midnight),
            completed(account, "2.00"),
            completed(account, "4.00", at=midnight - timedelta(microseconds=1)),
            completed(account, "8.00", direction=Direction.CREDIT),
            payment(account, "16.00"),
            payment(account, "32.00").failed(INSUFFICIENT_FUNDS, now=MONDAY),
            completed(other, "64.00"),
        )

        with bank_store.begin() as work:
            spent = work.payments.spent([account.id, other.id, unused.id], since=midnight)

        assert spent == {account.id: 300, other.id: 6_400}

    def test_look_alikes_have_everything_in_common(self, bank_store: Store, account: BankAccount) -> None:
        """User, direction, amount, currency and description; whichever account of the user they are of."""
        made = payment(account, "5.00", description="rent")
        since = MONDAY - 5 * MINUTE
        alike = [
            completed(account, "5.00", description="rent", at=since),
            completed(account, "5.00", description="rent", payment_type=PaymentType.TRANSFER),
        ]
        stored_payments(
            bank_store,
            *alike,
            completed(account, "5.00", description="rent", at=since - timedelta(microseconds=1)),
            completed(account, "5.01", description="rent"),
            completed(account, "5.00", description="Rent"),
            completed(account, "5.00", description="rent", direction=Direction.CREDIT),
            completed(stored_account(bank_store), "5.00", description="rent"),
            evolve(completed(account, "5.00", description="rent"), amount=Money(500, currency("USD"))),
            payment(account, "5.00", description="rent"),
        )

        with bank_store.begin() as work:
            found = work.payments.look_alikes([made, evolve(made, id=new_id())], since=since)
            assert list(work.payments.look_alikes([], since=since)) == []

        assert list(found) == alike[::-1]

    def test_look_alikes_of_a_batch_come_together(self, bank_store: Store, account: BankAccount) -> None:
        """Those of each payment, newest first."""
        made = [payment(account, f"{units}.00", description="rent") for units in (1, 2, 3)]
        earlier = [
            completed(account, f"{units}.00", description="rent", at=MONDAY + units * MINUTE) for units in (1, 2, 4)
        ]
        stored_payments(bank_store, *earlier)

        with bank_store.begin() as work:
            found = work.payments.look_alikes(made, since=MONDAY)

        assert list(found) == [earlier[1], earlier[0]]

    def test_payments_are_counted_by_status(self, bank_store: Store, account: BankAccount) -> None:
        """A user's, and everybody's."""
        stored_payments(bank_store, payment(account), payment(account), completed(account))

        with bank_store.begin() as work:
            mine, everybodys = work.payments.count(account.user_id), work.payments.count(None)

        assert {status: count for status, count in mine.items() if count} == {
            PaymentStatus.PENDING: 2,
            PaymentStatus.COMPLETED: 1,
        }
        assert everybodys[PaymentStatus.PENDING] >= 2

    def test_returns_are_listed_by_number(self, bank_store: Store, account: BankAccount) -> None:
        """Those of a payment, and no other's."""
        one, other = completed(account), completed(account)
        stored_payments(bank_store, one, other)
        returns = [_return(one, 1), _return(one, 2), _return(other, 1)]

        with bank_store.begin() as work:
            for each in returns:
                work.payments.add_return(each)

        with bank_store.begin() as work:
            assert list(work.payments.returns_of(one.id)) == returns[:2]


def _return(of: Payment, number: int) -> Return:
    return Return(
        payment_id=of.id, number=number, amount=of.amount, transaction_id=new_id(), returned_at=MONDAY + MINUTE
    )
