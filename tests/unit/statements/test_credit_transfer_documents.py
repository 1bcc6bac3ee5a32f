"""Payment orders read from documents."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledgercore.errors import ValidationError
from ledgercore.statements.credit_transfer_documents import order_from

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRANSFER = {"end_to_end_id": "E-1", "amount": "12.50", "creditor_name": "Zoë", "creditor_iban": "NL91ABNA0417164300"}
ORDER = {
    "message_id": "M-1",
    "requested_on": "2026-03-02",
    "debtor_name": "Muster & Co",
    "debtor_iban": "DE02120300000000202051",
    "transfers": [TRANSFER],
}


def test_an_order_is_read_with_its_defaults() -> None:
    """The payment is called as the message is, and each transfer is booked by itself."""
    order = order_from(ORDER, created_at=NOON)

    [transfer] = order.transfers
    assert (order.payment_id, order.is_booked_as_one, order.requested_on) == ("M-1", False, date(2026, 3, 2))
    assert (order.debtor_name, order.debtor_bic, order.created_at) == ("Muster + Co", None, NOON)
    assert (transfer.amount.minor, transfer.creditor_name, transfer.text) == (1_250, "Zoe", None)
    assert order_from({**ORDER, "payment_id": "P-1", "is_booked_as_one": True}, created_at=NOON).payment_id == "P-1"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"message_id": None}, "missing_fields", "message_id"),
        ({"message_id": 17}, "invalid_argument", "message_id"),
        ({"colour": "red"}, "unknown_fields", "colour"),
        ({"requested_on": "2026-02-30"}, "invalid_datetime_format", "requested_on"),
        ({"requested_on": 17}, "invalid_datetime_format", "requested_on"),
        ({"is_booked_as_one": "yes"}, "invalid_argument", "is_booked_as_one"),
        ({"transfers": {}}, "invalid_argument", "transfers"),
        ({"transfers": []}, "invalid_argument", "transfers"),
        ({"transfers": ["x"]}, "invalid_argument", "transfers[0]"),
        ({"transfers": [{**TRANSFER, "amount": 12.5}]}, "invalid_amount_format", "transfers[0].amount"),
        ({"transfers": [{**TRANSFER, "text": 5}]}, "invalid_argument", "transfers[0].text"),
        ({"debtor_iban": "DE00"}, "invalid_iban", "iban"),
    ],
)
def test_orders_that_cannot_be_are_refused(change: dict[str, Any], code: str, field: str) -> None:
    """With the field."""
    with pytest.raises(ValidationError) as caught:
        order_from({**ORDER, **change}, created_at=NOON)

    assert caught.value.code == code
    assert caught.value.details.get("field", field) == field
