"""What a bank answers to a file of payments (pain.002): what became of it, of its batches and of each payment."""

from attrs import frozen


@frozen
class StatusReason:
    """Why something has its status: a code of the standard or the bank's own, such as `AC04`, and texts."""

    code: str | None
    texts: tuple[str, ...] = ()


@frozen(kw_only=True)
class TransferStatus:
    """What became of one payment; ids are those of the file that was sent, where the bank repeats them."""

    status: str | None
    end_to_end_id: str | None = None
    instruction_id: str | None = None
    bank_id: str | None = None
    reasons: tuple[StatusReason, ...] = ()


@frozen(kw_only=True)
class BatchStatus:
    """What became of the payments of one account and day; those without a status of their own share this one."""

    payment_id: str | None
    status: str | None
    reasons: tuple[StatusReason, ...] = ()
    transfers: tuple[TransferStatus, ...] = ()


@frozen(kw_only=True)
class StatusReport:
    """A whole report. Statuses are codes of ISO 20022, such as `ACTC`, `ACSC`, `PART` or `RJCT`."""

    format: str
    message_id: str
    original_message_id: str
    original_format: str | None = None
    status: str | None = None
    reasons: tuple[StatusReason, ...] = ()
    batches: tuple[BatchStatus, ...] = ()
