"""Everything that is kept of statements, by what it is found by."""

from uuid import UUID

from attrs import define, field

from ledgercore.statements.lines import StatementLine, StatementRecord
from ledgercore.statements.matches import Match


@define
class StatementsState:
    """What is kept; all of it frozen. Lines are kept by ledger, account and what the bank said."""

    records: dict[UUID, StatementRecord] = field(factory=dict)
    lines: dict[tuple[str, str, bytes], StatementLine] = field(factory=dict)
    matches: dict[UUID, Match] = field(factory=dict)
