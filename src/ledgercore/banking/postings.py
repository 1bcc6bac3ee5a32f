"""What banks tell, as commands to the bank's ledger."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.ledger_accounts import bank_path, limits_of
from ledgercore.banking.merging import Move
from ledgercore.clock import TICK
from ledgercore.ledger.accounts import Account, Limits, Side
from ledgercore.ledger.commands import AnyCommand, BatchItem, ChangeAccount, Group, Reversal, identity_of_key
from ledgercore.ledger.texts import DESCRIPTION_LENGTH_MAX, REFERENCE_LENGTH_MAX
from ledgercore.ledger.transactions import PostedTransaction, Transaction, transfer
from ledgercore.money import Money
from ledgercore.money.currency import ISO


def payment_transaction_id(payment_id: UUID) -> UUID:
    """The transaction that a completed payment of ours is in the ledger."""
    return UUID(bytes=identity_of_key(f"payment:{payment_id}"))


def opening_key(account: BankAccount) -> str:
    """The name of an account's opening balance in the ledger."""
    return f"bank-opening:{account.id}"


def commands_for(account: BankAccount, moves: Sequence[Move], *, at: Account) -> tuple[BatchItem, ...]:
    """What posts the moves of an account that stands as `at` in the ledger.

    The bank is right about what happened: where a move would take the account below its floor, the floor is lifted for
    all of them together and put back.
    """
    commands = tuple(_command(account, move) for move in moves)
    lowest = min(accumulate((move.signed_minor for move in moves), initial=at.balance.available.minor))
    if at.limits.minimum is None or lowest >= at.limits.minimum:
        return commands
    lifted = ChangeAccount(path=account.path, limits=Limits(maximum=at.limits.maximum))
    return (Group((lifted, *commands, ChangeAccount(path=account.path, limits=at.limits))),)


def opening_commands(account: BankAccount, minor: int, *, first_at: datetime | None) -> tuple[BatchItem, ...]:
    """What posts an account's opening balance, just before its first row, and gives the account its limits."""
    restored = ChangeAccount(path=account.path, limits=limits_of(account))
    if minor == 0:
        return (restored,)
    opening = _transfer(
        account,
        minor,
        key=opening_key(account),
        description="opening balance, as of the bank",
        effective_at=None if first_at is None else first_at - TICK,
    )
    return (Group((opening, restored)),)


def signed_minor_of(transaction: PostedTransaction, path: str) -> int:
    """What a transaction moves an account by, credits counted up."""
    return sum(
        entry.amount.minor if entry.side is Side.CREDIT else -entry.amount.minor
        for entry in transaction.entries
        if entry.account == path
    )


def _command(account: BankAccount, move: Move) -> AnyCommand:
    description = move.description.strip()[:DESCRIPTION_LENGTH_MAX] or None
    if move.reverses is not None:
        return Reversal(transaction=move.reverses, id=move.transaction_id, description=description)
    return _transfer(
        account,
        move.signed_minor,
        id=move.transaction_id,
        description=description,
        effective_at=move.effective_at,
        reference=None if move.external_id is None else move.external_id[:REFERENCE_LENGTH_MAX],
    )


def _transfer(
    account: BankAccount,
    signed_minor: int,
    *,
    id: UUID | None = None,
    key: str | None = None,
    description: str | None,
    effective_at: datetime | None,
    reference: str | None = None,
) -> Transaction:
    own, clearing = account.path, bank_path(account.currency)
    debit, credit = (clearing, own) if signed_minor > 0 else (own, clearing)
    amount = Money(abs(signed_minor), ISO.get(account.currency))
    return transfer(
        debit=debit, credit=credit, amount=amount, id=id, key=key, description=description, effective_at=effective_at,
        reference=reference,
    )  # fmt: skip
