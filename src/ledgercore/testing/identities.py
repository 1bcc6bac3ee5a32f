"""The suite for an identity store: every promise of its ports."""

from ledgercore.testing.identity_answers import AnswerContract
from ledgercore.testing.identity_audit import AuditContract
from ledgercore.testing.identity_members import MemberContract
from ledgercore.testing.identity_sessions import ServiceTokenContract, SessionContract
from ledgercore.testing.identity_standings import StandingContract
from ledgercore.testing.identity_users import UserContract
from ledgercore.testing.identity_work import WorkContract


class IdentityStoreContract(
    UserContract, SessionContract, ServiceTokenContract, MemberContract, AuditContract, AnswerContract, WorkContract,
    StandingContract,
):  # fmt: skip
    """Subclass it, override the fixtures `store` and `identity`, and run pytest."""
