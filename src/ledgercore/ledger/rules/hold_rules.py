"""How holds are placed, changed, captured, voided and let go; pure decisions on loaded facts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from ledgercore.errors import BusinessRuleError, ConflictError, NotFoundError, ValidationError
from ledgercore.errors.catalog import (
    CAPTURE_EXCEEDS_HOLD,
    CURRENCY_MISMATCH,
    HOLD_ALREADY_CLOSED,
    HOLD_EXPIRED,
    HOLD_GROUP_NOT_FOUND,
    HOLD_NOT_EXPIRED,
    HOLD_NOT_FOUND,
    INVALID_CAPTURE,
)
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    HeldLine,
    Hold,
    HoldStatus,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
    check_expiry,
)
from ledgercore.ledger.log.records import (
    CAPTURE,
    HOLD_CHANGED,
    HOLD_GROUP,
    HOLD_PLACED,
    HOLD_VOIDED,
    Record,
)
from ledgercore.ledger.log.records import (
    HOLD_EXPIRED as HOLD_EXPIRED_RECORD,
)
from ledgercore.ledger.rules.run import Run
from ledgercore.ledger.transactions import Line, check_lines
from ledgercore.money import Money, format_amount, known_currency


def place(run: Run, command: PlaceHold, identity: bytes) -> Record:
    """Reserve the lines where every account could bear their capture."""
    check_expiry(command.expires_at, run.now)
    hold = Hold(
        id=UUID(bytes=identity),
        lines=tuple(HeldLine(line=line) for line in command.lines),
        status=HoldStatus.OPEN,
        placed_at=run.now,
        expires_at=command.expires_at,
        tolerance_bps=command.tolerance_bps,
        group=command.group,
        description=command.description,
        metadata=command.metadata,
    )
    run.posting.reserve(command.lines)
    return _placed(run, hold)


def replace(run: Run, command: ReplaceHold, identity: bytes) -> Record:
    """Place again what an expired hold still reserved when it expired."""
    expired = _found(run, command.hold)
    if expired.status is not HoldStatus.EXPIRED:
        raise BusinessRuleError(HOLD_NOT_EXPIRED, hold_id=expired.id, status=expired.status)
    check_expiry(command.expires_at, run.now)
    lines = expired.remaining_lines()
    hold = evolve(
        expired,
        id=UUID(bytes=identity),
        lines=tuple(HeldLine(line=line) for line in lines),
        status=HoldStatus.OPEN,
        placed_at=run.now,
        expires_at=command.expires_at,
        replaces=expired.id,
    )
    run.posting.reserve(lines)
    return _placed(run, hold)


def change(run: Run, command: ChangeHold, identity: bytes) -> Record:
    """Raise or lower what an open hold reserves; never below what was captured already."""
    hold = _open(run, command.hold)
    wanted = _lines_of(hold, command.amount, command.lines)
    if command.lines and len(wanted) != len(hold.lines):
        raise ValidationError(INVALID_CAPTURE, field="lines", why="name every line of the hold")
    changed = []
    for index, held in enumerate(hold.lines):
        line = wanted[index]
        if line.amount.minor < held.captured and line != held.line:
            raise BusinessRuleError(
                CAPTURE_EXCEEDS_HOLD, hold_id=hold.id, field="amount", captured=_text(held, held.captured),
                asked=str(line.amount), why="a hold stays above what was captured of it; void it to let the rest go",
            )  # fmt: skip
        changed.append(evolve(held, line=line))
    check_lines(tuple(held.line for held in changed))
    after = hold.moved("change", changed)
    if not after.remaining_lines():
        raise BusinessRuleError(
            CAPTURE_EXCEEDS_HOLD,
            hold_id=hold.id,
            field="amount",
            captured=_text(hold.lines[0], hold.lines[0].captured),
            asked=str(wanted[0].amount),
            why="a hold stays above what was captured of it; void it to let the rest go",
        )
    run.posting.reserve(after.remaining_lines(), instead_of=hold.remaining_lines())
    run.keep_hold(after)
    return run.write(HOLD_CHANGED, identity, subject=hold.id.bytes, body={"lines": lines_body(after)})


def capture(run: Run, command: Capture, identity: bytes) -> Record:
    """Post all or part of an open hold; what stays beyond the last capture goes back."""
    hold = _open(run, command.hold)
    effective_at = command.effective_at or run.now
    run.posting.check_period(effective_at)
    wanted = _lines_of(hold, command.amount, command.lines) if command.amount or command.lines else _rest(hold)
    captured = []
    for index, held in enumerate(hold.lines):
        minor = wanted[index].amount.minor if index in wanted else 0
        if held.captured + minor > hold.most(held):
            raise BusinessRuleError(
                CAPTURE_EXCEEDS_HOLD, hold_id=hold.id, held=str(held.line.amount),
                captured=_text(held, held.captured), asked=_text(held, minor),
                over_by=_text(held, held.captured + minor - hold.most(held)), tolerance_bps=hold.tolerance_bps,
            )  # fmt: skip
        captured.append(evolve(held, captured=held.captured + minor))
    lines = tuple(wanted[index] for index in sorted(wanted))
    check_lines(lines)
    closes = command.final or all(not held.remaining for held in captured)
    after = hold.moved("capture" if closes else "capture in part", captured)
    if not closes:
        # With a tolerance a line may be used up before its counterparts: what remains must be capturable.
        check_lines(after.remaining_lines())
    released = hold.remaining_lines() if closes else _used(hold, after)
    rows = run.posting.post_lines(lines, effective_at, released=released)
    record = Record(
        CAPTURE, identity, effective_at, rows, description=command.description or hold.description,
        metadata=hold.metadata, subject=hold.id.bytes,
        body={"captured": [str(held.captured) for held in captured], "closes": closes},
    )  # fmt: skip
    run.records.append(record)
    run.keep_hold(after)
    return record


def void(run: Run, command: VoidHold, identity: bytes) -> Record:
    """Let go of what an open hold still reserves."""
    return _close(run, _open(run, command.hold), "void", HOLD_VOIDED, identity)


def expire(run: Run, hold: Hold) -> Record:
    """Let go of a hold whose time has passed."""
    return _close(run, hold, "expire", HOLD_EXPIRED_RECORD, run.new_id())


def capture_group(run: Run, command: CaptureGroup, identity: bytes) -> Record:
    """Capture what remains of each open hold of a group."""
    made = [capture(run, Capture(hold=hold.id), run.new_id()) for hold in _open_group(run, command.group)]
    return _group_record(run, command.group, "captured", made, identity)


def void_group(run: Run, command: VoidGroup, identity: bytes) -> Record:
    """Void each open hold of a group."""
    made = [void(run, VoidHold(hold=hold.id), run.new_id()) for hold in _open_group(run, command.group)]
    return _group_record(run, command.group, "voided", made, identity)


def lines_body(hold: Hold) -> list[dict[str, Any]]:
    """A hold's lines as the log says them: paths, minor units in text, currency."""
    return [
        {
            "debit": held.line.debit,
            "credit": held.line.credit,
            "amount": str(held.line.amount.minor),
            "currency": held.line.amount.currency.code,
            "exponent": held.line.amount.currency.exponent,
            "captured": str(held.captured),
        }
        for held in hold.lines
    ]


def held_lines_of(body: Sequence[Mapping[str, Any]]) -> tuple[HeldLine, ...]:
    """Read back what `lines_body` wrote."""
    return tuple(
        HeldLine(
            line=Line(
                Money(int(line["amount"]), known_currency(line["currency"], line["exponent"])),
                line["debit"],
                line["credit"],
            ),
            captured=int(line["captured"]),
        )
        for line in body
    )


def _placed(run: Run, hold: Hold) -> Record:
    run.keep_hold(hold)
    if hold.group is not None:
        run.working.groups.setdefault(hold.group, []).append(hold.id)
    body = {
        "lines": lines_body(hold),
        "expires_at": hold.expires_at and hold.expires_at.isoformat(),
        "placed_at": hold.placed_at.isoformat(),
        "tolerance_bps": hold.tolerance_bps,
        "group": hold.group,
        "replaces": hold.replaces and str(hold.replaces),
    }
    return run.write(
        HOLD_PLACED, hold.id.bytes, description=hold.description, metadata=hold.metadata, body=body,
        subject=hold.replaces and hold.replaces.bytes,
    )  # fmt: skip


def _close(run: Run, hold: Hold, move: str, kind: str, identity: bytes) -> Record:
    run.posting.release(hold.remaining_lines())
    run.keep_hold(hold.moved(move))
    return run.write(kind, identity, subject=hold.id.bytes, body={})


def _group_record(run: Run, group: str, how: str, made: Sequence[Record], identity: bytes) -> Record:
    ids = [str(UUID(bytes=record.subject)) for record in made if record.subject]
    return run.write(HOLD_GROUP, identity, body={"group": group, how: ids})


def _found(run: Run, hold_id: UUID) -> Hold:
    hold = run.working.holds.get(hold_id)
    if hold is None:
        raise NotFoundError(HOLD_NOT_FOUND, hold_id=hold_id)
    return hold


def _open(run: Run, hold_id: UUID) -> Hold:
    hold = _found(run, hold_id)
    if hold.status is HoldStatus.EXPIRED or hold.is_due(run.now):
        raise BusinessRuleError(HOLD_EXPIRED, hold_id=hold.id, expired_at=hold.expires_at)
    if hold.status is not HoldStatus.OPEN:
        raise ConflictError(HOLD_ALREADY_CLOSED, hold_id=hold.id, status=hold.status)
    return hold


def _open_group(run: Run, group: str) -> list[Hold]:
    holds = [run.working.holds[hold_id] for hold_id in run.working.groups.get(group, ())]
    still_open = [hold for hold in holds if hold.status is HoldStatus.OPEN]
    if not still_open:
        raise NotFoundError(HOLD_GROUP_NOT_FOUND, group=group, holds=len(holds), why="no open hold has this group")
    return sorted(still_open, key=lambda hold: hold.id)


def _rest(hold: Hold) -> dict[int, Line]:
    return {
        index: Line(Money(held.remaining, held.line.amount.currency), held.line.debit, held.line.credit)
        for index, held in enumerate(hold.lines)
        if held.remaining
    }


def _lines_of(hold: Hold, amount: Money | None, lines: Sequence[Line]) -> dict[int, Line]:
    """The hold's lines that the caller means, by index: the only one with an amount, or those named."""
    if amount is not None:
        if len(hold.lines) != 1:
            raise ValidationError(
                INVALID_CAPTURE,
                field="amount",
                lines=len(hold.lines),
                why="this hold has several lines; name them",
            )
        held = hold.lines[0].line
        if amount.currency != held.amount.currency:
            raise BusinessRuleError(
                CURRENCY_MISMATCH, hold_id=hold.id, hold_currency=held.amount.currency.code,
                currency=amount.currency.code,
            )  # fmt: skip
        return {0: Line(amount, held.debit, held.credit)}
    wanted: dict[int, Line] = {}
    for line in lines:
        fitting = [
            index
            for index, held in enumerate(hold.lines)
            if index not in wanted
            and (held.line.debit, held.line.credit) == (line.debit, line.credit)
            and held.line.amount.currency == line.amount.currency
        ]
        if not fitting:
            raise ValidationError(
                INVALID_CAPTURE, field="lines", hold_id=hold.id, debit=line.debit, credit=line.credit,
                why="the hold has no such line",
            )  # fmt: skip
        wanted[fitting[0]] = line
    return wanted


def _used(before: Hold, after: Hold) -> tuple[Line, ...]:
    """What a partial capture takes out of the reservation."""
    return tuple(
        Line(Money(old.remaining - new.remaining, old.line.amount.currency), old.line.debit, old.line.credit)
        for old, new in zip(before.lines, after.lines, strict=True)
        if old.remaining > new.remaining
    )


def _text(held: HeldLine, minor: int) -> str:
    return f"{format_amount(minor, held.line.amount.currency)} {held.line.amount.currency.code}"


RULES: Final[Mapping[type, Callable[[Run, Any, bytes], Record]]] = {
    PlaceHold: place,
    ReplaceHold: replace,
    ChangeHold: change,
    Capture: capture,
    VoidHold: void,
    CaptureGroup: capture_group,
    VoidGroup: void_group,
}
