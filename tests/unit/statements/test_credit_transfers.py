"""Credit transfers are checked when they are made, so that whatever is written a bank can take."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_BIC, INVALID_IBAN
from ledgercore.money import Money
from ledgercore.statements.credit_transfers import (
    CreditTransfer,
    PaymentOrder,
    check_creditor_reference,
    sepa_text,
)
from ledgercore.statements.payment_initiations import InitiatedBatch, InitiatedTransfer, PaymentInitiation

TRANSFER: Final[dict[str, Any]] = {
    "end_to_end_id": "INV-1",
    "amount": Money.of("1.50", "EUR"),
    "creditor_name": "Ada Adler",
    "creditor_iban": "gb82 west 1234 5698 7654 32",
}
ORDER: Final[dict[str, Any]] = {
    "message_id": "MSG-1",
    "payment_id": "PAY-1",
    "created_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "debtor_name": "Bruno Berger",
    "debtor_iban": "DE89370400440532013000",
    "requested_on": date(2026, 3, 2),
    "transfers": (CreditTransfer(**TRANSFER),),
}


def test_numbers_of_accounts_are_kept_in_capitals_without_blanks() -> None:
    transfer = CreditTransfer(**TRANSFER, creditor_bic="deutdeff", structured_reference="rf18 5390 0754 7034")

    assert transfer.creditor_iban == "GB82WEST12345698765432"
    assert transfer.creditor_bic == "DEUTDEFF"
    assert transfer.structured_reference == "RF18539007547034"


def test_the_total_is_that_of_all_transfers() -> None:
    order = PaymentOrder(**{**ORDER, "transfers": (CreditTransfer(**TRANSFER),) * 3})

    assert order.total == Money.of("4.50", "EUR")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("end_to_end_id", text) for text in ("", "x" * 36, "/a", "a/", "a//b", "a_b", "ä", " a", "a\n")),
        *(("amount", Money.of(amount, "EUR")) for amount in ("0", "1000000000.00")),
        ("amount", Money.of("1", "USD")),
        *(("creditor_name", text) for text in ("", "x" * 71, "Müller", "A & B")),
        *(("text", text) for text in ("", "x" * 141, "5 €", " x ")),
        *(
            ("structured_reference", text)
            for text in ("RF19539007547034", "539007547034", "RF18", "RF18" + "1" * 22, "\N{LATIN SMALL LETTER LONG S}")
        ),
    ],
)
def test_what_a_bank_would_refuse_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        CreditTransfer(**{**TRANSFER, field: value})

    assert refused.value.reason is INVALID_ARGUMENT
    assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("message_id", text) for text in ("", "x" * 36, "a//b")),
        ("payment_id", "é"),
        ("created_at", datetime(2026, 3, 1)),
        ("debtor_name", "x" * 71),
        ("transfers", ()),
        ("transfers", (CreditTransfer(**TRANSFER),) * 100_001),
    ],
)
def test_an_order_is_checked_too(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        PaymentOrder(**{**ORDER, field: value})

    assert refused.value.details["field"] == field


def test_a_text_and_a_reference_exclude_each_other() -> None:
    with pytest.raises(ValidationError) as refused:
        CreditTransfer(**TRANSFER, text="Invoice 1", structured_reference="RF18539007547034")

    assert refused.value.details["why"] == "either a text or a structured reference"


def test_accounts_and_banks_have_reasons_of_their_own() -> None:
    with pytest.raises(ValidationError) as account:
        CreditTransfer(**{**TRANSFER, "creditor_iban": "GB83WEST12345698765432"})
    with pytest.raises(ValidationError) as bank:
        PaymentOrder(**ORDER, debtor_bic="DEUT")

    assert account.value.reason is INVALID_IBAN
    assert bank.value.reason is INVALID_BIC


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("Ærø Łódź", "AEro Lodz"),
        ("50 € & mehr", "50 . + mehr"),
        ("a_b\tc", "a-b c"),
        ("日本", ".."),
        ("plain", "plain"),
    ],
)
def test_any_text_can_be_spelt_for_a_bank(text: str, spelt: str) -> None:
    assert sepa_text(text) == spelt
    CreditTransfer(**TRANSFER, text=sepa_text(text))


def test_a_creditor_reference_may_have_letters() -> None:
    assert check_creditor_reference("RF45G72UUR") == "RF45G72UUR"


@pytest.mark.parametrize(
    ("count", "total", "is_right"),
    [(2, "3.00", True), (None, None, True), (1, "3.00", False), (2, "3.01", False), (None, "3", True)],
)
def test_a_file_is_measured_by_what_it_declares(count: int | None, total: str | None, is_right: bool) -> None:
    amounts = [Money.of("1.00", "EUR"), Money.of("2", "JPY")]
    batch = InitiatedBatch(
        payment_id="P",
        requested_on=None,
        debtor=None,
        debtor_account=None,
        transfers=tuple(InitiatedTransfer(end_to_end_id=None, amount=amount) for amount in amounts),
    )

    initiation = PaymentInitiation(
        format="pain.001",
        message_id="M",
        declared_count=count,
        declared_sum=None if total is None else Decimal(total),
        batches=(batch,),
    )

    assert initiation.is_as_declared is is_right
