"""Moving balances: the rules that every entry and every hold meets on its accounts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from ledgercore.errors import BusinessRuleError, ConflictError, NotFoundError
from ledgercore.errors.catalog import (
    ACCOUNT_CLOSED,
    ACCOUNT_FROZEN,
    ACCOUNT_NOT_FOUND,
    BALANCE_ABOVE_MAXIMUM,
    BALANCE_OVERFLOW,
    BALANCE_PRECONDITION_FAILED,
    CURRENCY_MISMATCH,
    INSUFFICIENT_FUNDS,
    PERIOD_CLOSED,
    VERSION_PRECONDITION_FAILED,
)
from ledgercore.ledger.accounts import BALANCE_MINOR_MAX, AccountState, AccountStatus
from ledgercore.ledger.log.records import CREDIT_LATE, DEBIT_LATE, RecordLine
from ledgercore.ledger.rules.working_set import WorkingSet
from ledgercore.ledger.transactions import Line, Precondition
from ledgercore.money import Currency, format_amount

BALANCE_MINOR_MIN: Final = -BALANCE_MINOR_MAX


class Posting:
    """Applies lines to the accounts of one working set; each call changes everything or raises."""

    __slots__ = ("accounts", "note_opening", "now", "tentative", "working")

    def __init__(self, working: WorkingSet, now: datetime, note_opening: Callable[[AccountState], None]) -> None:
        self.working = working
        self.accounts = working.accounts
        self.now = now
        self.note_opening = note_opening
        self.tentative: dict[str, AccountState] = {}

    def post_transfer(self, line: Line, effective_at: datetime, flags: int) -> list[RecordLine]:
        """Post one line that names both accounts; `flags` are set on its row besides those of lateness."""
        accounts = self.accounts
        amount = line.amount
        minor = amount.minor
        currency = amount.currency
        debit = accounts.get(line.debit)  # type: ignore[arg-type]
        credit = accounts.get(line.credit)  # type: ignore[arg-type]
        if debit is None or credit is None:
            debit, credit = self._both(line)
        if debit.currency is not currency or credit.currency is not currency:
            _check_currency(debit, currency)
            _check_currency(credit, currency)
        debit_balance = debit.balance + minor if debit.debit_normal else debit.balance - minor
        credit_balance = credit.balance - minor if credit.debit_normal else credit.balance + minor
        if debit.guarded or not BALANCE_MINOR_MIN <= debit_balance <= BALANCE_MINOR_MAX:
            check_move(debit, debit_balance - debit.balance)
        if credit.guarded or not BALANCE_MINOR_MIN <= credit_balance <= BALANCE_MINOR_MAX:
            check_move(credit, credit_balance - credit.balance)
        if self.tentative:
            self._open()
        latest = debit.latest_effective_at
        if latest is None or effective_at >= latest:
            debit.latest_effective_at = effective_at
        else:
            flags |= DEBIT_LATE
        latest = credit.latest_effective_at
        if latest is None or effective_at >= latest:
            credit.latest_effective_at = effective_at
        else:
            flags |= CREDIT_LATE
        debit.balance = debit_balance
        credit.balance = credit_balance
        debit.version += 1
        credit.version += 1
        debit.changed = credit.changed = True
        return [(debit, credit, minor, debit_balance, credit_balance, flags)]

    def post_lines(
        self, lines: Sequence[Line], effective_at: datetime, *, released: Sequence[Line] = ()
    ) -> list[RecordLine]:
        """Post any lines; limits are asked of the net effect on each account.

        `released` are held lines that these entries use up: they stop being pending first.
        """
        moves: dict[AccountState, int] = {}
        for line in lines:
            for state, raises in self._sides(line):
                signed = line.amount.minor if raises else -line.amount.minor
                moves[state] = moves.get(state, 0) + signed
        freed = self._pending_moves(released)
        for state, move in moves.items():
            out, into = freed.get(state, (0, 0))
            check_move(state, move, freed_out=out, freed_in=into)
        self._open()
        self.release(released)
        return [self._write(line, effective_at) for line in lines]

    def reserve(self, lines: Sequence[Line], *, instead_of: Sequence[Line] = ()) -> None:
        """Hold lines, in place of what was held before; refused where a capture could break a limit."""
        wanted = self._pending_moves(lines)
        freed = self._pending_moves(instead_of)
        for state, (out, into) in wanted.items():
            freed_out, freed_in = freed.get(state, (0, 0))
            check_reserve(state, out - freed_out, into - freed_in)
        self._open()
        self.release(instead_of)
        self._shift(lines, +1)

    def release(self, lines: Sequence[Line]) -> None:
        """Stop holding lines."""
        self._shift(lines, -1)

    def check_preconditions(self, preconditions: Sequence[Precondition]) -> None:
        """Raise a conflict unless each account has the balance and version that the caller expects."""
        for wanted in preconditions:
            state = self.state_of(wanted.account)
            if wanted.balance is not None and wanted.balance != state.balance:
                raise ConflictError(
                    BALANCE_PRECONDITION_FAILED,
                    account=state.path,
                    expected=wanted.balance,
                    actual=state.balance,
                )
            if wanted.version is not None and wanted.version != state.version:
                raise ConflictError(
                    VERSION_PRECONDITION_FAILED,
                    account=state.path,
                    expected=wanted.version,
                    actual=state.version,
                )

    def check_period(self, effective_at: datetime) -> None:
        """Refuse a time in a closed period."""
        closed = self.working.closed_through
        if closed is not None and effective_at <= closed:
            raise BusinessRuleError(PERIOD_CLOSED, effective_at=effective_at, closed_through=closed)

    def state_of(self, path: str) -> AccountState:
        """The account's state; raises `account_not_found`."""
        state = self.accounts.get(path)
        if state is None:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
        return state

    def _both(self, line: Line) -> tuple[AccountState, AccountState]:
        (debit, _), (credit, _) = self._sides(line)
        return debit, credit

    def _sides(self, line: Line) -> list[tuple[AccountState, bool]]:
        """The line's accounts, opened in thought where the ledger allows, and whether each balance rises."""
        sides = []
        for path, is_debit in ((line.debit, True), (line.credit, False)):
            if path is not None:
                state = self.accounts.get(path) or self._new(path, line.amount.currency)
                _check_currency(state, line.amount.currency)
                sides.append((state, state.debit_normal is is_debit))
        return sides

    def _new(self, path: str, currency: Currency) -> AccountState:
        opening = self.working.settings.opening
        type_ = opening.type_of(path) if opening.on_first_use else None
        if type_ is None:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
        state = self.tentative.get(path)
        if state is None:
            state = self.tentative[path] = AccountState(
                number=0,
                path=path,
                currency=currency,
                type=type_,
                opened_at=self.now,
                limits=opening.limits_of(path),
            )
        return state

    def _open(self) -> None:
        """Make accounts that were opened in thought part of the ledger, since the command holds."""
        for path, state in self.tentative.items():
            self.accounts[path] = state
            self.note_opening(state)
        self.tentative.clear()

    def _pending_moves(self, lines: Sequence[Line]) -> dict[AccountState, tuple[int, int]]:
        moves: dict[AccountState, tuple[int, int]] = {}
        for line in lines:
            for state, raises in self._sides(line):
                out, into = moves.get(state, (0, 0))
                minor = line.amount.minor
                moves[state] = (out, into + minor) if raises else (out + minor, into)
        return moves

    def _shift(self, lines: Sequence[Line], sign: int) -> None:
        for line in lines:
            if line.debit is not None:
                state = self.accounts[line.debit]
                state.pending_debits += sign * line.amount.minor
                state.changed = True
            if line.credit is not None:
                state = self.accounts[line.credit]
                state.pending_credits += sign * line.amount.minor
                state.changed = True

    def _write(self, line: Line, effective_at: datetime) -> RecordLine:
        minor = line.amount.minor
        flags = 0
        debit = credit = None
        debit_balance = credit_balance = None
        if line.debit is not None:
            debit = self.accounts[line.debit]
            debit_balance = _move(debit, minor if debit.debit_normal else -minor)
            flags |= 0 if _advance(debit, effective_at) else DEBIT_LATE
        if line.credit is not None:
            credit = self.accounts[line.credit]
            credit_balance = _move(credit, -minor if credit.debit_normal else minor)
            flags |= 0 if _advance(credit, effective_at) else CREDIT_LATE
        return (debit, credit, minor, debit_balance, credit_balance, flags)


def check_move(state: AccountState, move: int, *, freed_out: int = 0, freed_in: int = 0) -> None:
    """Refuse a change of the posted balance that the account's status or limits forbid.

    `move` is in minor units towards the normal side; `freed_*` is what stops being held with it.
    """
    _check_status(state)
    limits = state.limits
    available = state.balance + move - (state.pending_out - freed_out)
    lowers = move + freed_out < 0
    if lowers and limits.minimum is not None and available < limits.minimum:
        raise BusinessRuleError(
            INSUFFICIENT_FUNDS, account=state.path, currency=state.currency.code,
            available=format_amount(state.available - limits.minimum + freed_out, state.currency),
            requested=format_amount(-move, state.currency),
            short_by=format_amount(limits.minimum - available, state.currency),
            minimum=format_amount(limits.minimum, state.currency),
        )  # fmt: skip
    reach = state.balance + move + state.pending_in - freed_in
    if move - freed_in > 0 and limits.maximum is not None and reach > limits.maximum:
        raise BusinessRuleError(
            BALANCE_ABOVE_MAXIMUM, account=state.path, currency=state.currency.code,
            requested=format_amount(move, state.currency), maximum=format_amount(limits.maximum, state.currency),
            over_by=format_amount(reach - limits.maximum, state.currency),
        )  # fmt: skip
    if abs(state.balance + move) > BALANCE_MINOR_MAX:
        raise BusinessRuleError(BALANCE_OVERFLOW, account=state.path, digits_max=len(str(BALANCE_MINOR_MAX)))


def check_reserve(state: AccountState, more_out: int, more_in: int) -> None:
    """Refuse a hold that the account's status or limits forbid, so that no capture can break them."""
    _check_status(state)
    limits = state.limits
    available = state.available - more_out
    if more_out > 0 and limits.minimum is not None and available < limits.minimum:
        raise BusinessRuleError(
            INSUFFICIENT_FUNDS, account=state.path, currency=state.currency.code,
            available=format_amount(state.available - limits.minimum, state.currency),
            requested=format_amount(more_out, state.currency),
            short_by=format_amount(limits.minimum - available, state.currency),
            minimum=format_amount(limits.minimum, state.currency),
        )  # fmt: skip
    reach = state.balance + state.pending_in + more_in
    if more_in > 0 and limits.maximum is not None and reach > limits.maximum:
        raise BusinessRuleError(
            BALANCE_ABOVE_MAXIMUM, account=state.path, currency=state.currency.code,
            requested=format_amount(more_in, state.currency), maximum=format_amount(limits.maximum, state.currency),
            over_by=format_amount(reach - limits.maximum, state.currency),
        )  # fmt: skip
    if state.pending_out + more_out > BALANCE_MINOR_MAX or state.pending_in + more_in > BALANCE_MINOR_MAX:
        raise BusinessRuleError(BALANCE_OVERFLOW, account=state.path, digits_max=len(str(BALANCE_MINOR_MAX)))


def _check_status(state: AccountState) -> None:
    if state.status is AccountStatus.FROZEN:
        raise BusinessRuleError(ACCOUNT_FROZEN, account=state.path)
    if state.status is AccountStatus.CLOSED:
        raise BusinessRuleError(ACCOUNT_CLOSED, account=state.path)


def _check_currency(state: AccountState, currency: Currency) -> None:
    if state.currency != currency:
        raise BusinessRuleError(
            CURRENCY_MISMATCH,
            account=state.path,
            account_currency=state.currency.code,
            currency=currency.code,
        )


def _move(state: AccountState, signed: int) -> int:
    state.balance += signed
    state.version += 1
    state.changed = True
    return state.balance


def _advance(state: AccountState, effective_at: datetime) -> bool:
    latest = state.latest_effective_at
    if latest is None or effective_at >= latest:
        state.latest_effective_at = effective_at
        return True
    return False
