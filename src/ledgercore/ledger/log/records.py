"""Records: what the append-only log of a ledger consists of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from ledgercore.ledger.accounts import AccountState

TRANSACTION: Final = "t"
REVERSAL: Final = "r"
CAPTURE: Final = "c"
HOLD_PLACED: Final = "h"
HOLD_CHANGED: Final = "g"
HOLD_VOIDED: Final = "v"
HOLD_EXPIRED: Final = "e"
HOLD_GROUP: Final = "b"
ACCOUNT_OPENED: Final = "o"
ACCOUNT_CHANGED: Final = "a"
PERIOD_CLOSED: Final = "p"
SETTINGS_CHANGED: Final = "s"
REFUSED: Final = "x"

POSTING_KINDS: Final = frozenset({TRANSACTION, REVERSAL, CAPTURE})

KIND_NAMES: Final[Mapping[str, str]] = {
    TRANSACTION: "transaction.posted",
    REVERSAL: "transaction.reversed",
    CAPTURE: "hold.captured",
    HOLD_PLACED: "hold.placed",
    HOLD_CHANGED: "hold.changed",
    HOLD_VOIDED: "hold.voided",
    HOLD_EXPIRED: "hold.expired",
    HOLD_GROUP: "hold.group_closed",
    ACCOUNT_OPENED: "account.opened",
    ACCOUNT_CHANGED: "account.changed",
    PERIOD_CLOSED: "period.closed",
    SETTINGS_CHANGED: "settings.changed",
    REFUSED: "command.refused",
}

DEBIT_LATE: Final = 1
CREDIT_LATE: Final = 2
EFFECTIVE_WHEN_RECORDED: Final = 4

RecordLine: TypeAlias = tuple[AccountState | None, AccountState | None, int, int | None, int | None, int]
"""Debited account, credited account, minor units, both balances just after, and flags.

`DEBIT_LATE` and `CREDIT_LATE` mark an entry that counts before one which its account already had;
`EFFECTIVE_WHEN_RECORDED` that the caller named no effective time.
"""


class Record:
    """One record of the log while it is being written; `number` is drawn under the head's lock."""

    __slots__ = (
        "body",
        "description",
        "effective_at",
        "fingerprint",
        "identity",
        "key",
        "kind",
        "lines",
        "metadata",
        "number",
        "reference",
        "subject",
    )

    def __init__(
        self,
        kind: str,
        identity: bytes,
        effective_at: datetime,
        lines: list[RecordLine],
        key: str | None = None,
        description: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        subject: bytes | None = None,
        fingerprint: bytes | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self.identity = identity
        self.effective_at = effective_at
        self.lines = lines
        self.key = key
        self.description = description
        self.reference = reference
        self.metadata = metadata
        self.subject = subject
        self.fingerprint = fingerprint
        self.body = body
        self.number = 0
