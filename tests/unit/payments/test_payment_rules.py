"""Which payments are carried out: each rule, their order, and what earlier payments of a batch mean to later ones."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from ledgercore.banking.accounts import AccountStatus, AccountType, BankAccount
from ledgercore.errors import BusinessRuleError
from ledgercore.ledger.accounts import Account, Balance, Limits, Side
from ledgercore.ledger.accounts import AccountStatus as LedgerStatus
from ledgercore.ledger.accounts import AccountType as LedgerType
from ledgercore.money import Money
from ledgercore.payments.limits import DAILY, PaymentLimits, read_limits
from ledgercore.payments.payments import PaymentStatus
from ledgercore.payments.rules import SCHEDULED, WAITING, Facts, check_amount, decide_all
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import bank, bank_account, bank_login, branch
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import EUR, MONDAY, eur
from ledgercore.testing.payments_people import completed, payment

CREDIT = Direction.CREDIT


def an_account(**fields: Any) -> BankAccount:
    """An account that nothing keeps."""
    return bank_account(bank_login(someone(), branch(bank())), **fields)


def in_ledger(
    account: BankAccount, balance: str, *, held: str = "0", status: LedgerStatus = LedgerStatus.OPEN
) -> Account:
    """What the ledger has of an account."""
    return Account(
        path=account.path,
        currency=EUR,
        type=LedgerType.LIABILITY,
        status=status,
        limits=Limits(minimum=0),
        balance=Balance(
            posted=eur(balance), pending_debits=eur(held), pending_credits=eur("0"), normal_side=Side.CREDIT
        ),
        version=1,
        latest_effective_at=None,
        opened_at=MONDAY,
    )


def facts(account: BankAccount, balance: str | None = "10000", *, spent: str = "0", **fields: Any) -> Facts:
    """An account with a balance, of which some was spent today; `None` for one that the ledger does not have."""
    there = fields.pop("there", None if balance is None else in_ledger(account, balance))
    return Facts(
        now=MONDAY,
        limits=fields.pop("limits", PaymentLimits()),
        accounts={account.id: account},
        in_ledger={} if there is None else {account.id: there},
        spent={account.id: eur(spent).minor},
        **fields,
    )


def codes(payments: list[Any], known: Facts, **options: Any) -> list[str]:
    """What becomes of each."""
    return ["done" if refusal is None else refusal.code for refusal in decide_all(payments, known, **options)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (AccountStatus.ACTIVE, "done"),
        (AccountStatus.INACTIVE, "account_inactive"),
        (AccountStatus.FROZEN, "account_frozen"),
        (AccountStatus.SUSPENDED, "account_suspended"),
        (AccountStatus.CLOSED, "account_inactive"),
    ],
)
@pytest.mark.parametrize("direction", Direction)
def test_account_must_be_active(status, expected, direction):
    account = an_account(status=status)

    assert codes([payment(account, direction=direction)], facts(account)) == [expected]


@pytest.mark.parametrize("direction", Direction)
def test_account_whose_past_is_being_imported_is_not_active(direction):
    """What is in it after a few pages is not what it has, whatever its status says."""
    importing, imported = an_account(sync_cursor="page 2"), an_account(sync_cursor="page 2", last_sync_at=MONDAY)

    assert codes([payment(importing, direction=direction)], facts(importing)) == ["account_inactive"]
    assert codes([payment(imported, direction=direction)], facts(imported)) == ["done"]


@pytest.mark.parametrize(
    ("status", "expected"), [(LedgerStatus.FROZEN, "account_frozen"), (LedgerStatus.CLOSED, "account_inactive")]
)
def test_ledger_account_must_be_open(status, expected):
    account = an_account()

    assert codes([payment(account)], facts(account, there=in_ledger(account, "50", status=status))) == [expected]


@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize("allowed", [WAITING, SCHEDULED])
def test_payment_must_still_have_to_be_processed(status, allowed):
    account = an_account()

    [found] = codes([evolve(payment(account), status=status)], facts(account), allowed=allowed)

    assert found == ("done" if status in allowed else "already_processed")


@pytest.mark.parametrize(
    ("amount", "direction", "expected"),
    [
        ("10000.00", CREDIT, "done"),
        ("10000.01", CREDIT, "amount_exceeds_limit"),
        ("10000.01", Direction.DEBIT, "amount_exceeds_limit"),
    ],
)
def test_single_limit_is_for_both_directions(amount, direction, expected):
    account = an_account()

    assert codes([payment(account, amount, direction=direction)], facts(account, "99999")) == [expected]


@pytest.mark.parametrize("minor", [0, -1])
def test_amount_must_be_above_zero(minor):
    with pytest.raises(BusinessRuleError) as caught:
        check_amount(Money(minor, EUR), PaymentLimits())

    assert caught.value.code == "negative_amount"


@pytest.mark.parametrize(
    ("kind", "limit", "balance", "amount", "expected"),
    [
        (AccountType.CHECKING, 0, "10.00", "10.00", "done"),
        (AccountType.CHECKING, 0, "9.99", "10.00", "insufficient_funds"),
        (AccountType.CREDIT, 0, "9.99", "10.00", "insufficient_funds"),
        (AccountType.CREDIT, 5_000, "0.00", "50.00", "done"),
        (AccountType.CREDIT, 5_000, "0.00", "50.01", "insufficient_funds"),
        (AccountType.CREDIT, 5_000, "-40.00", "10.00", "done"),
        (AccountType.CREDIT, 5_000, "-40.00", "10.01", "insufficient_funds"),
    ],
)
def test_debits_need_funds_down_to_the_credit_limit(kind, limit, balance, amount, expected):
    account = an_account(account_type=kind, credit_limit_minor=limit)
    there = in_ledger(account, "0")
    minor = eur(balance.removeprefix("-")).minor * (-1 if balance.startswith("-") else 1)
    there = evolve(there, balance=evolve(there.balance, posted=Money(minor, EUR)))

    assert codes([payment(account, amount)], facts(account, there=there)) == [expected]


def test_credits_need_no_funds():
    account = an_account()

    assert codes([payment(account, "9999", direction=CREDIT)], facts(account, None)) == ["done"]


def test_what_is_held_cannot_be_spent():
    account = an_account()

    assert codes([payment(account, "60")], facts(account, there=in_ledger(account, "100", held="50"))) == [
        "insufficient_funds"
    ]


def test_refusal_for_funds_tells_what_is_there():
    account = an_account()

    [refusal] = decide_all([payment(account, "60")], facts(account, "50"))

    assert refusal is not None
    assert dict(refusal.details) == {
        "account_id": str(account.id),
        "available": "50.00 EUR",
        "requested": "60.00 EUR",
    }


@pytest.mark.parametrize("kind", AccountType)
def test_daily_limit_may_be_reached_but_not_passed(kind):
    account, limit = an_account(account_type=kind), DAILY[kind]
    spent = f"{limit - 10}.00"

    assert codes([payment(account, "10.00")], facts(account, "99999", spent=spent)) == ["done"]
    assert codes([payment(account, "10.01")], facts(account, "99999", spent=spent)) == ["daily_limit_exceeded"]
    assert codes([payment(account, "10.01", direction=CREDIT)], facts(account, "99999", spent=spent)) == ["done"]


def test_limits_of_a_deployment_replace_the_usual_ones():
    account = an_account()
    limits = read_limits("CHECKING:20,single:15")

    known = facts(account, limits=limits, spent="10")
    assert codes([payment(account, "10.00"), payment(account, "0.01")], known) == ["done", "daily_limit_exceeded"]
    assert codes([payment(account, "15.01")], known) == ["amount_exceeds_limit"]


def test_a_look_alike_is_a_duplicate():
    account = an_account()
    first = completed(account, "5.00", description="rent")
    twin = evolve(payment(account, "5.00", description="rent"), user_bank_account_id=account.id)

    [refusal] = decide_all([twin], facts(account, look_alikes=[first]))

    assert refusal is not None
    assert (refusal.code, refusal.details["duplicate_of"]) == ("duplicate_transaction", str(first.id))
    assert codes([payment(account, "5.00", description="rent 2")], facts(account, look_alikes=[first])) == ["done"]


@pytest.mark.parametrize("fixes", range(7))
def test_first_of_several_refusals_wins(fixes):
    """With everything wrong at once, mended one after the other in the order of the rules."""
    account = an_account(status=AccountStatus.FROZEN)
    wrong = evolve(payment(account, "10001", description="rent"), status=PaymentStatus.CANCELLED)
    known = facts(account, "0", spent="1000", look_alikes=[completed(account, "900", description="rent")])
    expected = [
        "already_processed", "account_frozen", "amount_exceeds_limit", "insufficient_funds", "daily_limit_exceeded",
        "duplicate_transaction", "done",
    ]  # fmt: skip
    if fixes >= 1:
        wrong = evolve(wrong, status=PaymentStatus.PENDING)
    if fixes >= 2:
        known = evolve(known, accounts={account.id: evolve(account, status=AccountStatus.ACTIVE)})
    if fixes >= 3:
        wrong = evolve(wrong, amount=eur("900"))
    if fixes >= 4:
        known = evolve(known, in_ledger={account.id: in_ledger(account, "900")})
    if fixes >= 5:
        known = evolve(known, spent={})
    if fixes >= 6:
        known = evolve(known, look_alikes=())

    assert codes([wrong], known) == [expected[fixes]]


class TestBatches:
    def test_funds_are_spent_once(self):
        account = an_account()

        assert codes(
            [payment(account, "60"), payment(account, "60"), payment(account, "40")], facts(account, "100")
        ) == [
            "done",
            "insufficient_funds",
            "done",
        ]

    def test_what_came_in_can_go_out(self):
        account = an_account()

        assert (
            codes([payment(account, "60", direction=CREDIT), payment(account, "60")], facts(account, None))
            == ["done"] * 2
        )

    def test_daily_limit_counts_the_batch(self):
        account = an_account()

        assert codes([payment(account, "600"), payment(account, "600"), payment(account, "400")], facts(account)) == [
            "done",
            "daily_limit_exceeded",
            "done",
        ]

    def test_twins_complete_once(self):
        account = an_account()
        twins = [payment(account, "5", description="rent") for _ in range(3)]

        assert codes(twins, facts(account)) == ["done", "duplicate_transaction", "duplicate_transaction"]

    def test_a_refused_payment_leaves_nothing_behind(self):
        """Its twin may pass, and its money is still there."""
        account = an_account()
        refused = evolve(payment(account, "60", description="rent"), status=PaymentStatus.CANCELLED)

        assert codes([refused, payment(account, "60", description="rent")], facts(account, "60")) == [
            "already_processed",
            "done",
        ]

    def test_accounts_are_kept_apart(self):
        one, other = an_account(), an_account()
        known = Facts(
            now=MONDAY,
            limits=PaymentLimits(),
            accounts={one.id: one, other.id: other},
            in_ledger={one.id: in_ledger(one, "50"), other.id: in_ledger(other, "50")},
        )

        assert codes([payment(one, "50"), payment(other, "50"), payment(one, "1")], known) == [
            "done",
            "done",
            "insufficient_funds",
        ]


class TestLimits:
    def test_usual_limits(self):
        limits = PaymentLimits()

        assert {kind: str(limits.daily_of(kind, EUR)) for kind in AccountType} == {
            "CHECKING": "1000.00 EUR",
            "SAVINGS": "500.00 EUR",
            "CREDIT": "2000.00 EUR",
            "INVESTMENT": "5000.00 EUR",
        }
        assert (str(limits.single_in(EUR)), limits.duplicate_window) == ("10000.00 EUR", timedelta(minutes=5))

    def test_named_limits_replace_the_usual_ones(self):
        limits = read_limits(" CHECKING:5000, SAVINGS:2000,single:50000,duplicate_minutes:10,")

        assert limits.daily == {**DAILY, AccountType.CHECKING: 5_000, AccountType.SAVINGS: 2_000}
        assert (limits.single, limits.duplicate_window) == (50_000, timedelta(minutes=10))
        assert read_limits("") == PaymentLimits()

    @pytest.mark.parametrize(
        "text",
        ["CHECKING", "CHECKING:", "CHECKING:1.5", "CHECKING:-1", "GOLD:1", "checking:1", "duplicate_minutes:0",
         "duplicate_minutes:10081", "single:99999999999999"],
    )  # fmt: skip
    def test_what_cannot_be_read_is_refused(self, text):
        with pytest.raises(ValueError, match=r"expected|are from"):
            read_limits(text)


def test_ids_of_look_alikes_are_the_newest():
    """Of several earlier ones the newest is named."""
    account = an_account()
    older, newer = (completed(account, "5", description="rent", at=MONDAY + timedelta(minutes=n)) for n in (0, 1))

    [refusal] = decide_all(
        [payment(account, "5", description="rent", id=new_id())], facts(account, look_alikes=[newer, older])
    )

    assert refusal is not None
    assert refusal.details["duplicate_of"] == str(newer.id)
