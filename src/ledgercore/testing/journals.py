"""The suite for a journal: every promise of the port and of the ledger's rules behind it."""

from ledgercore.testing.balances import BalanceContract, PeriodContract
from ledgercore.testing.batches import BatchContract, RefusedGroupContract
from ledgercore.testing.compound_holds import CompoundHoldContract
from ledgercore.testing.expiry import ExpiryContract
from ledgercore.testing.hold_groups import HoldGroupContract
from ledgercore.testing.holds import HoldContract
from ledgercore.testing.limits import LimitContract
from ledgercore.testing.listings import ListingContract, RegisterContract
from ledgercore.testing.logs import EventContract, LogContract, RestoringContract
from ledgercore.testing.names import NameContract
from ledgercore.testing.openings import OpeningContract, StatusContract
from ledgercore.testing.postings import PostingContract, PreconditionContract
from ledgercore.testing.reversals import ReversalContract


class JournalContract(
    PostingContract, OpeningContract, StatusContract, PreconditionContract, LimitContract, HoldContract,
    CompoundHoldContract, ExpiryContract, HoldGroupContract, ReversalContract, NameContract, BatchContract,
    RefusedGroupContract, BalanceContract, PeriodContract, RegisterContract, ListingContract, LogContract,
    EventContract, RestoringContract,
):  # fmt: skip
    """Subclass it, override the fixture `store`, and run pytest."""
