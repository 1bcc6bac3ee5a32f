"""Books in which one of everything has happened: for whatever reads, checks or copies whole ledgers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.commands import Group, Settings
from ledgercore.ledger.holds import CaptureGroup, PlaceHold, VoidGroup
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, Refused
from ledgercore.ledger.transactions import Line, Precondition, Transaction, credit, debit, transfer
from ledgercore.money import Money, currency, known_currency

EUR: Final = currency("EUR")
USD: Final = currency("USD")
JPY: Final = currency("JPY")
GOLD: Final = known_currency("GOLD", 3)

SETTINGS: Final = Settings(
    opening=Opening(on_first_use=True, limits=(("assets:wallet", Limits(minimum=0)),)), assets=(GOLD,)
)


def keep_books(ledger: Ledger, *, wait: Callable[[timedelta], object]) -> None:
    """Do one of everything in an empty ledger with `SETTINGS`; `wait` lets time pass."""
    _open(ledger)
    _trade(ledger)
    _reverse(ledger)
    _hold(ledger, wait)
    _refuse(ledger)
    _change_rules(ledger)
    _close(ledger)


def _open(ledger: Ledger) -> None:
    ledger.open_account("assets:bank", EUR, limits=Limits(minimum=-100_000), metadata={"iban": "XX00 0000"}, key="bank")
    ledger.open_account("assets:bank:usd", USD)
    ledger.open_account("partners:north", EUR, type=AccountType.LIABILITY)
    ledger.open_account("assets:spare", JPY)


def _trade(ledger: Ledger) -> None:
    def sale(**fields: Any) -> Transaction:
        return transfer(debit="assets:bank", credit="income:sales", amount=Money(12_345, EUR), **fields)

    first = ledger.post(sale(description="First sale — naïve 日本", reference="S-1", metadata={"a": [1, "x"]}))
    ledger.post(sale(key="sale-2"))
    ledger.post(sale(effective_at=first.recorded_at - timedelta(days=40), description="Found in a drawer"))
    ledger.transfer(debit="assets:wallet:ann", credit="assets:bank", amount=Money(3_000, EUR))
    ledger.transfer(debit="assets:vault", credit="equity:capital", amount=Money(10**30, GOLD))
    ledger.post(
        Transaction(
            lines=[
                debit("expenses:goods", Money(4_000, EUR)),
                debit("expenses:tax", Money(760, EUR)),
                credit("assets:bank", Money(4_760, EUR)),
                Line(Money(500, USD), "assets:bank:usd", "income:exchange:usd"),
            ],
            key="purchase",
            description="Goods, tax, and a little exchange",
        )
    )
    state = ledger.get_account("assets:bank")
    expected = Precondition("assets:bank", state.balance.posted.minor, state.version)
    ledger.post(sale(preconditions=[expected]))
    ledger.post_all([sale() for _ in range(7)])
    ledger.post_all([Group([sale(), sale()]), sale()])


def _reverse(ledger: Ledger) -> None:
    purchase = ledger.get_transaction_by_key("purchase")
    ledger.reverse(purchase.id, description="Goods sent back")
    sale = ledger.get_transaction_by_key("sale-2")
    ledger.reverse(sale.id, amount=Money(345, EUR), key="refund-1")
    ledger.reverse(sale.id, amount=Money(1_000, EUR))


def _hold(ledger: Ledger, wait: Callable[[timedelta], object]) -> None:
    def place(minor: int, **fields: Any) -> PlaceHold:
        return PlaceHold(lines=[Line(Money(minor, EUR), "expenses:travel", "assets:bank")], **fields)

    def placed(minor: int, **fields: Any) -> Applied:
        return ledger.place(place(minor, **fields))

    soon = ledger.state().recorded_at
    assert soon is not None
    soon += timedelta(hours=1)
    placed(1_100, description="Stays open", metadata={"room": 7})
    ledger.capture(placed(1_200).id)
    tipped = placed(1_300, tolerance_bps=2_000, description="Dinner")
    ledger.capture(tipped.id, amount=Money(1_500, EUR), description="Dinner and tip")
    parted = placed(1_400, tolerance_bps=500)
    ledger.capture(parted.id, amount=Money(400, EUR))
    ledger.capture(parted.id, amount=Money(300, EUR), key="second part")
    done = placed(1_500)
    ledger.capture(done.id, amount=Money(100, EUR), final=True)
    ledger.void(placed(1_600).id)
    changed = placed(1_700)
    ledger.change_hold(changed.id, Money(1_900, EUR))
    ledger.change_hold(changed.id, Money(1_800, EUR))
    ledger.post_all([place(100, group="trip"), place(200, group="trip"), CaptureGroup(group="trip")])
    ledger.post_all([place(100, group="fair"), place(200, group="fair"), VoidGroup(group="fair", key="fair is off")])
    expiring = placed(2_000, expires_at=soon, group="late")
    placed(2_100, expires_at=soon + timedelta(days=30))
    ledger.place(
        PlaceHold(
            lines=[
                debit("expenses:travel", Money(50, EUR)),
                debit("expenses:meals", Money(30, EUR)),
                credit("assets:bank", Money(80, EUR)),
            ],
            key="compound hold",
        )
    )
    wait(timedelta(hours=2))
    ledger.expire_holds()
    ledger.replace_hold(expiring.id, expires_at=soon + timedelta(days=3))


def _refuse(ledger: Ledger) -> None:
    over = transfer(debit="expenses:meals", credit="assets:wallet:ann", amount=Money(3_001, EUR), key="too much")
    [refused] = ledger.post_all([over])
    assert isinstance(refused, Refused)
    ledger.post_all([over, transfer(debit="expenses:meals", credit="assets:wallet:ann", amount=Money(3_000, EUR))])
    unknown = transfer(debit="elsewhere:a", credit="elsewhere:b", amount=Money(1, EUR), key="unknown")
    ledger.post_all([Group([unknown, transfer(debit="assets:bank", credit="income:sales", amount=Money(1, EUR))])])


def _change_rules(ledger: Ledger) -> None:
    ledger.change_account("partners:north", limits=Limits(minimum=0, maximum=50_000))
    ledger.transfer(debit="assets:bank", credit="partners:north", amount=Money(5_000, EUR))
    ledger.change_account("partners:north", status=AccountStatus.FROZEN)
    ledger.change_account("assets:spare", status=AccountStatus.CLOSED, key="close spare")
    ledger.change_account("assets:vault", metadata={"box": 7, "sealed": True})
    ledger.change_settings(
        Settings(opening=Opening(on_first_use=True, types=(*SETTINGS.opening.types, ("fees", AccountType.INCOME))))
    )


def _close(ledger: Ledger) -> None:
    now = ledger.state().recorded_at
    assert now is not None
    ledger.close_period(now - timedelta(days=30))
    late = now - timedelta(days=10)
    ledger.transfer(debit="assets:bank", credit="fees:cards", amount=Money(990, EUR), effective_at=late)
    ledger.post_all(
        [transfer(debit="assets:bank", credit="income:sales", amount=Money(100 + day, EUR)) for day in range(20)]
    )
    # The last record changes nothing but the log.
    [refused] = ledger.post_all(
        [transfer(debit="assets:spare", credit="income:sales", amount=Money(1, JPY), key="after the end")]
    )
    assert isinstance(refused, Refused)
