"""A year of a small company's books, made up by rule: the same movements on every machine.

A coffee roastery in euros: a shop, an online shop and wholesale customers, suppliers of whom one is
paid in dollars, three employees, a loan, and an owner who draws money.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import define, field, frozen

from ledgercore.ledger.documents import amount_text
from ledgercore.money import Currency, Money, Rate, currency

YEAR: Final = 2025
EUR: Final = currency("EUR")
USD: Final = currency("USD")
VAT_PERCENT: Final = 19

BANK: Final = "assets:bank:checking"
BANK_USD: Final = "assets:bank:dollars"
CASH: Final = "assets:cash"
CARDS: Final = "assets:card-clearing"
INPUT_VAT: Final = "assets:input-vat"
OUTPUT_VAT: Final = "liabilities:output-vat"
WAGE_TAX: Final = "liabilities:wage-tax"
SOCIAL: Final = "liabilities:social-security"
LOAN: Final = "liabilities:loan"

CUSTOMERS: Final = ("cafe-morgen", "hotel-linde", "buero-nord", "kantine-west", "teehaus-ost", "baeckerei-sued")
SUPPLIERS: Final = (("packaging-gmbh", "packaging", 520), ("green-coffee-ag", "coffee:beans", 2_300))
EMPLOYEES: Final = (("roaster", 3_150), ("barista", 2_450), ("office", 2_700))
MONTHLY: Final = (
    (1, "Rent", "rent", 1_650),
    (5, "Electricity and gas", "energy", 540),
    (12, "Software subscriptions", "software", 89),
    (20, "Advertising", "marketing", 260),
)


@frozen
class Movement:
    """One transaction of the sample: its key, when it counts, what it says, and its lines."""

    key: str
    effective_at: datetime
    description: str
    lines: tuple[tuple[str, str, Money], ...]

    def document(self) -> dict[str, Any]:
        """The movement as `ledgercore import` reads it from NDJSON."""
        return {
            "key": self.key,
            "effective_at": self.effective_at.isoformat(),
            "description": self.description,
            "lines": [
                {"debit": debit, "credit": credit, "amount": amount_text(amount), "currency": amount.currency.code}
                for debit, credit, amount in self.lines
            ],
        }

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The movement as rows of a CSV file, one for each line."""
        for number, (debit, credit, amount) in enumerate(self.lines, start=1):
            key = self.key if len(self.lines) == 1 else f"{self.key}/{number}"
            moment = self.effective_at.isoformat()
            yield (key, moment, debit, credit, amount_text(amount), amount.currency.code, self.description)


def sample_year() -> Sequence[Movement]:
    """All movements of the year in the order of their times."""
    return _Books().year()


@define
class _Books:
    """The year while it is written: what is owed and what has piled up decides later movements."""

    numbers: random.Random = field(factory=lambda: random.Random(YEAR))
    movements: list[Movement] = field(factory=list)
    counts: dict[str, int] = field(factory=lambda: defaultdict(int))
    cash: int = 0
    cards: int = 0
    loan: int = 4_000_000
    output_vat: dict[int, int] = field(factory=lambda: defaultdict(int))
    input_vat: dict[int, int] = field(factory=lambda: defaultdict(int))

    def year(self) -> Sequence[Movement]:
        """Write every day, then put late payments in their place."""
        self._found()
        day = date(YEAR, 1, 2)
        while day.year == YEAR:
            if day.weekday() == 0:
                self._monday(day)
            if day.weekday() < 6:
                self._shop_day(day)
            self._online_day(day)
            self._day_of_month(day)
            day += timedelta(days=1)
        inside = [movement for movement in self.movements if movement.effective_at.year == YEAR]
        return sorted(inside, key=lambda movement: movement.effective_at)

    def _found(self) -> None:
        day = date(YEAR, 1, 1)
        self._post("opening", day, 8, "Capital paid in", (BANK, "equity:capital", self._eur(30_000_00)))
        self._post("opening", day, 9, "Bank loan", (BANK, LOAN, self._eur(self.loan)))
        self._buy(day, 10, "Roasting machine", "assets:equipment", 28_500_00, BANK)

    def _shop_day(self, day: date) -> None:
        for hour, account in ((18, CASH), (19, CARDS)):
            gross = self._between(90_00, 300_00) if account == CASH else self._between(220_00, 720_00)
            self._sell("shop", day, hour, f"Shop takings, {account.rpartition(':')[2]}", "shop", gross, account)
            self._pile_up(account, gross)

    def _online_day(self, day: date) -> None:
        for _ in range(self._between(1, 4)):
            gross = self._between(14_00, 95_00)
            number = self.counts["web"] + 1
            self._sell("web", day, self._between(7, 22), f"Online order {number}", "online", gross, CARDS)
            self.cards += gross

    def _monday(self, day: date) -> None:
        """Last week's cards are settled less fees, cash goes to the bank, goods come and go."""
        settled, self.cards = self.cards, 0
        if settled:
            fee = settled * 14 // 1000 + 4_90
            self._post(
                "settlement", day, 6, "Card settlement, less 1.4 % and 4.90",
                (BANK, CARDS, self._eur(settled - fee)), ("expenses:card-fees", CARDS, self._eur(fee)),
            )  # fmt: skip
        deposit = self.cash // 10_000 * 10_000
        if deposit:
            self.cash -= deposit
            self._post("deposit", day, 9, "Cash to the bank", (BANK, CASH, self._eur(deposit)))
        self._wholesale(day)
        self._supplies(day)

    def _wholesale(self, day: date) -> None:
        for _ in range(self._between(1, 2)):
            customer = CUSTOMERS[self._between(0, len(CUSTOMERS) - 1)]
            receivable = f"assets:receivable:{customer}"
            gross = self._between(180_00, 1_400_00)
            invoice = self._sell("invoice", day, 11, f"Invoice to {customer}", "wholesale", gross, receivable)
            paid_on = day + timedelta(days=self._between(9, 38))
            line = (BANK, receivable, self._eur(gross))
            self._post("receipt", paid_on, 10, f"{customer} pays {invoice}", line)

    def _supplies(self, day: date) -> None:
        supplier, kind, about = SUPPLIERS[self._between(0, len(SUPPLIERS) - 1)]
        payable = f"liabilities:payable:{supplier}"
        net = self._between(about * 70, about * 130)
        gross = net + net * VAT_PERCENT // 100
        bill = self._buy(day, 14, f"Bill of {supplier}", f"expenses:{kind}", net, payable)
        paid_on = day + timedelta(days=self._between(7, 28))
        self._post("payment", paid_on, 9, f"Pay {bill} of {supplier}", (payable, BANK, self._eur(gross)))

    def _day_of_month(self, day: date) -> None:
        for on, what, account, about in MONTHLY:
            if day.day == on:
                self._buy(day, 8, f"{what} {day:%m/%Y}", f"expenses:{account}", about * 100, BANK)
        if day.day == 10 and day.month > 1:
            self._pay_taxes(day)
        if day.day == 15:
            self._service_loan(day)
        if day.day == 18 and day.month % 3 == 2:
            self._import_beans(day)
        if day.day == 25:
            self._draw_and_wear(day)
        if day.day == 27:
            self._pay_wages(day)

    def _pay_wages(self, day: date) -> None:
        for name, gross_units in EMPLOYEES:
            gross, duty = gross_units * 100, gross_units * 20
            tax, share = gross * 14 // 100, gross * 20 // 100
            net = gross - tax - share
            self._post(
                "wages", day, 7, f"Wages {day:%m/%Y}, {name}",
                ("expenses:wages", BANK, self._eur(net)),
                ("expenses:wages", WAGE_TAX, self._eur(tax)),
                ("expenses:wages", SOCIAL, self._eur(share)),
                ("expenses:social-security", SOCIAL, self._eur(duty)),
            )  # fmt: skip

    def _pay_taxes(self, day: date) -> None:
        """What was kept back and collected last month goes to those it is owed to."""
        last = day.month - 1
        gross = sum(units * 100 for _, units in EMPLOYEES)
        self._post(
            "duties", day, 6, f"Wage tax and social security {last:02}/{YEAR}",
            (WAGE_TAX, BANK, self._eur(sum(units * 100 * 14 // 100 for _, units in EMPLOYEES))),
            (SOCIAL, BANK, self._eur(gross * 40 // 100)),
        )  # fmt: skip
        collected, paid = self.output_vat[last], self.input_vat[last]
        common = min(collected, paid)
        rest = (OUTPUT_VAT, BANK, collected - common) if collected > paid else (BANK, INPUT_VAT, paid - common)
        lines = [(OUTPUT_VAT, INPUT_VAT, common), rest]
        settled = [(debit, credit, self._eur(minor)) for debit, credit, minor in lines if minor]
        self._post("vat", day, 7, f"VAT return {last:02}/{YEAR}", *settled)

    def _service_loan(self, day: date) -> None:
        interest, principal = self.loan * 45 // 1000 // 12, 650_00
        self.loan -= principal
        self._post(
            "loan", day, 6, f"Loan instalment {day:%m/%Y}, 4.5 %",
            (LOAN, BANK, self._eur(principal)), ("expenses:interest", BANK, self._eur(interest)),
        )  # fmt: skip

    def _import_beans(self, day: date) -> None:
        """Buy dollars through the trading accounts, and pay for beans with them."""
        quoted = datetime(day.year, day.month, day.day, 14, tzinfo=UTC)
        value = Decimal(10_700 + self._between(0, 900)) / 10_000
        rate = Rate(base=EUR, quote=USD, value=value, source="sample", quoted_at=quoted)
        bought = rate.convert(self._eur(self._between(2_400_00, 3_600_00)))
        self._post(
            "exchange", day, 14, f"Buy dollars at {value}",
            ("equity:trading:eur", BANK, bought.sold), (BANK_USD, "equity:trading:usd", bought.bought),
        )  # fmt: skip
        spent = Money(bought.bought.minor * 95 // 100, USD)
        self._post("beans", day, 16, "Beans from Santos", ("expenses:coffee:imported", BANK_USD, spent))

    def _draw_and_wear(self, day: date) -> None:
        self._post("draw", day, 12, f"Owner's draw {day:%m/%Y}", ("equity:drawings", BANK, self._eur(1_900_00)))
        wear = ("expenses:depreciation", "assets:equipment", self._eur(28_500_00 // 96))
        self._post("wear", day, 20, f"Depreciation {day:%m/%Y}", wear)

    def _sell(self, kind: str, day: date, hour: int, what: str, channel: str, gross: int, into: str) -> str:
        net, vat = self._eur(gross).split([100, VAT_PERCENT])
        self.output_vat[day.month] += vat.minor
        return self._post(kind, day, hour, what, (into, f"income:sales:{channel}", net), (into, OUTPUT_VAT, vat))

    def _buy(self, day: date, hour: int, what: str, account: str, net: int, out_of: str) -> str:
        vat = net * VAT_PERCENT // 100
        self.input_vat[day.month] += vat
        return self._post(
            "bill", day, hour, what, (account, out_of, self._eur(net)), (INPUT_VAT, out_of, self._eur(vat))
        )

    def _post(self, kind: str, day: date, hour: int, description: str, *lines: tuple[str, str, Money]) -> str:
        self.counts[kind] += 1
        key = f"{kind}-{self.counts[kind]:04}"
        at = datetime(day.year, day.month, day.day, hour, len(self.movements) % 60, tzinfo=UTC)
        self.movements.append(Movement(key, at, description, lines))
        return key

    def _pile_up(self, account: str, gross: int) -> None:
        if account == CASH:
            self.cash += gross
        else:
            self.cards += gross

    def _between(self, least: int, most: int) -> int:
        # Of all that random offers, only random() promises the same numbers in every version.
        return least + int(self.numbers.random() * (most - least + 1))

    @staticmethod
    def _eur(minor: int) -> Money:
        unit: Currency = EUR
        return Money(minor, unit)
