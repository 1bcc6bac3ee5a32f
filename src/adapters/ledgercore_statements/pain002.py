"""pain.002 of ISO 20022: what a bank answers to a file of payments."""

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

from ledgercore.statements.status_reports import BatchStatus, StatusReason, StatusReport, TransferStatus
from ledgercore_statements.faults import malformed
from ledgercore_statements.iso20022 import code_of, find, message_name, name_of, needed_text, text_of
from ledgercore_statements.xml_documents import read_document

PAIN002: Final = "pain.002"
_ROOT: Final = "CstmrPmtStsRpt"


def read_pain002(data: bytes) -> StatusReport:
    """Read a status report, of version 3 of the message or later.

    Raises `ValidationError` (`malformed_statement`) with the line and column, or the element.
    """
    document = read_document(data, file_format=PAIN002)
    root = find(document, _ROOT)
    if root is None:
        raise malformed(PAIN002, document.tag, f"there is no {_ROOT} in it")
    original = find(root, "OrgnlGrpInfAndSts")
    try:
        return StatusReport(
            format=message_name((root, document), PAIN002)[0],
            message_id=needed_text(root, "GrpHdr", "MsgId"),
            original_message_id=needed_text(original, "OrgnlMsgId"),
            original_format=text_of(original, "OrgnlMsgNmId"),
            status=text_of(original, "GrpSts"),
            reasons=_reasons(original),
            batches=tuple(_batch(element) for element in root.findall("OrgnlPmtInfAndSts")),
        )
    except ValueError as error:
        raise malformed(PAIN002, _ROOT, str(error)) from error


def _batch(element: Element) -> BatchStatus:
    return BatchStatus(
        payment_id=text_of(element, "OrgnlPmtInfId"),
        status=text_of(element, "PmtInfSts"),
        reasons=_reasons(element),
        transfers=tuple(_transfer(transfer) for transfer in element.findall("TxInfAndSts")),
    )


def _transfer(element: Element) -> TransferStatus:
    return TransferStatus(
        status=text_of(element, "TxSts"),
        end_to_end_id=name_of(element, "OrgnlEndToEndId"),
        instruction_id=name_of(element, "OrgnlInstrId"),
        bank_id=name_of(element, "AcctSvcrRef"),
        reasons=_reasons(element),
    )


def _reasons(element: Element | None) -> tuple[StatusReason, ...]:
    found: Sequence[Element] = () if element is None else element.findall("StsRsnInf")
    return tuple(
        StatusReason(
            code=code_of(reason, "Rsn"),
            texts=tuple(text for line in reason.findall("AddtlInf") if (text := text_of(line))),
        )
        for reason in found
    )
