"""Examples from real life, with amounts worked out by hand, in each adapter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ledgercore import (
    AccountType,
    CaptureGroup,
    Group,
    Ledger,
    LedgercoreError,
    Limits,
    Line,
    Money,
    PlaceHold,
    Rate,
    Refused,
    Transaction,
    credit,
    currency,
    debit,
    transfer,
)
from ledgercore.money import largest_remainder

EUR, USD, JPY = currency("EUR"), currency("USD"), currency("JPY")


def eur(amount: str) -> Money:
    return Money.of(amount, EUR)


def day(month: int, number: int, hour: int = 12) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def shown(ledger: Ledger, *paths: str) -> list[str]:
    """Posted balances in text."""
    return [str(ledger.balance(path).posted.decimal) for path in paths]


def test_restaurant_bill_with_a_tip(ledger: Ledger, clock):
    """A card is authorised for 80.00 with 20 % tolerance; the guest tips, and 92.50 are captured.

    The bank posts 92.50 and the rest of the authorisation is gone: 200.00 - 92.50 = 107.50.
    """
    card, restaurant = "liabilities:cards:1234", "liabilities:merchants:trattoria"
    ledger.open_account(card, EUR, limits=Limits(minimum=0))
    ledger.transfer(debit="assets:cash", credit=card, amount=eur("200.00"), key="salary")

    authorised = ledger.hold(
        debit=card, credit=restaurant, amount=eur("80.00"), tolerance_bps=2000, expires_at=clock.now + timedelta(days=7)
    )
    available = str(ledger.balance(card).available)
    with pytest.raises(LedgercoreError) as too_much:
        ledger.capture(authorised.id, amount=eur("96.01"))
    ledger.capture(authorised.id, amount=eur("92.50"), final=True, description="dinner and tip")

    assert available == "120.00 EUR"
    assert (too_much.value.code, too_much.value.details["over_by"]) == ("capture_exceeds_hold", "0.01 EUR")
    assert shown(ledger, card, restaurant) == ["107.50", "92.50"]
    assert str(ledger.balance(card).available) == "107.50 EUR"


def test_order_shipped_in_parcels(ledger: Ledger, clock):
    """An order of 120.00 is authorised; parcels of 45.00 and 30.00 ship, the last item is out of stock.

    Captured 45.00 + 30.00 = 75.00; what was left, 45.00, goes back when the authorisation runs out.
    """
    wallet, shop = "liabilities:wallets:bea", "liabilities:merchants:books"
    ledger.open_account(wallet, EUR, limits=Limits(minimum=0))
    ledger.transfer(debit="assets:bank", credit=wallet, amount=eur("120.00"))
    order = ledger.hold(
        debit=wallet,
        credit=shop,
        amount=eur("120.00"),
        expires_at=clock.now + timedelta(days=7),
        description="Order 17",
    )

    ledger.capture(order.id, amount=eur("45.00"), key="parcel-1")
    ledger.capture(order.id, amount=eur("30.00"), key="parcel-2")
    ledger.capture(order.id, amount=eur("30.00"), key="parcel-2")
    held = str(ledger.balance(wallet).available)
    clock.forward(days=7)

    assert held == "0.00 EUR"
    assert str(ledger.balance(wallet).available) == "45.00 EUR"
    assert shown(ledger, wallet, shop) == ["45.00", "75.00"]
    assert ledger.get_hold(order.id).status == "expired"


def test_marketplace_payout_with_platform_fee(ledger: Ledger):
    """A sale of 100.01 is split 85 : 10 : 5 between seller, platform and charity.

    Exact shares are 85.0085, 10.0010 and 5.0005: towards zero 85.00, 10.00 and 5.00, and the spare
    cent goes to the share that lost most, the seller's: 85.01 + 10.00 + 5.00 = 100.01. The payout
    of the seller's 85.01 costs 0.35.
    """
    seller, fee, charity = largest_remainder(eur("100.01"), [85, 10, 5])
    ledger.post(
        Transaction(
            lines=[
                debit("assets:psp", eur("100.01")),
                credit("liabilities:sellers:anna", seller),
                credit("income:platform-fees", fee),
                credit("liabilities:charity", charity),
            ],
            reference="SALE-1",
        )
    )
    ledger.post(
        Transaction(
            lines=[
                debit("liabilities:sellers:anna", eur("85.01")),
                credit("assets:bank", eur("84.66")),
                credit("income:payout-fees", eur("0.35")),
            ],
            reference="PAYOUT-1",
        )
    )

    assert shown(ledger, "assets:psp", "income:platform-fees", "liabilities:charity") == ["100.01", "10.00", "5.00"]
    assert shown(ledger, "liabilities:sellers:anna", "assets:bank") == ["0.00", "-84.66"]
    assert ledger.trial_balance().is_balanced


def test_refund_and_chargeback(ledger: Ledger):
    """Of a sale of 60.00 the shop refunds 15.00; then the payer's bank takes back the remaining 45.00.

    A chargeback also costs the shop 20.00. Nothing remains to be undone: 60.00 - 15.00 - 45.00 = 0.
    """
    sale = ledger.transfer(debit="assets:acquirer", credit="income:sales", amount=eur("60.00"), key="sale")

    ledger.reverse(sale.id, amount=eur("15.00"), key="refund", description="one item returned")
    with pytest.raises(LedgercoreError) as too_much:
        ledger.reverse(sale.id, amount=eur("45.01"), key="wrong chargeback")
    chargeback = ledger.reverse(sale.id, key="chargeback")
    ledger.transfer(debit="expenses:chargebacks", credit="assets:acquirer", amount=eur("20.00"))

    assert too_much.value.details["remaining"] == "45.00 EUR"
    assert [line.line.amount for line in ledger.get_transaction(chargeback.id).lines] == [eur("45.00")]
    assert shown(ledger, "income:sales", "expenses:chargebacks", "assets:acquirer") == ["0.00", "20.00", "-20.00"]
    statement = ledger.income_statement()
    assert str(statement.results[EUR]) == "-20.00 EUR"


def test_currency_exchange_through_trading_accounts(ledger: Ledger):
    """250.00 EUR are sold at 163.275 yen: 40,818.75, rounded half to even to 40,819 JPY.

    Rounding gave the buyer a quarter of a yen. The trading accounts show the open position in each
    currency, and the rate stays with the transaction.
    """
    rate = Rate(base=EUR, quote=JPY, value=Decimal("163.275"), source="ECB", quoted_at=day(2, 27))
    done = rate.convert(eur("250.00"))

    outcome = ledger.post(
        Transaction(
            lines=[
                Line(done.sold, debit="liabilities:wallets:eur", credit="equity:trading:eur"),
                Line(done.bought, debit="equity:trading:jpy", credit="liabilities:wallets:jpy"),
            ],
            metadata={
                "rate": str(rate.value), "source": rate.source, "quoted_at": rate.quoted_at.isoformat(),
                "residue": str(done.residue),
            },
        )
    )  # fmt: skip

    found = ledger.get_transaction(outcome.id)
    assert found.metadata == {
        "rate": "163.275", "source": "ECB", "quoted_at": "2026-02-27T12:00:00+00:00", "residue": "-1/4",
    }  # fmt: skip
    assert shown(ledger, "equity:trading:eur", "equity:trading:jpy") == ["250.00", "-40819"]
    assert shown(ledger, "liabilities:wallets:eur", "liabilities:wallets:jpy") == ["-250.00", "40819"]
    assert ledger.trial_balance().is_balanced
    [found] = ledger.list_transactions(metadata={"source": "ECB"}).items
    assert found.id == outcome.id


def test_payroll(ledger: Ledger):
    """Two salaries of 3,000.00 and 2,400.00 gross; tax 20 %, social insurance 10 % each side.

    Net 3,000 - 600 - 300 = 2,100 and 2,400 - 480 - 240 = 1,680; tax 1,080; insurance twice 540.
    Debits 5,400.00 + 540.00 = credits 2,100.00 + 1,680.00 + 1,080.00 + 1,080.00 = 5,940.00.
    """
    ledger.post(
        Transaction(
            lines=[
                debit("expenses:wages:anna", eur("3000.00")),
                debit("expenses:wages:ben", eur("2400.00")),
                debit("expenses:insurance", eur("540.00")),
                credit("liabilities:net:anna", eur("2100.00")),
                credit("liabilities:net:ben", eur("1680.00")),
                credit("liabilities:tax", eur("1080.00")),
                credit("liabilities:insurance", eur("1080.00")),
            ],
            reference="2026-02",
        )
    )
    ledger.post_all(
        [
            Group(
                [
                    transfer(debit="liabilities:net:anna", credit="assets:bank", amount=eur("2100.00")),
                    transfer(debit="liabilities:net:ben", credit="assets:bank", amount=eur("1680.00")),
                ]
            )
        ]
    )

    totals = {line.path: str(line.total.decimal) for line in ledger.totals()}
    assert totals["expenses"] == "5940.00"
    assert totals["expenses:wages"] == "5400.00"
    assert totals["liabilities:net"] == "0.00"
    assert totals["liabilities"] == "2160.00"
    assert totals["assets"] == "-3780.00"


def test_wallet_with_overdraft(ledger: Ledger):
    """An account with 30.00 and an overdraft of 50.00 pays 70.00; 10.00 remain, and 10.01 are refused.

    After the overdraft is taken back the account is beyond its limit: money may come, none may go.
    """
    giro = "liabilities:giro:carl"
    ledger.open_account(giro, EUR, limits=Limits(minimum=-5000))
    ledger.transfer(debit="assets:cash", credit=giro, amount=eur("30.00"))
    ledger.transfer(debit=giro, credit="liabilities:giro:shop", amount=eur("70.00"))

    [refused] = ledger.post_all([transfer(debit=giro, credit="liabilities:giro:shop", amount=eur("10.01"))])
    ledger.change_account(giro, limits=Limits(minimum=0))
    [beyond] = ledger.post_all([transfer(debit=giro, credit="liabilities:giro:shop", amount=eur("0.01"))])
    ledger.transfer(debit="assets:cash", credit=giro, amount=eur("25.00"))

    assert isinstance(refused, Refused)
    assert (refused.details["available"], refused.details["short_by"]) == ("10.00", "0.01")
    assert isinstance(beyond, Refused)
    assert (beyond.reason.code, beyond.details["short_by"]) == ("insufficient_funds", "40.01")
    assert shown(ledger, giro) == ["-15.00"]


def test_month_close(ledger: Ledger):
    """February: sales 900.00, rent 400.00, wages 350.00; the result of 150.00 moves to retained earnings.

    After the closing entry income and expenses start from nothing, the sheet is balanced without a
    result, and the month takes no more entries.
    """
    ledger.transfer(debit="assets:bank", credit="equity:capital", amount=eur("1000.00"), effective_at=day(1, 15))
    ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("900.00"), effective_at=day(2, 5))
    ledger.transfer(debit="expenses:rent", credit="assets:bank", amount=eur("400.00"), effective_at=day(2, 10))
    ledger.transfer(debit="expenses:wages", credit="assets:bank", amount=eur("350.00"), effective_at=day(2, 20))
    month_end = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)

    statement = ledger.income_statement(since=day(2, 1, 0), until=month_end)
    before = ledger.balance_sheet(effective_at=month_end).totals[EUR]
    ledger.post(
        Transaction(
            lines=[
                debit("income:sales", eur("900.00")),
                credit("expenses:rent", eur("400.00")),
                credit("expenses:wages", eur("350.00")),
                credit("equity:retained", eur("150.00")),
            ],
            effective_at=month_end,
            description="Closing February",
        )
    )
    ledger.close_period(month_end)
    after = ledger.balance_sheet(effective_at=month_end).totals[EUR]

    assert str(statement.results[EUR]) == "150.00 EUR"
    assert (before.assets, before.equity, before.result) == (eur("1150.00"), eur("1000.00"), eur("150.00"))
    assert (after.assets, after.equity, after.result) == (eur("1150.00"), eur("1150.00"), eur("0.00"))
    with pytest.raises(LedgercoreError) as locked:
        ledger.transfer(debit="expenses:rent", credit="assets:bank", amount=eur("1.00"), effective_at=day(2, 28))
    assert locked.value.code == "period_closed"


def test_backdated_correction_on_both_time_axes(ledger: Ledger, clock):
    """In March a rent of 500.00 that belongs into January is found to be missing.

    January as it was known in February had 800.00; as it is known now it had 300.00. What was
    reported in February stays reproducible.
    """
    ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("800.00"), effective_at=day(1, 20))
    reported_at = clock.forward(days=1)
    clock.forward(days=9)
    ledger.transfer(debit="expenses:rent", credit="assets:bank", amount=eur("500.00"), effective_at=day(1, 31))

    january_end = day(1, 31, 23)
    as_reported = ledger.balance_at("assets:bank", effective_at=january_end, recorded_at=reported_at)
    as_known = ledger.balance_at("assets:bank", effective_at=january_end)
    reported = ledger.income_statement(since=day(1, 1, 0), until=january_end, recorded_at=reported_at)
    known = ledger.income_statement(since=day(1, 1, 0), until=january_end)

    assert (as_reported, as_known) == (eur("800.00"), eur("300.00"))
    assert (reported.results[EUR], known.results[EUR]) == (eur("800.00"), eur("300.00"))
    assert ledger.balance_at("assets:bank", effective_at=day(1, 30)) == eur("800.00")


def test_group_booking_is_captured_together(ledger: Ledger, clock):
    """Flight 180.00 and hotel 220.00 are held for one trip of a guest with 400.00, and captured both or none."""
    guest = "liabilities:wallets:dora"
    ledger.open_account(guest, EUR, limits=Limits(minimum=0))
    ledger.open_account("liabilities:hotel", EUR, type=AccountType.LIABILITY)
    ledger.transfer(debit="assets:bank", credit=guest, amount=eur("400.00"))
    for payee, amount in (("liabilities:airline", "180.00"), ("liabilities:hotel", "220.00")):
        ledger.place(PlaceHold(lines=[Line(eur(amount), guest, payee)], group="trip-9"))
    ledger.change_account("liabilities:hotel", limits=Limits(maximum=10_000))

    # The reservation was made before the hotel's limit, so it stands: a capture cannot break it.
    outcomes = ledger.post_all([CaptureGroup(group="trip-9", key="trip-9")])

    assert not isinstance(outcomes[0], Refused)
    assert shown(ledger, guest, "liabilities:airline", "liabilities:hotel") == ["0.00", "180.00", "220.00"]
