"""Telling what would become of a payment, by the rules that would decide it."""

from typing import Final
from uuid import UUID

from attrs import frozen

from ledgercore.banking.accounts import BankAccount
from ledgercore.clock import Clock
from ledgercore.errors import LedgercoreError
from ledgercore.identity.principals import Principal
from ledgercore.money import Money, currency
from ledgercore.payments.creating import check_owner, existing_account, payment_from
from ledgercore.payments.facts import balance_of, gather_facts
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.normalizers import NewPayment, new_payment
from ledgercore.payments.ports import Store
from ledgercore.payments.rules import Facts, decide_all

DRAFT: Final = UUID(int=0)
"""The id of a payment that is not stored."""


@frozen(kw_only=True)
class DryRun:
    """What was asked, the account it is about if it is one's own, and why it would be refused, if it would."""

    asked: NewPayment
    refusal: LedgercoreError | None
    balance: Money
    account: BankAccount | None = None

    @property
    def message(self) -> str:
        """How it went, in words."""
        return "Payment validation successful" if self.refusal is None else "Payment validation failed"


@frozen(kw_only=True)
class PaymentDryRuns:
    """Tries payments without storing anything."""

    store: Store
    clock: Clock
    ledger: str
    limits: PaymentLimits

    def try_(self, attrs: object, *, by: Principal) -> DryRun:
        """What creating and processing a payment at this moment would answer.

        Raises what cannot be read at all: what `new_payment` raises, `account_not_found`, and
        `invalid_amount_format`.
        """
        asked = new_payment(attrs)
        with self.store.begin() as work:
            account = existing_account(work, asked.user_bank_account_id)
            empty = Money.zero(currency(account.currency))
            try:
                check_owner(account, by)
            except LedgercoreError as refusal:
                return DryRun(asked=asked, refusal=refusal, balance=empty)
            now = self.clock()
            draft = payment_from(asked, account, id=DRAFT, now=now)
            facts: Facts = gather_facts(
                work, [draft], {account.id: account}, ledger=self.ledger, limits=self.limits, now=now
            )
        [refused] = decide_all([draft], facts)
        return DryRun(asked=asked, refusal=refused, account=account, balance=balance_of(account, facts.in_ledger))
