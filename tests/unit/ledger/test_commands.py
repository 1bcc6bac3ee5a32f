"""Commands: what they may be, and by which name and content a repeat is known."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import AccountType, Limits, Opening
from ledgercore.ledger.commands import (
    AnyCommand,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    Group,
    OpenAccount,
    Reversal,
    Settings,
    fingerprint,
    flatten,
    identity_of,
    identity_of_key,
)
from ledgercore.ledger.holds import Capture, VoidHold
from ledgercore.ledger.transactions import Line, transfer
from ledgercore.money import ISO, Currency, Money, currency

EUR = currency("EUR")
ONE = UUID(int=1)
LINE = Line(Money(1, EUR), "a", "b")


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (lambda: Reversal(transaction=ONE, amount=Money(0, EUR)), "invalid_capture", "amount"),
        (lambda: Reversal(transaction=ONE, amount=Money(1, EUR), lines=[LINE]), "invalid_capture", "amount"),
        (lambda: Reversal(transaction=ONE, lines=[Line(Money(1, EUR), "a")]), "unbalanced_transaction", "lines"),
        (
            lambda: Reversal(transaction=ONE, effective_at=datetime(2026, 1, 1)),
            "invalid_datetime_format",
            "effective_at",
        ),
        (lambda: OpenAccount(path="a:", currency=EUR), "invalid_account_path", "account"),
        (lambda: OpenAccount(path="a", currency=EUR, metadata={"a": 1.0}), "invalid_metadata", "metadata.a"),
        (lambda: ChangeAccount(path="a"), "invalid_argument", "status"),
        (lambda: ChangeAccount(path="\ud800", limits=Limits()), "invalid_account_path", "account"),
        (lambda: ClosePeriod(through=datetime(2026, 1, 1)), "invalid_datetime_format", "through"),
    ],
)
def test_wrong_commands_are_refused(make, code, field):
    """Each refusal names its field."""
    with pytest.raises(LedgercoreError) as caught:
        make()

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_key_is_an_id_of_version_8():
    """Keys and ids share one space of names without meeting by accident."""
    identity = UUID(bytes=identity_of_key("order-1"))

    assert (identity.version, identity.variant) == (8, "specified in RFC 4122")
    assert identity_of(VoidHold(hold=ONE, key="order-1")) == identity.bytes
    assert identity_of(VoidHold(hold=ONE, id=ONE)) == ONE.bytes
    assert identity_of(VoidHold(hold=ONE)) is None
    assert identity_of_key("order-2") != identity.bytes


def test_fingerprint_leaves_the_name_out():
    """The same ask under two names has one fingerprint; any other ask has another."""
    command = Capture(hold=ONE, amount=Money(5, EUR), effective_at=datetime(2026, 1, 1, tzinfo=UTC), key="a")
    others: list[AnyCommand] = [
        Capture(hold=ONE, amount=Money(5, EUR)),
        VoidHold(hold=ONE),
        evolve(command, amount=Money(6, EUR)),
        evolve(command, amount=Money(5, Currency("EUR", 3))),
        evolve(command, final=True),
        evolve(command, hold=UUID(int=2)),
        evolve(command, description="x"),
    ]

    assert fingerprint(evolve(command, key=None, id=ONE)) == fingerprint(command)
    assert len({fingerprint(command), *map(fingerprint, others)}) == len(others) + 1


def test_fingerprint_does_not_change_between_versions():
    """What is stored once must be recognised for ever: changing this value breaks every stored key."""
    command = transfer(
        debit="assets:a", credit="income:b", amount=Money(1230, EUR), reference="R",
        metadata={"b": [1, None, True], "a": "ü"}, effective_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        description="d",
    )  # fmt: skip
    settings = ChangeSettings(settings=Settings(opening=Opening(limits=(("a", Limits(0, 10**37)),))))

    assert fingerprint(command).hex() == "9d583e41a35e27d1783b5602f40b4c8d"
    assert fingerprint(settings).hex() == "cc62fbc591580919aa5b6f5893c15d63"
    assert identity_of_key("order-1").hex() == "56497c6d67728bfe809f49d845932200"


def test_batch_is_flattened_in_order():
    """Commands of groups stand where their group stands."""
    one, two, three = (VoidHold(hold=UUID(int=number)) for number in (1, 2, 3))

    assert flatten([one, Group([two, three]), one]) == [one, two, three, one]


def test_settings_know_their_assets():
    """A ledger reads ISO currencies and its own assets."""
    gold = Currency("GOLD", 3)

    known = Settings(assets=(gold,)).currencies(ISO)

    assert (known.get("GOLD"), known.get("EUR")) == (gold, EUR)
    assert Settings().opening.type_of("assets:x") is AccountType.ASSET
