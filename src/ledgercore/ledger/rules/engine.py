"""The one engine: commands, the facts they touch and the time go in; outcomes and records come out.

Pure: no port is called, no clock read. Every adapter locks and loads a working set, calls
`evaluate`, and stores what it returned, so that no rule is written twice.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from attrs import define

from ledgercore.errors import ConflictError, LedgercoreError
from ledgercore.errors.catalog import GROUP_REFUSED, IDEMPOTENCY_KEY_REUSED
from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import AnyCommand, BatchItem, Group, fingerprint, flatten, identity_of
from ledgercore.ledger.holds import CaptureGroup, Hold, VoidGroup
from ledgercore.ledger.log.records import (
    ACCOUNT_OPENED,
    EFFECTIVE_WHEN_RECORDED,
    POSTING_KINDS,
    REFUSED,
    TRANSACTION,
    Record,
)
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Posted, Refused
from ledgercore.ledger.rules import account_rules, hold_rules, reversal_rules
from ledgercore.ledger.rules.replays import first_answer
from ledgercore.ledger.rules.run import Answer, Replay, Run
from ledgercore.ledger.rules.working_set import WorkingSet, paths_of, paths_of_hold, paths_of_lines, targets_of
from ledgercore.ledger.transactions import Transaction


@define
class Evaluation:
    """What a batch comes to: answers that become outcomes once the records have their numbers."""

    answers: list[Answer | list[Answer]]
    records: list[Record]
    opened: list[AccountState]
    holds: list[Hold]

    def number_accounts(self, *, after: int, recorded_at: datetime) -> None:
        """Give new accounts their numbers and say them in the log, where lines name accounts by number alone."""
        if self.opened:
            openings = (record for record in self.records if record.kind == ACCOUNT_OPENED)
            for number, (state, record) in enumerate(zip(self.opened, openings, strict=True), after + 1):
                state.number = number
                state.opened_at = recorded_at
                record.body = {**(record.body or {}), "account_number": number}

    def outcomes(self, recorded_at: datetime) -> list[Outcome]:
        """One outcome for each item of the batch, in order."""
        found: list[Outcome] = []
        for answer in self.answers:
            if type(answer) is Record and answer.kind == TRANSACTION:
                found.append(Posted(answer.identity, answer.number, recorded_at))
            elif isinstance(answer, list):
                found.append(GroupOutcome(tuple(_outcome(inner, recorded_at) for inner in answer)))
            else:
                found.append(_outcome(answer, recorded_at))
        return found


class Batch(Run):
    """A run with the order of things: names first, then rules, and groups together."""

    __slots__ = ()

    def answer(self, command: AnyCommand) -> Answer:
        """Carry out one command, or say why not; a known name gets the answer it got before."""
        identity = identity_of(command)
        if identity is not None:
            if identity in self.seen:
                return self._repeat(command, identity)
            known = self.working.known.get(identity)
            if known is not None:
                return first_answer(command, known, identity)
        try:
            name = identity or self.new_id()
            found: Answer = self._post(command, name) if type(command) is Transaction else self._apply(command, name)
        except LedgercoreError as error:
            self.posting.tentative.clear()
            found = Refused(error.reason, error.details)
            if identity is not None:
                self.records.append(_refusal(command, identity, found, self.now))
        if identity is not None:
            self.seen[identity] = (command, found)
        return found

    def answer_together(self, commands: Sequence[AnyCommand]) -> list[Answer]:
        """Carry out all commands or none; each keyed one of a refused group is refused for ever."""
        savepoint = _Savepoint(self, commands)
        answers = [self.answer(command) for command in commands]
        culprit = next((index for index, found in enumerate(answers) if isinstance(found, Refused)), None)
        if culprit is None:
            return answers
        savepoint.restore()
        refusal = answers[culprit]
        assert isinstance(refusal, Refused)
        told: list[Answer] = []
        # A repeat of what was done before the group stays done, whatever becomes of the group.
        done_before = self.seen.keys() & {identity_of(command) for command in commands}
        for index, command in enumerate(commands):
            found = answers[index]
            if isinstance(found, Record) or (isinstance(found, Replay) and identity_of(command) not in done_before):
                found = Refused(GROUP_REFUSED, {"command": culprit, "reason": refusal.reason.code})
            told.append(found)
            self._keep_refusal(command, found)
        return told

    def expire_due(self) -> None:
        """Let go of the loaded holds whose time has passed, before anything else happens."""
        for hold in sorted(self.working.holds.values(), key=lambda hold: hold.id):
            if hold.is_due(self.now):
                hold_rules.expire(self, hold)

    def _apply(self, command: AnyCommand, identity: bytes) -> Record:
        savepoint = _Savepoint(self, [command]) if isinstance(command, CaptureGroup | VoidGroup) else None
        try:
            record = _RULES[type(command)](self, command, identity)
        except LedgercoreError:
            if savepoint is not None:
                savepoint.restore()
            raise
        record.key = command.key
        record.fingerprint = fingerprint(command)
        return record

    def _post(self, command: Transaction, identity: bytes) -> Record:
        posting = self.posting
        effective_at = command.effective_at
        flags = 0
        if effective_at is None:
            effective_at = self.now
            flags = EFFECTIVE_WHEN_RECORDED
        closed = self.working.closed_through
        if closed is not None and effective_at <= closed:
            posting.check_period(effective_at)
        mark = None
        if command.preconditions:
            posting.check_preconditions(command.preconditions)
            mark = fingerprint(command)
        lines = command.lines
        if len(lines) == 1:
            rows = posting.post_transfer(lines[0], effective_at, flags)
        else:
            rows = [(*row[:5], row[5] | flags) for row in posting.post_lines(lines, effective_at)]
        record = Record(
            TRANSACTION, identity, effective_at, rows, command.key, command.description,
            command.reference, command.metadata, None, mark, None,
        )  # fmt: skip
        self.records.append(record)
        return record

    def _repeat(self, command: AnyCommand, identity: bytes) -> Answer:
        first, found = self.seen[identity]
        if fingerprint(first) != fingerprint(command):
            return _reused(command)
        if isinstance(found, Record):
            return Replay(found)
        return Refused(found.reason, found.details, replayed=True) if isinstance(found, Refused) else found

    def _keep_refusal(self, command: AnyCommand, found: Answer) -> None:
        identity = identity_of(command)
        if identity is None or not isinstance(found, Refused) or identity in self.seen or found.replayed:
            return
        if identity not in self.working.known:
            self.records.append(_refusal(command, identity, found, self.now))
            self.seen[identity] = (command, found)


def evaluate(
    batch: Sequence[BatchItem],
    working: WorkingSet,
    *,
    now: datetime,
    new_id: Callable[[], bytes],
    atomic: bool = False,
) -> Evaluation:
    """Decide a whole batch: in order, each item on the balances that those before it left.

    Independent items are each carried out or refused; a `Group`, or the whole batch when `atomic`,
    is carried out together or not at all.
    """
    run = Batch(working, now, new_id)
    run.expire_due()
    answers: list[Answer | list[Answer]]
    if atomic:
        found = iter(run.answer_together(flatten(batch)))
        answers = [_regroup(item, found) for item in batch]
    else:
        answer = run.answer
        answers = [
            run.answer_together(item.commands) if type(item) is Group else answer(item)  # type: ignore[arg-type]
            for item in batch
        ]
    return Evaluation(answers, run.records, run.opened, list(run.holds.values()))


class _Savepoint:
    """What a refused group puts back: accounts, holds, records, openings and names."""

    def __init__(self, run: Batch, commands: Sequence[AnyCommand]) -> None:
        self.run = run
        working = run.working
        states = [working.accounts[path] for path in _reach(run, commands) if path in working.accounts]
        self.accounts = [(state, state.snapshot()) for state in states]
        self.working_holds = dict(working.holds)
        self.groups = {group: list(ids) for group, ids in working.groups.items()}
        self.holds = dict(run.holds)
        self.reversed_minor = {id_: dict(found.reversed_minor) for id_, found in working.reversibles.items()}
        self.settings = (working.settings, working.closed_through)
        self.lengths = (len(run.records), len(run.opened))
        self.names = {identity_of(command) for command in commands} - run.seen.keys()

    def restore(self) -> None:
        """Make everything as it was before the group."""
        run, working = self.run, self.run.working
        records, opened = self.lengths
        for state in run.opened[opened:]:
            del working.accounts[state.path]
        for state, snapshot in self.accounts:
            state.restore(snapshot)
        working.holds.clear()
        working.holds.update(self.working_holds)
        working.groups.clear()
        working.groups.update(self.groups)
        for id_, found in list(working.reversibles.items()):
            if id_ in self.reversed_minor:
                found.reversed_minor.clear()
                found.reversed_minor.update(self.reversed_minor[id_])
            else:
                del working.reversibles[id_]
        working.settings, working.closed_through = self.settings
        run.holds = self.holds
        del run.records[records:]
        del run.opened[opened:]
        for name in self.names:
            run.seen.pop(name, None)  # type: ignore[arg-type]


def _reach(run: Batch, commands: Sequence[AnyCommand]) -> set[str]:
    """Every account that a group may move, those of its holds and reversed transactions included."""
    working = run.working
    targets = targets_of(commands)
    for id_ in targets.transactions:
        reversal_rules.find_reversible(run, id_)
    paths = paths_of(commands)
    held = set(targets.holds).union(*(working.groups.get(group, ()) for group in targets.groups))
    for hold_id in held & working.holds.keys():
        paths |= paths_of_hold(working.holds[hold_id])
    for id_ in targets.transactions & working.reversibles.keys():
        paths |= paths_of_lines(posted.line for posted in working.reversibles[id_].posted.lines)
    return paths


def _regroup(item: BatchItem, answers: Iterator[Answer]) -> Answer | list[Answer]:
    if type(item) is Group:
        return [next(answers) for _ in item.commands]
    return next(answers)


def _outcome(answer: Answer, recorded_at: datetime) -> Applied | Refused:
    if isinstance(answer, Record):
        kind = Posted if answer.kind in POSTING_KINDS else Applied
        return kind(answer.identity, answer.number, recorded_at)
    if isinstance(answer, Replay):
        kind = Posted if answer.record.kind in POSTING_KINDS else Applied
        return kind(answer.record.identity, answer.record.number, recorded_at, True)
    return answer


def _refusal(command: AnyCommand, identity: bytes, refused: Refused, now: datetime) -> Record:
    body = {
        "command": type(command).__name__,
        "reason": refused.reason.code,
        "details": dict(refused.details),
    }
    return Record(REFUSED, identity, now, [], command.key, fingerprint=fingerprint(command), body=body)


def _reused(command: AnyCommand) -> Refused:
    error = ConflictError(IDEMPOTENCY_KEY_REUSED, key=command.key or str(command.id))
    return Refused(error.reason, error.details)


_Rule: TypeAlias = Callable[[Run, Any, bytes], Record]
_RULES: Final[dict[type, _Rule]] = {**hold_rules.RULES, **reversal_rules.RULES, **account_rules.RULES}
