"""Proofs: what others can check without us."""

import re
from typing import Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.identity.access import LEDGER_READ
from ledgercore.ledger.proofs.proving import head_statement, prove, prove_consistency, prove_record
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import path_id, read_place
from ledgercore_http.routes import Parameter, Routes, Success
from ledgercore_http.schemas import proofs as schemas
from ledgercore_http.schemas.proofs import PROOF_REASONS
from ledgercore_http.schemas.values import HASH

ROUTES = Routes("proofs", "A log that nobody can rewrite unseen: heads to keep, proofs to check offline.")
_HEAD: Final = re.compile("[0-9a-f]{64}", re.ASCII)


def _read_head(value: str, name: str) -> bytes:
    if not _HEAD.fullmatch(value):
        raise ValidationError(
            INVALID_ARGUMENT, field=name, value=shortened(value), why="64 hexadecimal digits in lower case are expected"
        )
    return bytes.fromhex(value)


def _head_parameter(name: str, description: str, *, required: bool = False) -> Parameter:
    return Parameter(name=name, schema=HASH, read=_read_head, description=description, required=required)


SINCE: Final = _head_parameter("since", "A head that you kept; the proof then also leads from it to the present one.")


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/proofs/head",
    access=LEDGER_READ,
    success=Success(schema=schemas.HEAD, example=schemas.HEAD_EXAMPLE),
)
def get_head(call: Call) -> Answer:
    """Read the head: it commits to every record so far."""
    return call.answer(head_statement(call.ledger.journal))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/proofs/transactions/{id}",
    access=LEDGER_READ,
    query=(SINCE,),
    success=Success(schema=schemas.PROOF, example=schemas.PROOF_EXAMPLE),
    reasons=PROOF_REASONS,
)
def prove_transaction(call: Call) -> Answer:
    """Prove that a transaction is in the ledger."""
    return call.answer(prove(call.ledger.journal, path_id(call.path["id"]), since=call.query["since"]))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/proofs/records/{number}",
    access=LEDGER_READ,
    query=(SINCE,),
    success=Success(schema=schemas.PROOF, example=schemas.PROOF_EXAMPLE),
    reasons=PROOF_REASONS,
)
def prove_any_record(call: Call) -> Answer:
    """Prove that a record of any kind is in the ledger, by its number."""
    number = read_place(call.path["number"], "number")
    return call.answer(prove_record(call.ledger.journal, number, since=call.query["since"]))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/proofs/consistency",
    access=LEDGER_READ,
    query=(
        _head_parameter("older", "A head that you kept.", required=True),
        _head_parameter("newer", "A later one; the present one if left out."),
    ),
    success=Success(schema=schemas.CONSISTENCY, example=schemas.CONSISTENCY_EXAMPLE),
    reasons=PROOF_REASONS,
)
def prove_heads_consistent(call: Call) -> Answer:
    """Prove that a newer head commits to all that an older one committed to."""
    return call.answer(prove_consistency(call.ledger.journal, call.query["older"], call.query["newer"]))
