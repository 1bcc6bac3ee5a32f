"""The suite for a store of jobs: every promise of its ports."""

from ledgercore.testing.jobs_claiming import ClaimingContract
from ledgercore.testing.jobs_enqueuing import EnqueuingContract
from ledgercore.testing.jobs_keeping import KeepingContract


class JobStoreContract(EnqueuingContract, ClaimingContract, KeepingContract):
    """Subclass it, override the fixtures `jobs` and `job_queue`, and run pytest."""
