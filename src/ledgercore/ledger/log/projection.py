"""What follows from a log: accounts, holds and settings, derived again by addition alone.

It shares no rule with the engine: it does not ask whether limits or preconditions allowed a record,
only what it did and whether that can be. `verify` compares the result with what is stored, and
`restore` stores it.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from ledgercore.ledger.accounts import AccountState, AccountStatus, AccountType, Limits, limits_of
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.holds import HeldLine, Hold, HoldStatus
from ledgercore.ledger.log.encoding import NONE, decode_amount, encode_amount, moment_of
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.log.records import (
    ACCOUNT_CHANGED,
    ACCOUNT_OPENED,
    CAPTURE,
    CREDIT_LATE,
    DEBIT_LATE,
    EFFECTIVE_WHEN_RECORDED,
    HOLD_CHANGED,
    HOLD_EXPIRED,
    HOLD_PLACED,
    HOLD_VOIDED,
    PERIOD_CLOSED,
    POSTING_KINDS,
    SETTINGS_CHANGED,
)
from ledgercore.ledger.proofs.laws import BALANCES, JOURNAL, UNREADABLE, Divergence, diverges, record_faults
from ledgercore.ledger.rules.account_rules import settings_of
from ledgercore.ledger.rules.hold_rules import held_lines_of
from ledgercore.money import known_currency

_TRANSFER: Final = struct.Struct(">iqihi1si16siqiqihiiii").unpack_from
_TRANSFER_BYTES: Final = 89
_TRANSFER_LENGTHS: Final = (8, 2, 1, 16, 8, 8, 2, 4, 4)
_WITHOUT_EXTRAS: Final = NONE * 3
"""The end of a row with neither subject nor fingerprint nor body."""


class Projection:
    """Accounts, holds and settings after the records applied so far."""

    def __init__(self) -> None:
        self.accounts: dict[int, AccountState] = {}
        self.by_path: dict[str, AccountState] = {}
        self.holds: dict[UUID, Hold] = {}
        self.settings = Settings()
        self.closed_through: datetime | None = None
        self.next_account = 1

    def apply(self, rows: Sequence[JournalRow]) -> Iterator[Divergence]:
        """Take in one record; yields each way in which it contradicts itself or those before."""
        record = rows[0]
        yield from record_faults(rows, self.accounts)
        try:
            if record.kind in POSTING_KINDS:
                if self.closed_through is not None and record.effective_at <= self.closed_through:
                    after = f"a time after {self.closed_through}"
                    yield diverges(JOURNAL, "effective_at", record.number, after, record.effective_at)
                for row in rows:
                    yield from self._post(row)
                if record.kind == CAPTURE:
                    yield from self._captured(record, rows)
            else:
                yield from _EFFECTS.get(record.kind, _no_effect)(self, record)
        except UNREADABLE as error:
            found = f"{type(error).__name__}: {error}"
            yield diverges(JOURNAL, "body", record.number, "what this kind of record says", found)

    def apply_transfer(self, row: bytes, recorded: int) -> bool:
        """Take in a plain transfer that contradicts nothing; false, and nothing done, for any other record.

        The fast way for most of a log: `row` is the record's only one, `recorded` its batch's time in
        microseconds. Whatever it turns down, `apply` looks at closely.
        """
        if len(row) < _TRANSFER_BYTES:
            return False
        (
            length_1, _, length_2, line, length_3, kind, length_4, _, length_5, effective, length_6, recorded_here,
            length_7, flags, length_8, debit_number, length_9, credit_number,
        ) = _TRANSFER(row)  # fmt: skip
        if (
            kind != b"t" or line or recorded_here != recorded
            or (length_1, length_2, length_3, length_4, length_5, length_6, length_7, length_8, length_9)
            != _TRANSFER_LENGTHS
        ):  # fmt: skip
            return False
        debit = self.accounts.get(debit_number)
        credit = self.accounts.get(credit_number)
        if debit is None or credit is None or debit is credit or debit.currency is not credit.currency:
            return False
        if debit.status is not AccountStatus.OPEN or credit.status is not AccountStatus.OPEN:
            return False
        end = 93 + int.from_bytes(row[89:93], signed=True)
        try:
            minor = decode_amount(row[93:end])
        except ValueError:
            return False
        debit_balance = debit.balance + minor if debit.debit_normal else debit.balance - minor
        credit_balance = credit.balance - minor if credit.debit_normal else credit.balance + minor
        # The balances and, since a key would have to be looked at, no key.
        expected = encode_amount(debit_balance) + encode_amount(credit_balance) + NONE
        if minor <= 0 or not row.startswith(expected, end) or not row.endswith(_WITHOUT_EXTRAS):
            return False
        effective_at = moment_of(effective)
        if self.closed_through is not None and effective_at <= self.closed_through:
            return False
        late = _late(debit, effective_at, DEBIT_LATE) | _late(credit, effective_at, CREDIT_LATE)
        if flags & ~EFFECTIVE_WHEN_RECORDED != late:
            return False
        if not late & DEBIT_LATE:
            debit.latest_effective_at = effective_at
        if not late & CREDIT_LATE:
            credit.latest_effective_at = effective_at
        debit.balance = debit_balance
        credit.balance = credit_balance
        debit.version += 1
        credit.version += 1
        debit.changed = credit.changed = True
        return True

    def _post(self, row: JournalRow) -> Iterator[Divergence]:
        minor = row.amount or 0
        late = 0
        for number, stored, is_debit, flag in (
            (row.debit_account, row.debit_balance, True, DEBIT_LATE),
            (row.credit_account, row.credit_balance, False, CREDIT_LATE),
        ):
            if number is None:
                continue
            state = self.accounts.get(number)
            if state is None:
                continue
            if state.status is not AccountStatus.OPEN:
                yield diverges(JOURNAL, f"entry on {state.path}", row.number, "an open account", state.status.value)
            state.balance += minor if state.debit_normal is is_debit else -minor
            state.version += 1
            state.changed = True
            if stored != state.balance:
                side = "debit" if is_debit else "credit"
                yield diverges(BALANCES, f"{side}_balance of {state.path}", row.number, state.balance, stored)
            if _late(state, row.effective_at, flag):
                late |= flag
            else:
                state.latest_effective_at = row.effective_at
        if row.flags & ~EFFECTIVE_WHEN_RECORDED != late:
            yield diverges(JOURNAL, "flags", row.number, late | row.flags & EFFECTIVE_WHEN_RECORDED, row.flags)

    def _captured(self, record: JournalRow, rows: Sequence[JournalRow]) -> Iterator[Divergence]:
        hold = self.holds[_subject(record)]
        if hold.status is not HoldStatus.OPEN:
            yield diverges(JOURNAL, f"capture of hold {hold.id}", record.number, "an open hold", hold.status.value)
            return
        body = _body(record)
        captured = [int(minor) for minor in body["captured"]]
        lines = [evolve(held, captured=minor) for held, minor in zip(hold.lines, captured, strict=True)]
        for held in lines:
            if held.captured > hold.most(held):
                most = f"at most {hold.most(held)}"
                yield diverges(JOURNAL, f"captured of hold {hold.id}", record.number, most, held.captured)
        expected = [self._entry(before, after) for before, after in zip(hold.lines, lines, strict=True)]
        expected = [entry for entry in expected if entry[2]]
        found = [(row.debit_account, row.credit_account, row.amount) for row in rows]
        if expected != found:
            yield diverges(JOURNAL, f"lines captured of hold {hold.id}", record.number, expected, found)
        closes = bool(body["closes"])
        self._reserve(hold, -1)
        after = self.holds[hold.id] = hold.moved("capture" if closes else "capture in part", lines)
        if not closes:
            self._reserve(after, +1)

    def _entry(self, before: HeldLine, after: HeldLine) -> tuple[int | None, int | None, int]:
        debit, credit = before.line.debit, before.line.credit
        return (
            None if debit is None else self.by_path[debit].number,
            None if credit is None else self.by_path[credit].number,
            after.captured - before.captured,
        )

    def _open_account(self, record: JournalRow) -> Iterator[Divergence]:
        state = account_of_opening(record)
        if state.number != self.next_account:
            yield diverges(JOURNAL, f"number of {state.path}", record.number, self.next_account, state.number)
        if state.path in self.by_path:
            yield diverges(JOURNAL, "opening", record.number, "an account that is new", state.path)
        self.next_account += 1
        self.accounts[state.number] = self.by_path[state.path] = state
        state.changed = True

    def _change_account(self, record: JournalRow) -> Iterator[Divergence]:
        body = _body(record)
        state = self.by_path[body["account"]]
        if state.status is AccountStatus.CLOSED:
            yield diverges(JOURNAL, f"change of {state.path}", record.number, "an account not closed", "closed")
        state.status = AccountStatus(body["status"])
        state.limits = _limits(body)
        state.metadata = record.metadata or state.metadata
        state.changed = True

    def _place(self, record: JournalRow) -> Iterator[Divergence]:
        hold = hold_of_placing(record)
        if hold.id in self.holds:
            yield diverges(JOURNAL, "hold", record.number, "a hold that is new", hold.id)
        self.holds[hold.id] = hold
        self._reserve(hold, +1)

    def _change_hold(self, record: JournalRow) -> Iterator[Divergence]:
        yield from self._move(record, "change", held_lines_of(_body(record)["lines"]))

    def _void(self, record: JournalRow) -> Iterator[Divergence]:
        yield from self._move(record, "void")

    def _expire(self, record: JournalRow) -> Iterator[Divergence]:
        expires_at = self.holds[_subject(record)].expires_at
        if expires_at is None or expires_at > record.effective_at:
            not_before = f"not before {expires_at}"
            yield diverges(JOURNAL, f"expiry of hold {record.subject}", record.number, not_before, record.effective_at)
        yield from self._move(record, "expire")

    def _move(self, record: JournalRow, move: str, lines: Sequence[HeldLine] | None = None) -> Iterator[Divergence]:
        hold = self.holds[_subject(record)]
        if hold.status is not HoldStatus.OPEN:
            yield diverges(JOURNAL, f"{move} of hold {hold.id}", record.number, "an open hold", hold.status.value)
            return
        self._reserve(hold, -1)
        after = self.holds[hold.id] = hold.moved(move, lines)
        if after.status is HoldStatus.OPEN:
            self._reserve(after, +1)

    def _close_period(self, record: JournalRow) -> Iterator[Divergence]:
        through = datetime.fromisoformat(_body(record)["through"])
        if self.closed_through is not None and through <= self.closed_through:
            yield diverges(JOURNAL, "lock date", record.number, f"a time after {self.closed_through}", through)
        self.closed_through = through

    def _change_settings(self, record: JournalRow) -> Iterator[Divergence]:
        self.settings = settings_of(_body(record))
        yield from ()

    def _reserve(self, hold: Hold, sign: int) -> None:
        for line in hold.remaining_lines():
            if line.debit is not None:
                self.by_path[line.debit].pending_debits += sign * line.amount.minor
                self.by_path[line.debit].changed = True
            if line.credit is not None:
                self.by_path[line.credit].pending_credits += sign * line.amount.minor
                self.by_path[line.credit].changed = True


def account_of_opening(record: JournalRow) -> AccountState:
    """An account as the record of its opening made it."""
    body = _body(record)
    return AccountState(
        number=body["account_number"],
        path=body["account"],
        currency=known_currency(body["currency"], body["exponent"]),
        type=AccountType(body["type"]),
        opened_at=record.recorded_at,
        limits=_limits(body),
        metadata=record.metadata,
    )


def hold_of_placing(record: JournalRow) -> Hold:
    """A hold as the record of its placing made it."""
    body = _body(record)
    return Hold(
        id=record.id,
        lines=held_lines_of(body["lines"]),
        status=HoldStatus.OPEN,
        placed_at=datetime.fromisoformat(body["placed_at"]),
        expires_at=body["expires_at"] and datetime.fromisoformat(body["expires_at"]),
        tolerance_bps=body["tolerance_bps"],
        group=body["group"],
        description=record.description,
        metadata=record.metadata,
        replaces=body["replaces"] and UUID(body["replaces"]),
    )


def _no_effect(_: Projection, __: JournalRow) -> Iterator[Divergence]:
    return iter(())


_EFFECTS: Final[Mapping[str, Callable[[Projection, JournalRow], Iterator[Divergence]]]] = {
    ACCOUNT_OPENED: Projection._open_account,
    ACCOUNT_CHANGED: Projection._change_account,
    HOLD_PLACED: Projection._place,
    HOLD_CHANGED: Projection._change_hold,
    HOLD_VOIDED: Projection._void,
    HOLD_EXPIRED: Projection._expire,
    PERIOD_CLOSED: Projection._close_period,
    SETTINGS_CHANGED: Projection._change_settings,
}


def _late(state: AccountState, effective_at: datetime, flag: int) -> int:
    latest = state.latest_effective_at
    return flag if latest is not None and effective_at < latest else 0


def _body(record: JournalRow) -> Mapping[str, Any]:
    if record.body is None:
        raise ValueError("there is no body")
    return record.body


def _subject(record: JournalRow) -> UUID:
    if record.subject is None:
        raise ValueError("there is no subject")
    return record.subject


def _limits(body: Mapping[str, Any]) -> Limits:
    return limits_of(body["minimum"], body["maximum"])
