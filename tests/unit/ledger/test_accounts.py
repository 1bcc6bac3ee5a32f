"""Accounts as values."""

from datetime import UTC, datetime

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.accounts import (
    AccountState,
    AccountStatus,
    AccountType,
    Balance,
    Limits,
    Opening,
    Side,
)
from ledgercore.money import Money, currency

EUR = currency("EUR")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def state(**fields):
    return AccountState(
        **{"number": 1, "path": "a", "currency": EUR, "type": AccountType.ASSET, "opened_at": NOW, **fields}
    )


@pytest.mark.parametrize(
    ("type_", "side"),
    [("asset", "debit"), ("expense", "debit"), ("liability", "credit"), ("equity", "credit"), ("income", "credit")],
)
def test_type_gives_the_normal_side(type_, side):
    """Debits raise assets and expenses, credits the others."""
    assert AccountType(type_).normal_side is Side(side)


def test_types_and_statuses_are_read_from_text():
    """Case and blanks around do not matter; other words are refused with what is allowed."""
    assert AccountType.parse(" Asset ") is AccountType.ASSET
    assert AccountStatus.parse("FROZEN") is AccountStatus.FROZEN
    for parse, code in ((AccountType.parse, "invalid_account_type"), (AccountStatus.parse, "invalid_status")):
        with pytest.raises(ValidationError) as caught:
            parse("other")
        assert caught.value.code == code
        assert "allowed" in caught.value.details


@pytest.mark.parametrize(
    "limits", [{"minimum": 1.0}, {"maximum": True}, {"minimum": "0"}, {"maximum": 10**38}, {"minimum": 2, "maximum": 1}]
)
def test_wrong_limits_are_refused(limits):
    """Whole minor units of at most 38 digits, the least not above the most."""
    with pytest.raises(ValidationError) as caught:
        Limits(**limits)

    assert (caught.value.code, caught.value.details["field"]) == ("invalid_limits", next(iter(limits)))


def test_limits_may_touch():
    """An account may be held at exactly one balance."""
    assert Limits(5, 5).minimum == 5
    assert Limits(-(10**38) + 1, 10**38 - 1).maximum == 10**38 - 1


@pytest.mark.parametrize(
    ("side", "out", "into", "available", "signed"), [("debit", 7, 3, 93, 100), ("credit", 3, 7, 97, -100)]
)
def test_balance_counts_towards_the_normal_side(side, out, into, available, signed):
    """Which pending side lowers a balance depends on its normal side."""
    balance = Balance(
        posted=Money(100, EUR), pending_debits=Money(3, EUR), pending_credits=Money(7, EUR), normal_side=Side(side)
    )

    assert (balance.pending_out.minor, balance.pending_in.minor) == (out, into)
    assert (balance.available.minor, balance.debits_minus_credits.minor) == (available, signed)


def test_state_knows_whether_entries_need_a_second_look():
    """Limits, and statuses other than open, guard an account."""
    assert not state().guarded
    assert state(limits=Limits(minimum=0)).guarded
    assert state(status=AccountStatus.FROZEN).guarded


def test_state_comes_back_from_its_snapshot():
    """Whatever an evaluation may change is put back."""
    account = state(limits=Limits(minimum=0), balance=5, version=2, metadata={"a": 1})
    before, shown = account.snapshot(), account.as_account()
    account.status, account.limits, account.balance, account.version = AccountStatus.CLOSED, Limits(), 9, 3
    account.pending_debits, account.pending_credits, account.latest_effective_at = 1, 2, NOW
    account.changed, account.guarded, account.metadata = True, False, None

    account.restore(before)

    assert (account.snapshot(), account.as_account()) == (before, shown)


def test_sides_of_pending_on_a_state():
    """The state and what readers see of it agree."""
    for type_ in AccountType:
        account = state(type=type_, balance=100, pending_debits=3, pending_credits=7)
        balance = account.as_account().balance

        assert (account.pending_out, account.pending_in, account.available) == (
            balance.pending_out.minor, balance.pending_in.minor, balance.available.minor,
        )  # fmt: skip


def test_opening_takes_the_longest_prefix():
    """Prefixes are taken by segments; no prefix, no type and no limits."""
    opening = Opening(
        on_first_use=True,
        types=(("a", AccountType.ASSET), ("a:b", AccountType.EXPENSE)),
        limits=(("a:b:c", Limits(0)), ("a", Limits(1))),
    )

    assert [opening.type_of(path) for path in ("a", "a:x", "a:b", "a:b:c", "ab", "b")] == [
        "asset", "asset", "expense", "expense", None, None,
    ]  # fmt: skip
    assert [opening.limits_of(path) for path in ("a:b:c:d", "a:b", "b")] == [Limits(0), Limits(1), Limits()]


def test_opening_rules_name_paths():
    """A rule for what cannot be a path would never fit."""
    with pytest.raises(ValidationError) as caught:
        Opening(types=(("a:", AccountType.ASSET),))

    assert caught.value.details["field"] == "prefix"
