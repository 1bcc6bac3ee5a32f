"""Undoing transactions by new ones, wholly or in part, never beyond what was posted."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from ledgercore.errors import BusinessRuleError, NotFoundError, ValidationError
from ledgercore.errors.catalog import (
    CURRENCY_MISMATCH,
    INVALID_CAPTURE,
    REVERSAL_EXCEEDS_REMAINDER,
    TRANSACTION_ALREADY_REVERSED,
    TRANSACTION_NOT_FOUND,
    TRANSACTION_NOT_REVERSIBLE,
)
from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import Reversal
from ledgercore.ledger.log.records import POSTING_KINDS, REVERSAL, Record
from ledgercore.ledger.rules.run import Run
from ledgercore.ledger.rules.working_set import Pair, Reversible
from ledgercore.ledger.transactions import Line, PostedLine, PostedTransaction, check_lines, reversed_lines
from ledgercore.money import Currency, Money


def reverse(run: Run, command: Reversal, identity: bytes) -> Record:
    """Post the opposite of what remains of a transaction, or of the part that is asked for."""
    found = find_reversible(run, command.transaction)
    if found is None:
        raise NotFoundError(TRANSACTION_NOT_FOUND, transaction_id=command.transaction)
    if found.posted.reverses is not None:
        raise BusinessRuleError(
            TRANSACTION_NOT_REVERSIBLE,
            transaction_id=command.transaction,
            why="a reversal is not reversed; post again",
        )
    effective_at = command.effective_at or run.now
    run.posting.check_period(effective_at)
    remainder = _remainder(found)
    if not remainder:
        raise BusinessRuleError(TRANSACTION_ALREADY_REVERSED, transaction_id=command.transaction)
    lines = _asked(command, remainder) if command.amount or command.lines else _whole(remainder)
    for line in lines:
        pair = (line.debit, line.credit)
        left = remainder.get((pair, line.amount.currency), 0)
        if line.amount.minor > left:
            raise BusinessRuleError(
                REVERSAL_EXCEEDS_REMAINDER, transaction_id=command.transaction, debit=line.debit, credit=line.credit,
                asked=str(line.amount), remaining=str(Money(left, line.amount.currency)),
            )  # fmt: skip
        remainder[pair, line.amount.currency] = left - line.amount.minor
    check_lines(lines)
    rows = run.posting.post_lines(tuple(reversed_lines(lines)), effective_at)
    for line in lines:
        pair = (line.debit, line.credit)
        found.reversed_minor[pair] = found.reversed_minor.get(pair, 0) + line.amount.minor
    record = Record(
        REVERSAL, identity, effective_at, rows, description=command.description, subject=found.posted.id.bytes
    )
    run.records.append(record)
    return record


def find_reversible(run: Run, transaction_id: UUID) -> Reversible | None:
    """A posted transaction that was loaded, or that this very batch posted under a name."""
    found = run.working.reversibles.get(transaction_id)
    if found is not None:
        return found
    _, record = run.seen.get(transaction_id.bytes, (None, None))
    if not isinstance(record, Record) or record.kind not in POSTING_KINDS:
        return None
    posted = PostedTransaction(
        id=transaction_id,
        number=record.number,
        kind=record.kind,
        lines=tuple(_posted_line(*line[:5]) for line in record.lines),
        effective_at=record.effective_at,
        recorded_at=run.now,
        reverses=UUID(bytes=record.subject) if record.kind == REVERSAL and record.subject else None,
    )
    found = run.working.reversibles[transaction_id] = Reversible(posted=posted, reversed_minor={})
    return found


def _posted_line(
    debit: AccountState | None,
    credit: AccountState | None,
    minor: int,
    debit_balance: int | None,
    credit_balance: int | None,
) -> PostedLine:
    state = debit or credit
    assert state is not None
    return PostedLine(
        line=Line(
            Money(minor, state.currency), None if debit is None else debit.path, None if credit is None else credit.path
        ),
        debit_balance=None if debit_balance is None else Money(debit_balance, state.currency),
        credit_balance=None if credit_balance is None else Money(credit_balance, state.currency),
    )


def _remainder(found: Reversible) -> dict[tuple[Pair, Currency], int]:
    """What has not been reversed yet, by account pair; a pair has one currency, its accounts'."""
    posted: Counter[tuple[Pair, Currency]] = Counter()
    for posted_line in found.posted.lines:
        line = posted_line.line
        posted[(line.debit, line.credit), line.amount.currency] += line.amount.minor
    left = {key: minor - found.reversed_minor.get(key[0], 0) for key, minor in posted.items()}
    return {key: minor for key, minor in left.items() if minor}


def _whole(remainder: Mapping[tuple[Pair, Currency], int]) -> tuple[Line, ...]:
    return tuple(Line(Money(minor, currency), *pair) for (pair, currency), minor in remainder.items())


def _asked(command: Reversal, remainder: Mapping[tuple[Pair, Currency], int]) -> tuple[Line, ...]:
    if command.amount is None:
        return command.lines
    if len(remainder) != 1:
        raise ValidationError(INVALID_CAPTURE, field="amount", why="this transaction has several lines; name them")
    [(pair, currency)] = remainder
    if currency != command.amount.currency:
        raise BusinessRuleError(
            CURRENCY_MISMATCH, transaction_id=command.transaction, currency=command.amount.currency.code,
            transaction_currency=currency.code,
        )  # fmt: skip
    return (Line(command.amount, *pair),)


RULES: Final[Mapping[type, Callable[[Run, Any, bytes], Record]]] = {Reversal: reverse}
