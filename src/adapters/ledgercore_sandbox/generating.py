"""Customers, accounts and transactions made up from a seed: the same seed makes the same bank."""

from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

from attrs import frozen

from ledgercore_sandbox.books import Account, Books, Brand, Customer, Merchant, Row, State

HISTORY: Final = timedelta(days=120)
"""Transactions are spread over so many days, some of which a bank shows only to who has just logged in."""
SALARY_EVERY: Final = 20
PENDING_SHARE: Final = 10
PENDING_MAX: Final = 3
CURRENCIES: Final = {Brand.MONZO: "GBP", Brand.BERLIN_GROUP: "EUR"}
NAMES: Final = ("Ann Archer", "Ben Baker", "Cleo Carter", "Dan Draper", "Eve Fletcher", "Finn Glover")
SHOPS: Final = (
    ("Corner Bakery", "eating_out"),
    ("Green Grocer", "groceries"),
    ("City Trams", "transport"),
    ("Book Nook", "shopping"),
    ("Old Picture House", "entertainment"),
    ("Water and Light", "bills"),
)


@frozen
class Names:
    """Names as each face of the bank gives them, drawn from one source."""

    random: Random

    def short(self, prefix: str) -> str:
        """Such as `acc_0000` and eighteen digits."""
        return f"{prefix}_0000{self.random.getrandbits(72):018x}"

    def uuid(self) -> str:
        """A random UUID (RFC 9562, version 4)."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def secret(self) -> str:
        """A token or code, of 43 characters."""
        return f"{self.random.getrandbits(172):043x}"

    def account(self, brand: Brand) -> str:
        """An account's name."""
        return self.short("acc") if brand is Brand.MONZO else self.uuid()

    def row(self, brand: Brand) -> str:
        """A transaction's name."""
        return self.short("tx") if brand is Brand.MONZO else self.uuid()


def fill(books: Books, names: Names, *, customers: int, accounts: int, transactions: int) -> None:
    """Give the bank customers with so many accounts at each face, and each account so many transactions."""
    now = to_milliseconds(books.clock())
    shops = [Merchant(id=names.short("merch"), name=name, category=category) for name, category in SHOPS]
    for number in range(customers):
        name = NAMES[number % len(NAMES)] + ("" if number < len(NAMES) else f" {number // len(NAMES) + 1}")
        customer = Customer(id=names.short("user"), name=name)
        books.customers[customer.id] = customer
        for brand in Brand:
            for _ in range(accounts):
                account = _account(names, customer, brand, now)
                books.open_account(account)
                _write_history(books, names, account, shops, transactions, now)


def to_milliseconds(at: datetime) -> datetime:
    """The time as it can be told in answers, which have no finer one."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def iban_of(bban: str, country: str) -> str:
    """The IBAN with its check digits (ISO 7064, mod 97-10)."""
    digits = "".join(str(int(letter, 36)) for letter in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{bban}"


def _account(names: Names, customer: Customer, brand: Brand, now: datetime) -> Account:
    number = f"{names.random.randrange(10**8):08}"
    return Account(
        id=names.account(brand),
        brand=brand,
        customer_id=customer.id,
        currency=CURRENCIES[brand],
        name=customer.name,
        iban=iban_of(f"MONZ040004{number}", "GB") if brand is Brand.MONZO else iban_of(f"5001051700{number}", "DE"),
        opened_at=now - HISTORY - timedelta(days=1),
        opening_minor=100_000,
    )


def _write_history(
    books: Books, names: Names, account: Account, shops: list[Merchant], count: int, now: datetime
) -> None:
    random, step = names.random, HISTORY / max(1, count)
    pending_from = count - min(PENDING_MAX, count // PENDING_SHARE)
    for number in range(count):
        # Within its own step, so that the order is that of creation.
        created_at = to_milliseconds(now - step * (count - number) + step * random.randrange(900) / 1000)
        is_pending = number >= pending_from
        row = partial(
            Row,
            id=names.row(account.brand),
            account_id=account.id,
            created_at=created_at,
            state=State.PENDING if is_pending else State.BOOKED,
            booked_at=None if is_pending else created_at,
        )
        if number % SALARY_EVERY == 0:
            written = row(
                amount_minor=random.randrange(150_000, 250_000),
                description="Salary",
                counterparty="Mill and Sons",
                end_to_end_id=f"SALARY-{number // SALARY_EVERY + 1:06}",
            )
        else:
            shop = random.choice(shops)
            written = row(
                amount_minor=-random.randrange(100, 12_000),
                description=shop.name.upper(),
                counterparty=shop.name,
                merchant=shop,
            )
        books.write(written)
