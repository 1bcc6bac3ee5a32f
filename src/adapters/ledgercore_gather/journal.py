"""A journal whose single posts share commits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Self, TypeAlias

from ledgercore.errors import InternalError, ValidationError
from ledgercore.ledger.commands import BATCH_MAX, BatchItem, Group
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.ports import Journal
from ledgercore_gather.gatherer import GATHERED_MAX, WAITING_MAX, Failed, Gatherer

_Answers: TypeAlias = Sequence[Outcome | Failed]


class GatheredJournal:
    """Keeps the promises of the `Journal` port; appends of one item that meet leave in one commit.

    `append` of a single item waits for the answer, so call it from threads that are not the executor's,
    and use `append_one` where an event loop runs. Everything else is the other journal's own.
    Not for a journal inside a caller's transaction, which belongs to the caller's thread.
    """

    def __init__(
        self, journal: Journal, *, executor: Executor, batch_max: int = GATHERED_MAX, queue_max: int = WAITING_MAX
    ) -> None:
        self._journal = journal
        self._gatherer = Gatherer[BatchItem, Outcome](
            append_each(journal), executor=executor, batch_max=batch_max, queue_max=queue_max
        )
        self.name = journal.name
        self.state = journal.state
        self.find_account = journal.find_account
        self.find_accounts = journal.find_accounts
        self.list_accounts = journal.list_accounts
        self.balances = journal.balances
        self.seal = journal.seal
        self.list_entries = journal.list_entries
        self.find_transaction = journal.find_transaction
        self.list_transactions = journal.list_transactions
        self.find_hold = journal.find_hold
        self.list_holds = journal.list_holds
        self.log_entries = journal.log_entries
        self.rows = journal.rows
        self.read_rows = journal.read_rows
        self.stored_accounts = journal.stored_accounts
        self.stored_holds = journal.stored_holds
        self.stored_hold_accounts = journal.stored_hold_accounts
        self.batch_of = journal.batch_of
        self.expire_holds = journal.expire_holds
        self.restore = journal.restore
        self.snapshot = journal.snapshot

    def append(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> Sequence[Outcome]:
        """See the port; a single item also raises `service_overloaded`."""
        if len(batch) != 1 or atomic:
            return self._journal.append(batch, atomic=atomic)
        return [self._gatherer.submit(batch[0]).result()]

    async def append_one(self, item: BatchItem) -> Outcome:
        """Append one item from an event loop; raises as `append` does."""
        return await self._gatherer.ask(item)

    def close(self) -> None:
        """Refuse further single items and wait until all that were accepted are stored; the journal stays open."""
        self._gatherer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def append_each(journal: Journal) -> Callable[[list[BatchItem]], _Answers]:
    """The work of a gatherer that posts: items share commits, and an item that no batch can hold fails alone."""

    def work(items: list[BatchItem]) -> _Answers:
        return [answer for piece in _pieces(items) for answer in _append(journal, piece)]

    return work


def _append(journal: Journal, items: list[BatchItem]) -> _Answers:
    try:
        return journal.append(items)
    except Exception as error:
        # These two are raised before anything is stored. After any other the batch may have been: what carries no
        # name would be posted twice if it were repeated.
        if len(items) == 1 or not isinstance(error, InternalError | ValidationError):
            return [Failed(error)] * len(items)
    # One item spoils the batch: halving finds it, and the others still share commits.
    middle = len(items) // 2
    return [*_append(journal, items[:middle]), *_append(journal, items[middle:])]


def _pieces(items: Iterable[BatchItem]) -> Iterator[list[BatchItem]]:
    """The items in order, in batches that a journal takes; it counts the commands inside groups."""
    piece: list[BatchItem] = []
    count = 0
    for item in items:
        weight = len(item.commands) if isinstance(item, Group) else 1
        if piece and count + weight > BATCH_MAX:
            yield piece
            piece, count = [], 0
        piece.append(item)
        count += weight
    yield piece
