"""Creating, processing, cancelling and returning payments, and what the ledger, events and audit log then say."""

import os
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.banking.accounts import AccountStatus, AccountType
from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import ACTIONS, OPERATOR, AuditFilter
from ledgercore.identity.documents import audit_document
from ledgercore.identity.users import Role
from ledgercore.ledger.accounts import AccountStatus as LedgerStatus
from ledgercore.ledger.commands import ChangeAccount
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.proofs.verification import verify
from ledgercore.payments.limits import DAILY, PaymentLimits
from ledgercore.payments.payments import PaymentFilter, PaymentStatus
from ledgercore.payments.records import AUDITED
from ledgercore.payments.use_cases import Payments
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import stored_account
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.ledgers import MONDAY, StoppedClock
from ledgercore.testing.payments_people import funded_account, owner_of, payment, principal, stored_payments
from ledgercore_memory import MemoryStore, MemoryWorkStore

LEDGER = "bank"

ANY = Operator()


def asked(account, amount="10.00", **fields):
    """What somebody sends to ask for a debit."""
    return {
        "amount": amount, "direction": "DEBIT", "payment_type": "PAYMENT", "description": "invoice",
        "user_bank_account_id": str(account.id), **fields,
    }  # fmt: skip


def code_of(call):
    """The code of the reason for which something is refused, if it is."""
    try:
        call()
    except LedgercoreError as error:
        return error.code
    return None


@pytest.fixture
def create(payments, owner, account):
    """Makes a payment of the owner's."""
    return lambda amount="10.00", **fields: payments.creation.create(
        asked(account, amount, **fields), by=owner, actor=OPERATOR
    )


@pytest.fixture
def process(payments):
    """Processes a payment as the system."""
    return lambda made: payments.processing.process(made.id, by=ANY, actor=OPERATOR)


class TestCreating:
    def test_payment_waits_and_nothing_moves(self, create, account, balance, payments, owner):
        made = create(direction=" debit ", payment_type="transfer", description="  invoice  ")

        assert (made.status, str(made.amount), made.description) == (PaymentStatus.PENDING, "10.00 EUR", "invoice")
        assert payments.reading.get(made.id, by=owner) == made
        assert balance(account) == "500.00 EUR"

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (AccountStatus.INACTIVE, "account_inactive"),
            (AccountStatus.FROZEN, "account_frozen"),
            (AccountStatus.SUSPENDED, "account_suspended"),
        ],
    )
    def test_account_must_be_active(self, create, account, bank_store, status, expected):
        with bank_store.begin() as work:
            work.accounts.save(evolve(account, status=status))

        assert code_of(create) == expected

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"amount": "0"}, "negative_amount"),
            ({"amount": "-1"}, "negative_amount"),
            ({"amount": -1}, "negative_amount"),
            ({"amount": "10000.01"}, "amount_exceeds_limit"),
            ({"amount": "1.001"}, "invalid_amount_format"),
            ({"amount": "1e3"}, "invalid_amount_format"),
            ({"amount": 1.5}, "invalid_amount_format"),
            ({"amount": True}, "invalid_amount_format"),
            ({"amount": "--1"}, "invalid_amount_format"),
            ({"amount": None}, "missing_fields"),
            ({"description": "  "}, "missing_fields"),
            ({"description": "x" * 256}, "invalid_description_format"),
            ({"description": "a\x00b"}, "invalid_description_format"),
            ({"description": 5}, "invalid_description_format"),
            ({"direction": "UP"}, "invalid_direction"),
            ({"direction": 5}, "invalid_direction"),
            ({"payment_type": "GIFT"}, "invalid_payment_type"),
            ({"user_bank_account_id": "0123456789abcdef"}, "invalid_uuid_format"),
            ({"user_bank_account_id": str(new_id())}, "account_not_found"),
        ],
    )
    def test_what_is_wrong_is_named(self, create, fields, expected):
        assert code_of(lambda: create(**fields)) == expected

    def test_everything_missing_is_listed(self, payments, owner):
        nothings: list[object] = [{}, None, []]
        for nothing in nothings:
            with pytest.raises(LedgercoreError) as caught:
                payments.creation.create(nothing, by=owner, actor=OPERATOR)

            assert caught.value.details["fields"] == [
                "amount", "direction", "payment_type", "description", "user_bank_account_id"
            ]  # fmt: skip

    @pytest.mark.parametrize("role", Role)
    def test_nobody_pays_from_anothers_account(self, payments, account, role):
        stranger = principal(new_id(), role)

        assert code_of(lambda: payments.creation.create(asked(account), by=stranger, actor=OPERATOR)) == (
            "unauthorized_access"
        )


class TestProcessing:
    @pytest.mark.parametrize(
        ("direction", "other", "left"), [("DEBIT", "credit", "490.00 EUR"), ("CREDIT", "debit", "510.00 EUR")]
    )
    def test_completed_payment_is_a_transaction_of_the_ledger(
        self, create, process, account, balance, ledgers, direction, other, left
    ):
        made = create(direction=direction)

        done = process(made)

        posted = ledgers.journal(LEDGER).find_transaction(done.transaction_id)
        assert (done.status, balance(account)) == (PaymentStatus.COMPLETED, left)
        assert (posted.key, posted.description, posted.metadata) == (
            f"payment:{made.id}", "invoice", {"payment_id": str(made.id)},
        )  # fmt: skip
        sides = {entry.account: entry.side.value for entry in posted.entries}
        assert sides == {
            account.path: direction.lower(),
            "clearing:payments:EUR": ({"debit", "credit"} - {direction.lower()}).pop(),
        }

    def test_refused_payment_can_be_tried_again(self, create, process, payments, owner, account, balance):
        """The ledger keeps no refusal of it."""
        big = create("600.00")

        assert code_of(lambda: process(big)) == "insufficient_funds"
        assert payments.reading.get(big.id, by=owner) == big
        process(create("200.00", direction="CREDIT"))
        assert process(big).status is PaymentStatus.COMPLETED
        assert balance(account) == "100.00 EUR"

    def test_refusal_by_the_ledger_itself_can_be_tried_again(self, create, process, ledgers, account, payments, owner):
        """A payment that others' entries have overtaken is undone with everything the ledger noted of it."""
        ledger, made = Ledger(ledgers.journal(LEDGER)), create("100.00")
        ledger.close_period(payments.clock() + timedelta(hours=1))

        assert code_of(lambda: process(made)) == "period_closed"
        payments.clock.forward(hours=2)
        assert process(made).status is PaymentStatus.COMPLETED

    def test_frozen_account_of_the_ledger_is_refused(self, create, process, ledgers, account):
        ledgers.journal(LEDGER).append([ChangeAccount(path=account.path, status=LedgerStatus.FROZEN)])

        assert code_of(lambda: process(create())) == "account_frozen"

    def test_second_processing_is_refused(self, create, process, account, balance):
        made = create()
        process(made)

        assert code_of(lambda: process(made)) == "already_processed"
        assert balance(account) == "490.00 EUR"

    def test_account_that_the_ledger_does_not_have_is_opened(self, payments, bank_store):
        fresh = stored_account(bank_store, account_type=AccountType.CREDIT, credit_limit_minor=5_000)
        made = payment(fresh, "50.00")
        stored_payments(bank_store, made)

        assert payments.processing.process(made.id, by=ANY, actor=OPERATOR).status is PaymentStatus.COMPLETED
        [health] = payments.reading.stats(fresh.user_id, by=ANY).accounts
        assert str(health.balance) == "-50.00 EUR"

    def test_day_limit_begins_anew_at_midnight(self, create, process, clock, bank_store, account):
        process(create("1000.00", direction="CREDIT"))
        clock.forward(minutes=10)
        process(create("700.00"))

        assert code_of(lambda: process(create("400.00"))) == "daily_limit_exceeded"
        clock.forward(hours=12)
        assert process(create("400.00")).status is PaymentStatus.COMPLETED

    def test_twin_is_refused_until_the_window_has_passed(
        self, create, process, clock, bank_store, account, payments, owner
    ):
        """On any account of the user."""
        process(create())
        other = funded_account(bank_store, "50", ledger=LEDGER)
        with bank_store.begin() as work:
            other = evolve(other, user_id=account.user_id)
            work.accounts.save(other)
        twin = payments.creation.create(asked(other), by=owner, actor=OPERATOR)

        assert code_of(lambda: process(twin)) == "duplicate_transaction"
        assert payments.reading.standing(twin.id, by=owner).is_duplicate
        clock.forward(minutes=5)
        assert not payments.reading.standing(twin.id, by=owner).is_duplicate
        assert process(twin).status is PaymentStatus.COMPLETED

    def test_batch_reports_each_in_the_order_asked(self, create, payments, owner):
        good, poor, gone = create("400"), create("200"), new_id()

        outcomes = payments.processing.process_all([poor.id, gone, good.id, poor.id], by=owner, actor=OPERATOR)

        assert [outcome.refusal and outcome.refusal.code for outcome in outcomes] == [
            None, "payment_not_found", "insufficient_funds", None,
        ]  # fmt: skip
        assert outcomes[0] == outcomes[3]
        assert outcomes[1].payment is None
        assert outcomes[2].payment == good

    def test_failing_batch_makes_refused_payments_failed(self, create, payments, owner, told):
        poor = create("600")

        [outcome] = payments.processing.process_all([poor.id], by=ANY, actor=OPERATOR, failing=True)

        assert (outcome.payment.status, outcome.payment.failure) == (PaymentStatus.FAILED, "insufficient_funds")
        assert payments.reading.get(poor.id, by=owner) == outcome.payment
        assert [event.type for event in told()] == ["payment.created", "payment.failed"]
        assert told()[-1].data["failure"] == "insufficient_funds"

    def test_refusal_by_the_ledger_fails_in_a_failing_batch(self, create, payments, ledgers):
        made = create()
        Ledger(ledgers.journal(LEDGER)).close_period(payments.clock() + timedelta(hours=1))

        [outcome] = payments.processing.process_all([made.id], by=ANY, actor=OPERATOR, failing=True)

        assert outcome.payment.failure == "period_closed"

    def test_nothing_is_told_when_nothing_was_done(self, create, payments, told):
        poor = create("600")
        payments.processing.process_all([poor.id, new_id()], by=ANY, actor=OPERATOR)

        assert [event.type for event in told()] == ["payment.created"]


class TestWhoMay:
    @pytest.mark.parametrize(
        ("role", "pending", "completed"),
        [
            (Role.USER, "insufficient_permissions", "insufficient_permissions"),
            (Role.SUPPORT, "insufficient_permissions", "already_processed"),
            (Role.ADMIN, None, "already_processed"),
        ],
    )
    def test_others_process_by_role(self, payments, create, process, role, pending, completed):
        """Whoever may see a payment is told that it is processed; nobody else learns anything."""
        other = principal(new_id(), role)
        made = create()

        if pending is not None:
            assert code_of(lambda: payments.processing.process(made.id, by=other, actor=OPERATOR)) == pending
            process(made)
        else:
            payments.processing.process(made.id, by=other, actor=OPERATOR)
        assert code_of(lambda: payments.processing.process(made.id, by=other, actor=OPERATOR)) == completed

    def test_support_processes_not_even_its_own(self, payments, create, account):
        support = owner_of(account, Role.SUPPORT)

        assert code_of(lambda: payments.processing.process(create().id, by=support, actor=OPERATOR)) == (
            "insufficient_permissions"
        )

    def test_owner_is_told_that_it_is_processed(self, payments, create, owner, process):
        made = create()
        process(made)

        for end in (payments.processing.process, payments.processing.schedule, payments.cancellation.cancel):
            assert code_of(lambda end=end: end(made.id, by=owner, actor=OPERATOR)) == "already_processed"

    @pytest.mark.parametrize(
        ("role", "expected"), [(Role.USER, "insufficient_permissions"), (Role.SUPPORT, None), (Role.ADMIN, None)]
    )
    def test_others_see_and_cancel_by_role(self, payments, create, role, expected):
        other, made = principal(new_id(), role), create()

        for call in (
            lambda: payments.reading.get(made.id, by=other),
            lambda: payments.reading.standing(made.id, by=other),
            lambda: payments.reading.returns(made.id, by=other),
            lambda: payments.cancellation.cancel(made.id, by=other, actor=OPERATOR),
        ):
            if expected is None:
                call()
            else:
                assert code_of(call) == expected

    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT])
    def test_only_admins_take_back(self, payments, create, account, process, role):
        made = process(create())

        assert (
            code_of(lambda: payments.returns.return_(made.id, by=owner_of(account, role), actor=OPERATOR))
            == "insufficient_permissions"
        )

    def test_unknown_payment_is_not_found(self, payments, owner):
        id = new_id()
        for call in (
            lambda: payments.reading.get(id, by=owner),
            lambda: payments.processing.process(id, by=owner, actor=OPERATOR),
            lambda: payments.processing.schedule(id, by=owner, actor=OPERATOR),
            lambda: payments.cancellation.cancel(id, by=owner, actor=OPERATOR),
            lambda: payments.returns.return_(id, by=ANY, actor=OPERATOR),
        ):
            assert code_of(call) == "payment_not_found"


class TestCancelling:
    def test_pending_payment_is_called_off_for_good(self, payments, create, owner, process):
        made = create()

        cancelled = payments.cancellation.cancel(made.id, by=owner, actor=OPERATOR)

        assert cancelled.status is PaymentStatus.CANCELLED
        assert code_of(lambda: process(made)) == "already_processed"


class TestReturns:
    def test_money_comes_back_by_transactions_of_their_own(self, payments, create, process, account, balance):
        done = process(create("100.00"))

        some = payments.returns.return_(done.id, "30", by=ANY, actor=OPERATOR)
        rest = payments.returns.return_(done.id, by=ANY, actor=OPERATOR)

        assert [(each.number, str(each.amount)) for each in (some, rest)] == [(1, "30.00 EUR"), (2, "70.00 EUR")]
        assert balance(account) == "500.00 EUR"
        assert list(payments.reading.returns(done.id, by=ANY)) == [some, rest]
        assert payments.reading.get(done.id, by=ANY) == done
        assert code_of(lambda: payments.returns.return_(done.id, by=ANY, actor=OPERATOR)) == (
            "transaction_already_reversed"
        )

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [("100.01", "reversal_exceeds_remainder"), ("0", "negative_amount"), ("-1", "negative_amount"),
         ("x", "invalid_amount_format"), (1.5, "invalid_amount_format")],
    )  # fmt: skip
    def test_wrong_amounts_are_refused(self, payments, create, process, amount, expected):
        done = process(create("100.00"))

        assert code_of(lambda: payments.returns.return_(done.id, amount, by=ANY, actor=OPERATOR)) == expected

    def test_refused_return_can_be_tried_again(self, payments, create, process):
        """Of money that was paid in and spent since."""
        paid_in = process(create("100.00", direction="CREDIT"))
        process(create("550.00"))

        assert code_of(lambda: payments.returns.return_(paid_in.id, by=ANY, actor=OPERATOR)) == "insufficient_funds"
        process(create("50.00", direction="CREDIT", description="more"))
        assert payments.returns.return_(paid_in.id, by=ANY, actor=OPERATOR).number == 1

    def test_nothing_comes_back_to_a_closed_account(
        self, payments, create, process, account, bank_store, balance
    ) -> None:
        """Nobody could take it out of there again."""
        done = process(create("500.00"))
        with bank_store.begin() as work:
            work.accounts.save(evolve(account, status=AccountStatus.CLOSED))

        assert code_of(lambda: payments.returns.return_(done.id, by=ANY, actor=OPERATOR)) == "account_inactive"
        assert balance(account) == "0.00 EUR"

    def test_only_completed_payments_come_back(self, payments, create):
        assert code_of(lambda: payments.returns.return_(create().id, by=ANY, actor=OPERATOR)) == (
            "payment_not_completed"
        )


class TestRecords:
    def test_events_tell_the_owner_everything(self, payments, create, process, owner, account, told):
        done = process(create("100.00"))
        payments.returns.return_(done.id, "30", by=ANY, actor=OPERATOR)
        payments.cancellation.cancel(create().id, by=owner, actor=OPERATOR)

        events = told()

        assert [event.type for event in events] == [
            "payment.created", "payment.completed", "balance.changed", "payment.returned", "balance.changed",
            "payment.created", "payment.cancelled",
        ]  # fmt: skip
        assert {event.owner_id for event in events} == {account.user_id}
        assert [event.data["balance"] for event in events if event.type == "balance.changed"] == ["400.00", "430.00"]
        assert events[1].subject == f"payment:{done.id}"
        assert events[1].data["transaction_id"] == str(done.transaction_id)

    def test_audit_log_tells_who_did_what(self, payments, create, process, bank_store, owner):
        done = process(create("100.00"))
        payments.returns.return_(done.id, by=ANY, actor=OPERATOR)

        with bank_store.begin() as work:
            found = work.audit.list_before(AuditFilter(target=f"payment:{done.id}"), before=None, limit=9)
        documents = [audit_document(entry) for entry in reversed(found)]

        assert [each["action"] for each in documents] == ["payment_created", "payment_processed", "payment_returned"]
        assert documents[1]["details"] == {
            "amount": "100.00 EUR", "direction": "DEBIT", "transaction_id": str(done.transaction_id),
        }  # fmt: skip
        assert set(AUDITED.values()) <= set(ACTIONS)


class TestListing:
    def test_pages_know_their_neighbours(self, payments, create, owner):
        made = [create() for _ in range(5)]
        pages = [
            payments.reading.page(PaymentFilter(user_id=owner.user_id), by=owner, page=number, page_size=2)
            for number in (1, 2, 3)
        ]

        assert [each for page in pages for each in page.items] == made[::-1]
        assert [(page.has_prev, page.has_next, page.total_pages) for page in pages] == [
            (False, True, 3), (True, True, 3), (True, False, 3),
        ]  # fmt: skip

    def test_nobody_lists_others(self, payments, owner):
        for whose in (None, new_id()):
            wanted = PaymentFilter(user_id=whose)
            assert code_of(lambda wanted=wanted: payments.reading.page(wanted, by=owner, page=1, page_size=1)) == (
                "insufficient_permissions"
            )
        assert payments.reading.page(PaymentFilter(), by=ANY, page=1, page_size=1).total_count == 0


class TestFigures:
    def test_health_is_told_for_each_account_and_together(self, payments, create, process, owner, bank_store, account):
        process(create("250.00"))

        stats = payments.reading.stats(owner.user_id, by=owner)

        [health] = stats.accounts
        assert (str(health.daily_remaining), health.utilization_percent) == ("750.00 EUR", 25)
        assert {code: str(total) for code, total in stats.balances.items()} == {"EUR": "250.00 EUR"}
        assert (stats.total_accounts, stats.active_accounts, stats.frozen_accounts, stats.suspended_accounts) == (
            1,
            1,
            0,
            0,
        )
        assert (stats.is_healthy, stats.can_make_payments) == (True, True)
        assert stats.counts[PaymentStatus.COMPLETED] == len(stats.recent) == 1

    @pytest.mark.parametrize("status", [AccountStatus.FROZEN, AccountStatus.SUSPENDED])
    def test_account_that_is_not_active_is_not_healthy(self, payments, account, owner, bank_store, status):
        with bank_store.begin() as work:
            work.accounts.save(evolve(account, status=status))

        stats = payments.reading.stats(owner.user_id, by=owner)

        assert (stats.is_healthy, stats.can_make_payments) == (False, False)
        assert (stats.frozen_accounts, stats.suspended_accounts) == (
            int(status is AccountStatus.FROZEN), int(status is AccountStatus.SUSPENDED),
        )  # fmt: skip

    def test_lowered_limit_leaves_nothing_and_never_less(self, payments, create, process, owner):
        process(create("250.00"))
        limits = evolve(payments.limits, daily={**payments.limits.daily, AccountType.CHECKING: 0})

        [health] = evolve(payments, limits=limits).reading.stats(owner.user_id, by=owner).accounts

        assert (str(health.daily_remaining), health.utilization_percent, health.can_make_payments) == (
            "0.00 EUR", 100, False,
        )  # fmt: skip

    def test_only_admins_see_others(self, payments, owner, account, bank_store):
        admin = principal(new_id(), Role.ADMIN)
        funded_account(bank_store, "5", ledger=LEDGER, currency="USD")

        assert payments.reading.stats(owner.user_id, by=admin).total_accounts == 1
        everybodys = payments.reading.stats(None, by=admin)
        assert sorted(everybodys.balances) == ["EUR", "USD"]
        for whose in (None, new_id()):
            assert code_of(lambda whose=whose: payments.reading.stats(whose, by=owner)) == "insufficient_permissions"


class TestDryRuns:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, None),
            ({"amount": "0"}, "negative_amount"),
            ({"amount": "10001"}, "amount_exceeds_limit"),
            ({"amount": "600"}, "insufficient_funds"),
            ({"amount": "600", "direction": "CREDIT"}, None),
            ({"amount": "7"}, "duplicate_transaction"),
        ],
    )
    def test_says_what_the_real_calls_would(self, payments, owner, account, create, process, fields, expected):
        process(create("7"))

        found = payments.dry_runs.try_(asked(account, **fields), by=owner)

        assert (found.refusal and found.refusal.code) == expected
        assert (found.account, str(found.balance)) == (account, "493.00 EUR")
        assert code_of(lambda: process(create(**fields))) == expected

    def test_stores_nothing(self, payments, owner, account, told):
        payments.dry_runs.try_(asked(account), by=owner)

        assert told() == []
        assert payments.reading.page(PaymentFilter(user_id=owner.user_id), by=owner, page=1, page_size=1).items == []

    def test_tells_nothing_of_anothers_account(self, payments, account):
        found = payments.dry_runs.try_(asked(account), by=principal(new_id()))

        assert (found.refusal.code, found.account) == ("unauthorized_access", None)

    def test_refuses_what_cannot_be_read(self, payments, owner, account):
        assert code_of(lambda: payments.dry_runs.try_(asked(account, "1.001"), by=owner)) == "invalid_amount_format"
        assert code_of(
            lambda: payments.dry_runs.try_(asked(account, user_bank_account_id=str(new_id())), by=owner)
        ) == ("account_not_found")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(Direction), st.integers(1, 70_000), st.integers(0, 1)),
        min_size=1,
        max_size=25,
    )
)
def test_money_is_conserved_and_no_limit_is_passed(orders):
    """Whatever is paid: what left all accounts is in the clearing account, and each holds to its own limits."""
    clock = StoppedClock(MONDAY)
    ledgers = MemoryStore(clock=clock)
    store = MemoryWorkStore(ledgers, clock=clock)
    payments = Payments(store=store, clock=clock, random_bytes=os.urandom, ledger=LEDGER, limits=PaymentLimits())
    accounts = [funded_account(store, "500", ledger=LEDGER) for _ in range(3)]
    made = [
        payment(accounts[which], f"{minor // 100}.{minor % 100:02}", direction=direction, description=f"rent {said}")
        for which, direction, minor, said in orders
    ]
    stored_payments(store, *made)

    outcomes = payments.processing.process_all([each.id for each in made], by=ANY, actor=OPERATOR, failing=True)

    ledger = Ledger(ledgers.journal(LEDGER))
    done = [each.or_raise() for each in outcomes if each.refusal is None]
    for account in accounts:
        mine = [each for each in done if each.user_bank_account_id == account.id]
        debits = sum(each.amount.minor for each in mine if each.direction is Direction.DEBIT)
        net = sum(each.direction.sign * each.amount.minor for each in mine)
        assert ledger.get_account(account.path).balance.posted.minor == 50_000 + net >= 0
        assert debits <= DAILY[account.account_type] * 100
        assert len({each.likeness for each in mine}) == len(mine)
    assert sum(each.balance.debits_minus_credits.minor for each in ledger.list_accounts().items) == 0
    assert verify(ledger.journal).sound
    assert {each.payment.status for each in outcomes if each.payment is not None} <= {
        PaymentStatus.COMPLETED,
        PaymentStatus.FAILED,
    }
