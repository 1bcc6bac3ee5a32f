"""Answering a repeated command: the first answer for the same content, a conflict for any other."""

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import CATALOG, IDEMPOTENCY_KEY_REUSED
from ledgercore.ledger.commands import AnyCommand, fingerprint
from ledgercore.ledger.log.records import POSTING_KINDS, REFUSED, TRANSACTION
from ledgercore.ledger.outcomes import Applied, Posted, Refused
from ledgercore.ledger.rules.working_set import Known
from ledgercore.ledger.texts import encode_json
from ledgercore.ledger.transactions import Transaction


def first_answer(command: AnyCommand, known: Known, identity: bytes) -> Applied | Refused:
    """The answer given when the name was first used, marked as replayed; `idempotency_key_reused` otherwise."""
    if not answers(command, known):
        error = ConflictError(
            IDEMPOTENCY_KEY_REUSED, key=command.key or str(command.id), first_used_at=known.recorded_at,
            first_number=known.number,
        )  # fmt: skip
        return Refused(error.reason, error.details)
    if known.kind == REFUSED:
        assert known.refusal is not None
        code, details = known.refusal
        return Refused(CATALOG[code], details, replayed=True)
    kind = Posted if known.kind in POSTING_KINDS else Applied
    return kind(identity, known.number, known.recorded_at, True)


def answers(command: AnyCommand, known: Known) -> bool:
    """Whether the command asks for what the name was first used for.

    A plain transaction is compared with what was posted, field by field; anything else by the
    fingerprint that was stored with its record.
    """
    if known.fingerprint is not None:
        return known.fingerprint == fingerprint(command)
    posted = known.posted
    if known.kind != TRANSACTION or posted is None or not isinstance(command, Transaction) or command.preconditions:
        return False
    return (
        tuple(line.line for line in posted.lines) == command.lines
        and (command.effective_at == posted.effective_at if known.named_effective else command.effective_at is None)
        and command.description == posted.description
        and command.reference == posted.reference
        # As JSON, since Python takes `True` and `1` for equal.
        and encode_json(command.metadata) == encode_json(posted.metadata)
    )
