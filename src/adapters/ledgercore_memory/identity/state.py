"""Everything that identity keeps, by what it is found by."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from attrs import define, field

from ledgercore.identity.answers import KeptAnswer
from ledgercore.identity.audit import AuditEntry
from ledgercore.identity.memberships import Membership
from ledgercore.identity.service_tokens import ServiceToken
from ledgercore.identity.sessions import Session
from ledgercore.identity.users import User

Claimed: TypeAlias = tuple[datetime, KeptAnswer]


@define
class State:
    """What is kept; all of it frozen, in lists and dictionaries."""

    users: dict[UUID, User] = field(factory=dict)
    sessions: dict[UUID, Session] = field(factory=dict)
    tokens: dict[UUID, ServiceToken] = field(factory=dict)
    members: dict[tuple[str, UUID], Membership] = field(factory=dict)
    audit: list[AuditEntry] = field(factory=list)
    answers: dict[tuple[str, str], Claimed] = field(factory=dict)
