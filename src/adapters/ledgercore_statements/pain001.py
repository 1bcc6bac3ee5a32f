"""pain.001 of ISO 20022: writes SEPA credit transfers in version 9, and reads what others wrote in any."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from ledgercore.money import Money, format_amount
from ledgercore.statements.credit_transfers import CreditTransfer, PaymentOrder
from ledgercore.statements.payment_initiations import InitiatedBatch, InitiatedTransfer, PaymentInitiation
from ledgercore_statements.faults import malformed, quoted
from ledgercore_statements.iso20022 import find, message_name, name_of, needed_text, read_day, read_money, text_of
from ledgercore_statements.xml_documents import read_document

PAIN001: Final = "pain.001"
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_ROOT: Final = "CstmrCdtTrfInitn"
_COUNT: Final = re.compile("[0-9]{1,15}")
_SUM: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,17})?")


def write_pain001(order: PaymentOrder) -> bytes:
    """The order as a file of pain.001.001.09, in UTF-8; the same bytes for the same order."""
    document = Element("Document", xmlns=NAMESPACE)
    root = SubElement(document, _ROOT)
    header = SubElement(root, "GrpHdr")
    _add(header, "MsgId", order.message_id)
    _add(header, "CreDtTm", order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add_totals(header, order)
    _add(header, "InitgPty/Nm", order.debtor_name)
    batch = SubElement(root, "PmtInf")
    _add(batch, "PmtInfId", order.payment_id)
    _add(batch, "PmtMtd", "TRF")
    _add(batch, "BtchBookg", "true" if order.is_booked_as_one else "false")
    _add_totals(batch, order)
    _add(batch, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _add(batch, "ReqdExctnDt/Dt", order.requested_on.isoformat())
    _add(batch, "Dbtr/Nm", order.debtor_name)
    _add(batch, "DbtrAcct/Id/IBAN", order.debtor_iban)
    if order.debtor_bic is None:
        _add(batch, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    else:
        _add(batch, "DbtrAgt/FinInstnId/BICFI", order.debtor_bic)
    _add(batch, "ChrgBr", "SLEV")
    for transfer in order.transfers:
        _add_transfer(SubElement(batch, "CdtTrfTxInf"), transfer)
    written: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    return written


def _add_totals(element: Element, order: PaymentOrder) -> None:
    _add(element, "NbOfTxs", str(len(order.transfers)))
    _add(element, "CtrlSum", _written(order.total))


def _add_transfer(element: Element, transfer: CreditTransfer) -> None:
    _add(element, "PmtId/EndToEndId", transfer.end_to_end_id)
    _add(element, "Amt/InstdAmt", _written(transfer.amount)).set("Ccy", transfer.amount.currency.code)
    if transfer.creditor_bic is not None:
        _add(element, "CdtrAgt/FinInstnId/BICFI", transfer.creditor_bic)
    _add(element, "Cdtr/Nm", transfer.creditor_name)
    _add(element, "CdtrAcct/Id/IBAN", transfer.creditor_iban)
    if transfer.text is not None:
        _add(element, "RmtInf/Ustrd", transfer.text)
    if transfer.structured_reference is not None:
        reference = SubElement(SubElement(SubElement(element, "RmtInf"), "Strd"), "CdtrRefInf")
        _add(reference, "Tp/CdOrPrtry/Cd", "SCOR")
        _add(reference, "Ref", transfer.structured_reference)


def _add(element: Element, path: str, text: str) -> Element:
    """Add new elements along the path, with the text in the last of them."""
    for name in path.split("/"):
        element = SubElement(element, name)
    element.text = text
    return element


def _written(amount: Money) -> str:
    return format_amount(amount.minor, amount.currency)


def read_pain001(data: bytes) -> PaymentInitiation:
    """Read a file of credit transfers, of any version of the message.

    Raises `ValidationError` (`malformed_statement`) with the line and column, or the element as in
    `PmtInf 1 CdtTrfTxInf 2`.
    """
    document = read_document(data, file_format=PAIN001)
    root = find(document, _ROOT)
    if root is None:
        raise malformed(PAIN001, document.tag, f"there is no {_ROOT} in it")
    warnings: list[str] = []
    batches = tuple(
        _batch(element, f"PmtInf {number}", warnings) for number, element in enumerate(root.findall("PmtInf"), start=1)
    )
    with _placed("GrpHdr"):
        return PaymentInitiation(
            format=message_name((root, document), PAIN001)[0],
            message_id=needed_text(root, "GrpHdr", "MsgId"),
            declared_count=_count(text_of(root, "GrpHdr", "NbOfTxs")),
            declared_sum=_sum(text_of(root, "GrpHdr", "CtrlSum")),
            batches=batches,
            warnings=tuple(warnings),
        )


def _batch(element: Element, position: str, warnings: list[str]) -> InitiatedBatch:
    transfers = []
    for number, transfer in enumerate(element.findall("CdtTrfTxInf"), start=1):
        with _placed(f"{position} CdtTrfTxInf {number}"):
            transfers.append(_transfer(transfer))
    with _placed(position):
        return InitiatedBatch(
            payment_id=needed_text(element, "PmtInfId"),
            requested_on=read_day(find(element, "ReqdExctnDt"), warnings),
            debtor=text_of(element, "Dbtr", "Nm"),
            debtor_account=_account(element, "DbtrAcct"),
            transfers=tuple(transfers),
        )


def _transfer(element: Element) -> InitiatedTransfer:
    instructed, equivalent = find(element, "Amt", "InstdAmt"), find(element, "Amt", "EqvtAmt", "Amt")
    return InitiatedTransfer(
        end_to_end_id=name_of(element, "PmtId", "EndToEndId"),
        amount=read_money(equivalent if instructed is None else instructed),
        creditor=text_of(element, "Cdtr", "Nm"),
        creditor_account=_account(element, "CdtrAcct"),
        text=" ".join(filter(None, (text_of(line) for line in element.findall("RmtInf/Ustrd")))),
        structured_reference=text_of(element, "RmtInf", "Strd", "CdtrRefInf", "Ref"),
    )


def _account(element: Element, name: str) -> str | None:
    return text_of(element, name, "Id", "IBAN") or text_of(element, name, "Id", "Othr", "Id")


def _count(written: str | None) -> int | None:
    if written is None:
        return None
    if not _COUNT.fullmatch(written):
        raise ValueError(f"{quoted(written)} is no number of payments")
    return int(written)


def _sum(written: str | None) -> Decimal | None:
    if written is None:
        return None
    if not _SUM.fullmatch(written):
        raise ValueError(f"{quoted(written)} is no control sum")
    return Decimal(written)


@contextmanager
def _placed(position: str) -> Iterator[None]:
    """Say of what cannot be read in an element where the element stands."""
    try:
        yield
    except ValueError as error:
        raise malformed(PAIN001, position, str(error)) from error
