"""Processing payments: many at once, each wholly or not at all, all in one commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.ledger_accounts import ensure_ledger, opening_of, payments_path
from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, LedgercoreError, NotFoundError
from ledgercore.errors.catalog import INSUFFICIENT_PERMISSIONS, PAYMENT_NOT_FOUND
from ledgercore.identity.access import Caller
from ledgercore.identity.audit import Actor
from ledgercore.identity.principals import Principal
from ledgercore.jobs.jobs import NewJob
from ledgercore.ledger.commands import BatchItem
from ledgercore.ledger.outcomes import Applied, Refused
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.payments.facts import balance_of, find_in_ledger, gather_facts
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.policies import can_process_payment, can_view_payment
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.records import tell
from ledgercore.payments.rules import SCHEDULED, WAITING, Facts, check_status, decide_all
from ledgercore.statements.statements import Direction

JOB_KIND: Final = "process_payment"
JOB_QUEUE: Final = "payments"
UNIQUE_FOR: Final = timedelta(seconds=60)
PRIORITY: Final = 5


@frozen(kw_only=True)
class Processed:
    """What became of one payment of a batch: the payment as it is now, and why it was refused, if it was.

    `payment` is `None` for one that is not there.
    """

    payment: Payment | None
    refusal: LedgercoreError | None = None

    def or_raise(self) -> Payment:
        """The payment, or raise why it was refused."""
        if self.refusal is not None:
            raise self.refusal
        assert self.payment is not None
        return self.payment


@frozen(kw_only=True)
class PaymentProcessing:
    """Carries payments out. `ledger` is the bank's, where their money moves."""

    store: Store
    clock: Clock
    ledger: str
    limits: PaymentLimits

    def process_all(
        self, ids: Sequence[UUID], *, by: Caller, actor: Actor, failing: bool = False
    ) -> Sequence[Processed]:
        """Carry out each payment or refuse it; one outcome for each id, in order, all in one commit.

        A refused payment stays as it was, so that it can be tried again; `failing` makes those FAILED that a rule
        forbids. Refusals are `payment_not_found`, `insufficient_permissions`, `already_processed` and those of
        `check_payment`. Whoever works for the system also carries out what was scheduled. What the ledger alone
        refuses undoes the batch and is raised, unless `failing`.
        """
        with self.store.begin() as work:
            outcomes = self.process_in(work, dict.fromkeys(ids, actor), by=by, failing=failing)
        return [outcomes[id] for id in ids]

    def process(self, id: UUID, *, by: Caller, actor: Actor) -> Payment:
        """Carry out one payment and give it as COMPLETED, or raise why not, where a batch would report."""
        with self.store.begin() as work:
            outcomes = self.process_in(work, {id: actor}, by=by, failing=False)
            # Inside, so that nothing is kept of a refusal.
            return outcomes[id].or_raise()

    def schedule(
        self, id: UUID, *, by: Caller, actor: Actor, priority: int = PRIORITY, delay: timedelta | None = None
    ) -> Payment:
        """Leave a payment to the workers and give it as PROCESSING; at the earliest after a delay.

        Raises `payment_not_found`, `insufficient_permissions`, `already_processed`, and `invalid_argument` for a
        priority that is not one from 0 to 9.
        """
        with self.store.begin() as work:
            found = locked_payment(work, id)
            check_may_process(found, by)
            check_status(found)
            now = self.clock()
            begun = found.begun(now=now)
            work.payments.save_all([begun])
            work.jobs.enqueue(
                [
                    NewJob(
                        kind=JOB_KIND,
                        arguments={"payment_id": str(id)},
                        queue=JOB_QUEUE,
                        priority=priority,
                        run_at=None if delay is None else now + delay,
                        unique_key=found.key,
                        unique_for=UNIQUE_FOR,
                        correlation_id=actor.correlation_id,
                    )
                ]
            )
            tell(work, [("processing", begun)], {id: actor})
        return begun

    def process_in(
        self, work: Work, actors: Mapping[UUID, Actor], *, by: Caller, failing: bool
    ) -> Mapping[UUID, Processed]:
        """`process_all` inside a unit of work, for payments by the actors in whose names it is done."""
        found = {payment.id: payment for payment in work.payments.lock(sorted(actors))}
        outcomes: dict[UUID, Processed] = {}
        due = []
        for id in actors:
            refusal = _refusal_at_door(found.get(id), id, by)
            if refusal is None:
                due.append(found[id])
            else:
                outcomes[id] = Processed(payment=found.get(id), refusal=refusal)
        if due:
            outcomes |= self._carry_out(work, due, actors, failing=failing)
        return outcomes

    def _carry_out(
        self, work: Work, due: Sequence[Payment], actors: Mapping[UUID, Actor], *, failing: bool
    ) -> dict[UUID, Processed]:
        locked = work.accounts.lock(sorted({payment.user_bank_account_id for payment in due}))
        accounts = {account.id: account for account in locked}
        now = self.clock()
        facts = gather_facts(work, due, accounts, ledger=self.ledger, limits=self.limits, now=now)
        decided = decide_all(due, facts, allowed=SCHEDULED)
        wanted = [payment for payment, refusal in zip(due, decided, strict=True) if refusal is None]
        posted = self._post(work, wanted, facts, failing=failing)
        outcomes = {
            payment.id: self._outcome(payment, refusal or posted[payment.id], now=now, failing=failing)
            for payment, refusal in zip(due, decided, strict=True)
        }
        changed = [each.payment for each in outcomes.values() if each.refusal is None or failing]
        self._keep(work, [payment for payment in changed if payment is not None], accounts, actors)
        return outcomes

    def _post(
        self, work: Work, payments: Sequence[Payment], facts: Facts, *, failing: bool
    ) -> Mapping[UUID, Applied | LedgercoreError]:
        """Post the transactions of payments; raises a refusal of the ledger unless it may be kept.

        The ledger keeps a refusal under the payment's key for ever: right for a payment that fails for it, but one
        that is to be tried again needs everything undone.
        """
        if not payments:
            return {}
        touched = {payment.user_bank_account_id: facts.accounts[payment.user_bank_account_id] for payment in payments}
        openings = [opening_of(account) for id, account in touched.items() if id not in facts.in_ledger]
        batch: list[BatchItem] = [*openings, *map(transaction_of, payments)]
        outcomes = ensure_ledger(work, self.ledger).append(batch)[len(openings) :]
        posted: dict[UUID, Applied | LedgercoreError] = {}
        for payment, outcome in zip(payments, outcomes, strict=True):
            if isinstance(outcome, Refused) and not failing:
                raise outcome.error
            assert isinstance(outcome, Refused | Applied)
            posted[payment.id] = outcome.error if isinstance(outcome, Refused) else outcome
        return posted

    def _outcome(
        self, payment: Payment, result: Applied | LedgercoreError, *, now: datetime, failing: bool
    ) -> Processed:
        if isinstance(result, Applied):
            return Processed(payment=payment.completed(result.id, now=now))
        return Processed(payment=payment.failed(result.reason, now=now) if failing else payment, refusal=result)

    def _keep(
        self,
        work: Work,
        payments: Sequence[Payment],
        accounts: Mapping[UUID, BankAccount],
        actors: Mapping[UUID, Actor],
    ) -> None:
        if not payments:
            return
        work.payments.save_all(payments)
        moved = [payment for payment in payments if payment.status is PaymentStatus.COMPLETED]
        touched = [accounts[id] for id in sorted({payment.user_bank_account_id for payment in moved})]
        in_ledger = find_in_ledger(work, self.ledger, touched) if touched else {}
        tell(
            work,
            [(payment.status.value.lower(), payment) for payment in payments],
            actors,
            balances=[(account, balance_of(account, in_ledger)) for account in touched],
        )


def transaction_of(payment: Payment) -> Transaction:
    """The transaction that a payment is: a debit of the account for a DEBIT, against what payments clear through."""
    account, clearing = f"accounts:{payment.user_bank_account_id}", payments_path(payment.amount.currency.code)
    debit, credit = (account, clearing) if payment.direction is Direction.DEBIT else (clearing, account)
    return transfer(
        debit=debit,
        credit=credit,
        amount=payment.amount,
        key=payment.key,
        description=payment.description,
        metadata={"payment_id": str(payment.id)},
    )


def locked_payment(work: Work, id: UUID) -> Payment:
    """A payment, locked; raises `payment_not_found`."""
    for found in work.payments.lock([id]):
        return found
    raise _not_found(id)


def check_may_view(payment: Payment, by: Caller) -> None:
    """Raise `insufficient_permissions` for a payment that the caller may not see."""
    if isinstance(by, Principal) and not can_view_payment(by, payment):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, payment_id=payment.id)


def check_may_process(payment: Payment, by: Caller) -> None:
    """Let whoever may process a payment pass.

    Raises `insufficient_permissions`, and `already_processed` instead for whoever may at least see one that is
    processed.
    """
    if not isinstance(by, Principal):
        check_status(payment, SCHEDULED)
        return
    check_may_view(payment, by)
    check_status(payment, WAITING)
    if not can_process_payment(by, payment):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, payment_id=payment.id)


def _refusal_at_door(payment: Payment | None, id: UUID, by: Caller) -> LedgercoreError | None:
    if payment is None:
        return _not_found(id)
    try:
        check_may_process(payment, by)
    except LedgercoreError as refusal:
        return refusal
    return None


def _not_found(id: UUID) -> NotFoundError:
    return NotFoundError(PAYMENT_NOT_FOUND, payment_id=id)
