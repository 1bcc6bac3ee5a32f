"""Payment orders as JSON documents, and the answers of banks to them.

`order_from` reads

    {"message_id": …, "payment_id": …, "requested_on": "2026-03-02", "is_booked_as_one": false,
     "debtor_name": …, "debtor_iban": …, "debtor_bic": …,
     "transfers": [{"end_to_end_id": …, "amount": "12.00", "creditor_name": …, "creditor_iban": …, "creditor_bic": …,
                    "text": … or "structured_reference": …}, …]}

Names and texts are spelt with the letters that every bank of the area takes.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_DATETIME_FORMAT
from ledgercore.ledger.documents import check_object, present, refused, within
from ledgercore.money import Money, currency, parse_positive_amount
from ledgercore.statements.credit_transfers import SEPA_CURRENCY, CreditTransfer, PaymentOrder, sepa_text
from ledgercore.statements.status_reports import StatusReason, StatusReport

_REQUIRED: Final = ("message_id", "requested_on", "debtor_name", "debtor_iban", "transfers")
_FIELDS: Final = frozenset({*_REQUIRED, "payment_id", "debtor_bic", "is_booked_as_one"})
_TRANSFER_REQUIRED: Final = ("end_to_end_id", "amount", "creditor_name", "creditor_iban")
_TRANSFER_FIELDS: Final = frozenset({*_TRANSFER_REQUIRED, "creditor_bic", "text", "structured_reference"})
_SPELT: Final = frozenset({"debtor_name", "creditor_name", "text"})


def order_from(document: Any, *, created_at: datetime) -> PaymentOrder:
    """The order that a document describes; without a `payment_id` the message's is used.

    Raises `ValidationError` with the field: `missing_fields`, `unknown_fields`, and the reasons of the values.
    """
    check_object(document, _FIELDS, required=_REQUIRED)
    is_one, transfers = document.get("is_booked_as_one") or False, document["transfers"]
    if not isinstance(is_one, bool):
        raise refused(is_one, "is_booked_as_one", "true or false")
    if not isinstance(transfers, list):
        raise refused(transfers, "transfers", "a JSON array")
    names = _texts(document, ("message_id", "payment_id", "debtor_name", "debtor_iban", "debtor_bic"))
    return PaymentOrder(
        **{"payment_id": names["message_id"], **names},
        created_at=created_at,
        requested_on=_day(document["requested_on"]),
        is_booked_as_one=is_one,
        transfers=tuple(_transfer(each, field=f"transfers[{index}]") for index, each in enumerate(transfers)),
    )


def status_report_document(report: StatusReport) -> dict[str, Any]:
    """What became of a file, its batches and each payment."""
    return present(
        format=report.format,
        message_id=report.message_id,
        original_message_id=report.original_message_id,
        original_format=report.original_format,
        status=report.status,
        reasons=_reasons(report.reasons),
        batches=[
            present(
                payment_id=batch.payment_id,
                status=batch.status,
                reasons=_reasons(batch.reasons),
                transfers=[
                    present(
                        end_to_end_id=each.end_to_end_id,
                        instruction_id=each.instruction_id,
                        bank_id=each.bank_id,
                        status=each.status,
                        reasons=_reasons(each.reasons),
                    )
                    for each in batch.transfers
                ],
            )
            for batch in report.batches
        ],
    )


def _transfer(document: Any, *, field: str) -> CreditTransfer:
    check_object(document, _TRANSFER_FIELDS, required=_TRANSFER_REQUIRED, field=field)
    euro = currency(SEPA_CURRENCY)
    with within(field):
        minor = parse_positive_amount(document["amount"], euro)
        return CreditTransfer(amount=Money(minor, euro), **_texts(document, _TRANSFER_FIELDS - {"amount"}))


def _texts(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    found = {name: document[name] for name in names if document.get(name) is not None}
    for name, value in found.items():
        if not isinstance(value, str):
            raise refused(value, name, "a text")
    return {name: sepa_text(value) if name in _SPELT else value for name, value in found.items()}


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValidationError(
            INVALID_DATETIME_FORMAT, field="requested_on", value=shortened(value), why="a day is expected"
        ) from error


def _reasons(reasons: Iterable[StatusReason]) -> list[dict[str, Any]]:
    return [present(code=each.code, texts=list(each.texts)) for each in reasons]
