"""Reconciliation: making matches, undoing them, and proving what they leave."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError, NotFoundError
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    MATCH_ALREADY_UNDONE,
    MATCH_NOT_FOUND,
    STATEMENT_NOT_FOUND,
    TRANSACTION_NOT_FOUND,
)
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import Account, Side
from ledgercore.ledger.commands import Reversal
from ledgercore.ledger.outcomes import Applied, Refused
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.queries import TransactionFilter
from ledgercore.ledger.transactions import PostedTransaction, Transaction, transfer
from ledgercore.money import Money
from ledgercore.statements.matches import (
    Allocation,
    BookItem,
    Match,
    Proposal,
    Stage,
    check_balanced,
    check_open,
)
from ledgercore.statements.matching import MatchingRules, OpenItem, OpenLine, propose
from ledgercore.statements.ports import Store, Work
from ledgercore.statements.proving import Reconciliation, prove

CHUNK: Final = 1_000


@frozen
class Reconciled:
    """What a run did: the matches it was certain of, and what somebody has to decide."""

    made: tuple[Match, ...]
    suggested: tuple[Proposal, ...]


@frozen
class Unmatched:
    """What matches have left open, on both sides."""

    lines: tuple[OpenLine, ...]
    items: tuple[OpenItem, ...]


@frozen(kw_only=True)
class Reconciler:
    """Brings the statements of an account and its entries in a ledger together."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def run(self, ledger: str, account: str, rules: MatchingRules, *, actor: Actor) -> Reconciled:
        """Make every match that is certain, and suggest the others.

        Raises `ledger_not_found` and `account_not_found`, and what the ledger says against booking a tolerance.
        """
        with self.store.begin() as work:
            desk = self._desk(work, ledger, account, actor)
            proposals = propose(desk.open_lines(), desk.open_items(), rules)
            made = desk.make_all([each for each in proposals if each.is_certain], rules)
            desk.tell("lines_matched", made)
        return Reconciled(made, tuple(each for each in proposals if not each.is_certain))

    def suggest(self, ledger: str, account: str, rules: MatchingRules) -> Sequence[Proposal]:
        """What a run would do and suggest, without doing it."""
        with self.store.begin() as work:
            desk = self._desk(work, ledger, account, Actor(name="nobody"))
            return propose(desk.open_lines(), desk.open_items(), rules)

    def unmatched(self, ledger: str, account: str) -> Unmatched:
        """What nothing explains yet; what was reversed needs no explanation."""
        with self.store.begin() as work:
            desk = self._desk(work, ledger, account, Actor(name="nobody"))
            return Unmatched(tuple(desk.open_lines()), tuple(desk.open_items()))

    def match(
        self,
        ledger: str,
        account: str,
        *,
        lines: Sequence[tuple[UUID, int | None]],
        transactions: Sequence[tuple[UUID, int | None]],
        actor: Actor,
    ) -> Match:
        """Explain parts of lines by parts of transactions, each with its signed minor units, or `None` for all of it.

        Raises `invalid_allocation` unless both sides come to the same, `over_allocated` for more than is open, and
        `statement_not_found` or `transaction_not_found` for what is not there.
        """
        with self.store.begin() as work:
            desk = self._desk(work, ledger, account, actor)
            proposal = Proposal(
                stage=Stage.MANUAL,
                lines=desk.parts_of_lines(lines),
                transactions=desk.parts_of_transactions(transactions),
                why={},
            )
            [made] = desk.make_all([proposal], MatchingRules())
            desk.tell("lines_matched", (made,))
        return made

    def undo(self, ledger: str, id: UUID, *, actor: Actor) -> Match:
        """Open again what a match explained; what it booked to a tolerance account is reversed.

        Raises `match_not_found` and `match_already_undone`.
        """
        with self.store.begin() as work:
            found = work.statements.find_match(ledger, id)
            if found is None:
                raise NotFoundError(MATCH_NOT_FOUND, id=id, ledger=ledger)
            desk = self._desk(work, ledger, found.account, actor)
            match = work.statements.find_match(ledger, id)
            assert match is not None, "matches stay"
            if match.undone_at is not None:
                raise ConflictError(MATCH_ALREADY_UNDONE, id=id, undone_at=match.undone_at)
            undone = desk.undo(match)
            desk.tell("match_undone", (undone,))
        return undone

    def proof(self, ledger: str, account: str) -> Reconciliation:
        """How opening, matched and unmatched lines come to the closing balance, on both sides."""
        with self.store.begin() as work:
            desk = self._desk(work, ledger, account, Actor(name="nobody"))
            return prove(work, desk.account, desk.items(), ledger=ledger)

    def _desk(self, work: Work, ledger: str, account: str, actor: Actor) -> "Desk":
        journal = work.ledgers.journal(ledger)
        kept = journal.find_account(account)
        if kept is None:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=account, ledger=ledger)
        work.statements.lock_account(ledger, account)
        ids = TimeOrderedIds(self.random_bytes).batch(self.clock())
        return Desk(
            work=work, journal=journal, ledger=ledger, account=kept, actor=actor, clock=self.clock,
            draw_id=lambda: UUID(bytes=ids()),
        )  # fmt: skip


@frozen(kw_only=True)
class Desk:
    """One account in one unit of work."""

    work: Work
    journal: Journal
    ledger: str
    account: Account
    actor: Actor
    clock: Clock
    draw_id: Callable[[], UUID]

    def open_lines(self) -> list[OpenLine]:
        """Lines with something left to explain."""
        found = self.work.statements.open_lines(self.ledger, self.account.path)
        return [OpenLine(line=line, open_minor=minor) for line, minor in found]

    def open_items(self) -> list[OpenItem]:
        """Transactions with something left to explain; those that were reversed and their reversals explain nothing."""
        allocated = self.work.statements.allocated(self.ledger, self.account.path)
        found = list(self._transactions())
        gone = _cancelled(found, allocated.keys())
        items = (book_item(each, self.account) for each in found if each.id not in gone)
        left = ((item, item.signed_minor - allocated.get(item.transaction_id, 0)) for item in items)
        return [OpenItem(item=item, open_minor=minor) for item, minor in left if minor]

    def items(self) -> list[BookItem]:
        """Every transaction of the account."""
        return [book_item(each, self.account) for each in self._transactions()]

    def parts_of_lines(self, asked: Sequence[tuple[UUID, int | None]]) -> tuple[Allocation, ...]:
        """Parts of lines that are there and open."""
        path = self.account.path
        known = {line.id for line in self.work.statements.find_lines(self.ledger, path, [id for id, _ in asked])}
        left = {line.id: minor for line, minor in self.work.statements.open_lines(self.ledger, path)}
        for id, _ in asked:
            if id not in known:
                raise NotFoundError(STATEMENT_NOT_FOUND, field="lines", id=id)
        return tuple(_part(id, minor, open_minor=left.get(id, 0), field="lines") for id, minor in asked)

    def parts_of_transactions(self, asked: Sequence[tuple[UUID, int | None]]) -> tuple[Allocation, ...]:
        """Parts of transactions that are there and open."""
        allocated = self.work.statements.allocated(self.ledger, self.account.path)
        parts = []
        for id, minor in asked:
            whole = book_item(self._transaction(id), self.account).signed_minor
            parts.append(_part(id, minor, open_minor=whole - allocated.get(id, 0), field="transactions"))
        return tuple(parts)

    def make_all(self, proposals: Sequence[Proposal], rules: MatchingRules) -> tuple[Match, ...]:
        """Store matches, and book what they tolerate."""
        named = [(self.draw_id(), each) for each in proposals]
        tolerant = [(id, each.tolerance_minor) for id, each in named if each.tolerance_minor]
        booked = self._book_all(tolerant, rules)
        matches = tuple(self._match(id, each, rules, booked.get(id)) for id, each in named)
        self.work.statements.add_matches(matches)
        return matches

    def undo(self, match: Match) -> Match:
        """Store that a match no longer stands, and reverse what it booked."""
        if match.tolerance_transaction_id is not None:
            self._post_all([Reversal(transaction=match.tolerance_transaction_id, key=f"undo:{match.id}")])
        undone = evolve(match, undone_at=self.clock(), undone_by=self.actor.name)
        self.work.statements.save_match(undone)
        return undone

    def tell(self, action: str, matches: Sequence[Match]) -> None:
        """Put it into the audit log."""
        if matches:
            details: dict[str, Any] = {"account": self.account.path, "matches": [str(each.id) for each in matches]}
            self.work.audit.append(
                AuditEvent(action=action, actor=self.actor, target=f"ledger:{self.ledger}", details=details)
            )

    def _match(self, id: UUID, proposal: Proposal, rules: MatchingRules, booked: UUID | None) -> Match:
        transactions = proposal.transactions
        if booked is not None:
            transactions = (*transactions, Allocation(id=booked, signed_minor=proposal.tolerance_minor))
        check_balanced(proposal.lines, transactions)
        return Match(
            id=id,
            ledger=self.ledger,
            account=self.account.path,
            stage=proposal.stage,
            lines=proposal.lines,
            transactions=transactions,
            made_at=self.clock(),
            made_by=self.actor.name,
            why=proposal.why,
            tolerance_minor=proposal.tolerance_minor,
            tolerance_account=None if booked is None else rules.tolerance_account,
            tolerance_transaction_id=booked,
        )

    def _book_all(self, differences: Sequence[tuple[UUID, int]], rules: MatchingRules) -> dict[UUID, UUID]:
        """Raise or lower the account by the difference of each match against the tolerance account."""
        if not differences:
            return {}
        assert rules.tolerance_account is not None, "nothing is tolerated without an account for it"
        commands = [self._booking(minor, rules.tolerance_account, key=f"tolerance:{id}") for id, minor in differences]
        return dict(zip((id for id, _ in differences), self._post_all(commands), strict=True))

    def _booking(self, signed_minor: int, other: str, *, key: str) -> Transaction:
        raises_debit = (signed_minor > 0) is (self.account.type.normal_side is Side.DEBIT)
        debit, credit = (self.account.path, other) if raises_debit else (other, self.account.path)
        amount = Money(abs(signed_minor), self.account.currency)
        return transfer(debit=debit, credit=credit, amount=amount, key=key, description="Tolerance")

    def _post_all(self, commands: Sequence[Transaction | Reversal]) -> list[UUID]:
        posted = []
        for outcome in self.journal.append(commands):
            if isinstance(outcome, Refused):
                raise outcome.error
            assert isinstance(outcome, Applied)
            posted.append(outcome.id)
        return posted

    def _transaction(self, id: UUID) -> PostedTransaction:
        found = self.journal.find_transaction(id)
        if found is None:
            raise NotFoundError(TRANSACTION_NOT_FOUND, id=id)
        return found

    def _transactions(self) -> Iterator[PostedTransaction]:
        wanted, cursor = TransactionFilter(account=self.account.path), None
        while True:
            page = self.journal.list_transactions(wanted, cursor=cursor, limit=CHUNK)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return


def book_item(transaction: PostedTransaction, account: Account) -> BookItem:
    """What a transaction did to an account."""
    normal = account.type.normal_side
    moves = [
        entry.amount.minor if entry.side is normal else -entry.amount.minor
        for entry in transaction.entries
        if entry.account == account.path
    ]
    told = [value for value in (transaction.metadata or {}).values() if isinstance(value, str)]
    names = [str(transaction.id), transaction.key, transaction.reference, *told]
    return BookItem(
        transaction_id=transaction.id,
        signed_minor=sum(moves),
        on=transaction.effective_at.date(),
        names=tuple(name for name in names if name),
        text=transaction.description or "",
    )


def _part(id: UUID, minor: int | None, *, open_minor: int, field: str) -> Allocation:
    part = Allocation(id=id, signed_minor=open_minor if minor is None else minor)
    # Nothing of something is refused as what it is, with the sums.
    if minor != 0:
        check_open(part, open_minor=open_minor, field=field)
    return part


def _cancelled(transactions: Sequence[PostedTransaction], allocated: Any) -> set[UUID]:
    """Pairs of a transaction and its whole reversal, of which no match explains either."""
    by_id = {each.id: each for each in transactions}
    gone: set[UUID] = set()
    for each in transactions:
        original = None if each.reverses is None else by_id.get(each.reverses)
        if original is None or each.id in allocated or original.id in allocated:
            continue
        if sum(line.line.amount.minor for line in each.lines) == sum(line.line.amount.minor for line in original.lines):
            gone |= {each.id, original.id}
    return gone
