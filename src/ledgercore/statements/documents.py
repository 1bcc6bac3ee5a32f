"""Statements, lines, matches and proofs as JSON documents, and the documents that ask for matches.

Amounts have the sign by which they move the account; written, each is there as decimal text and as minor units in text.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from ledgercore.ledger.documents import check_object, id_from, present, refused, whole_from
from ledgercore.ledger.paths import check_path
from ledgercore.money import Currency, format_amount, known_currency, parse_amount
from ledgercore.statements.importing import Imported
from ledgercore.statements.lines import StatementLine, StatementRecord
from ledgercore.statements.matches import Allocation, Match, Proposal
from ledgercore.statements.matching import MatchingRules, OpenItem, OpenLine
from ledgercore.statements.proving import Reconciliation, Side
from ledgercore.statements.reconciling import Reconciled, Unmatched

RULES_FIELDS: Final = frozenset({"window_days", "tolerance", "tolerance_account"})
PART_FIELDS: Final = frozenset({"id", "amount"})
_USUAL: Final = MatchingRules()


def rules_from(document: Mapping[str, Any], currency: Currency) -> MatchingRules:
    """The rules that a document asks for; `tolerance` is an amount. Raises `invalid_argument` and the like."""
    check_object(document, RULES_FIELDS)
    window_days = whole_from(document.get("window_days"), field="window_days")
    tolerance, account = document.get("tolerance"), document.get("tolerance_account")
    return MatchingRules(
        window_days=_USUAL.window_days if window_days is None else window_days,
        tolerance_minor=0 if tolerance is None else parse_amount(tolerance, currency, field="tolerance"),
        tolerance_account=None if account is None else check_path(account, field="tolerance_account"),
    )


def parts_from(value: object, currency: Currency, *, field: str) -> list[tuple[UUID, int | None]]:
    """Parts of lines or transactions that a match shall explain: `{"id": …, "amount": "-12.00"}`, or the id alone."""
    if not isinstance(value, list):
        raise refused(value, field, "a JSON array")
    return [_part_from(part, currency, field=f"{field}[{index}]") for index, part in enumerate(value)]


def signed_amount_from(value: Any, currency: Currency, *, field: str) -> int:
    """An amount with its sign in minor units; raises `invalid_amount_format`."""
    if isinstance(value, str) and value.startswith("-"):
        return -parse_amount(value[1:], currency, field=field)
    return parse_amount(value, currency, field=field)


def statement_document(record: StatementRecord) -> dict[str, Any]:
    """An imported statement; `difference` is what it fails to close by, absent where that cannot be told."""
    currency = known_currency(record.currency, record.exponent)
    return present(
        id=str(record.id),
        account=record.account,
        format=record.format,
        file_name=record.file_name,
        imported_at=record.imported_at.isoformat(),
        bank_account=record.bank_account,
        reference=record.reference,
        number=record.number,
        currency=record.currency,
        **_amounts(currency, opening=record.opening_minor),
        opening_on=_day(record.opening_on),
        **_amounts(currency, closing=record.closing_minor),
        closing_on=_day(record.closing_on),
        **_amounts(currency, difference=record.difference_minor),
        entries_count=record.entries_count,
        pending_count=record.pending_count,
        lines_added=record.lines_added,
        warnings=list(record.warnings),
    )


def imported_document(imported: Imported) -> dict[str, Any]:
    """A statement of a file, and whether it was new."""
    return {**statement_document(imported.record), "is_new": imported.is_new}


def line_document(line: StatementLine) -> dict[str, Any]:
    """A line as the bank said it; the amount has the sign that it moves the account by."""
    said = line.said
    return present(
        id=str(line.id),
        number=line.number,
        statement_id=str(line.statement_id),
        direction=said.direction.value,
        **_amounts(said.amount.currency, amount=said.signed_minor),
        currency=said.amount.currency.code,
        booked_on=_day(said.booked_on),
        value_on=_day(said.value_on),
        text=said.text,
        counterparty=said.counterparty,
        counterparty_account=said.counterparty_account,
        bank_id=said.bank_id,
        references=list(said.references),
        structured_references=list(said.structured_references),
        is_reversal=said.is_reversal,
    )


def unmatched_document(unmatched: Unmatched, currency: Currency) -> dict[str, Any]:
    """Lines and transactions, each with what of it nothing explains as `open`."""
    return {
        "lines": [_open_line(each, currency) for each in unmatched.lines],
        "transactions": [_open_item(each, currency) for each in unmatched.items],
    }


def match_document(match: Match, currency: Currency) -> dict[str, Any]:
    """A match, standing or undone, with what it says of each line and each transaction."""
    tolerance = match.tolerance_minor if match.tolerance_account is not None else None
    return present(
        id=str(match.id),
        account=match.account,
        stage=match.stage.value,
        currency=currency.code,
        lines=_parts(match.lines, currency),
        transactions=_parts(match.transactions, currency),
        why=dict(match.why),
        **_amounts(currency, tolerance=tolerance),
        tolerance_account=match.tolerance_account,
        tolerance_transaction_id=match.tolerance_transaction_id and str(match.tolerance_transaction_id),
        made_at=match.made_at.isoformat(),
        made_by=match.made_by,
        undone_at=match.undone_at and match.undone_at.isoformat(),
        undone_by=match.undone_by,
    )


def proposal_document(proposal: Proposal, currency: Currency) -> dict[str, Any]:
    """A match that could be made; a run makes those that are `certain`."""
    return {
        "stage": proposal.stage.value,
        "currency": currency.code,
        "lines": _parts(proposal.lines, currency),
        "transactions": _parts(proposal.transactions, currency),
        "why": dict(proposal.why),
        **_amounts(currency, tolerance=proposal.tolerance_minor),
        "rivals": proposal.rivals,
        "is_partial": proposal.is_partial,
        "is_certain": proposal.is_certain,
    }


def reconciled_document(done: Reconciled, currency: Currency) -> dict[str, Any]:
    """What a run did."""
    return {
        "made": [match_document(each, currency) for each in done.made],
        "suggested": [proposal_document(each, currency) for each in done.suggested],
    }


def reconciliation_document(proof: Reconciliation) -> dict[str, Any]:
    """Both sides of a proof; `null` stands where the bank gave no balance."""
    currency = known_currency(proof.currency, proof.exponent)
    return {
        "account": proof.account,
        "currency": proof.currency,
        "is_proved": proof.is_proved,
        "bank": _side(proof.bank, currency),
        "book": _side(proof.book, currency),
        "gaps": list(proof.gaps),
    }


def _part_from(part: object, currency: Currency, *, field: str) -> tuple[UUID, int | None]:
    check_object(part, PART_FIELDS, required=("id",), field=field)
    assert isinstance(part, Mapping)
    id, amount = id_from(part["id"], field=f"{field}.id"), part.get("amount")
    assert id is not None
    return id, None if amount is None else signed_amount_from(amount, currency, field=f"{field}.amount")


def _open_line(open_: OpenLine, currency: Currency) -> dict[str, Any]:
    return {**line_document(open_.line), **_amounts(currency, open=open_.open_minor)}


def _open_item(open_: OpenItem, currency: Currency) -> dict[str, Any]:
    item = open_.item
    return {
        "id": str(item.transaction_id),
        "effective_on": item.on.isoformat(),
        "text": item.text,
        **_amounts(currency, amount=item.signed_minor, open=open_.open_minor),
        "currency": currency.code,
    }


def _side(side: Side, currency: Currency) -> Mapping[str, Any]:
    return {
        **_amounts(currency, opening=side.opening_minor),
        **_amounts(currency, matched=side.matched_minor),
        "matched_count": side.matched_count,
        **_amounts(currency, unmatched=side.unmatched_minor),
        "unmatched_count": side.unmatched_count,
        **_amounts(currency, closing=side.closing_minor, difference=side.difference_minor),
    }


def _parts(parts: Iterable[Allocation], currency: Currency) -> list[dict[str, Any]]:
    return [{"id": str(part.id), **_amounts(currency, amount=part.signed_minor)} for part in parts]


def _amounts(currency: Currency, **minor: int | None) -> dict[str, str | None]:
    """Each amount under its name as a decimal, and under `…_minor` in minor units."""
    found: dict[str, str | None] = {}
    for name, value in minor.items():
        found[name] = None if value is None else format_amount(value, currency)
        found[f"{name}_minor"] = None if value is None else str(value)
    return found


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
