"""The transactions of an entry of CAMT: several where it was booked as a batch."""

from typing import Final
from xml.etree.ElementTree import Element

from ledgercore.money import Money
from ledgercore.statements.statements import Direction, EntryDetail
from ledgercore_statements.iso20022 import find, name_of, read_money, text_of

_OTHER_SIDE: Final = {Direction.CREDIT: ("Dbtr", "Cdtr"), Direction.DEBIT: ("Cdtr", "Dbtr")}
_DIRECTIONS: Final = {"CRDT": Direction.CREDIT, "DBIT": Direction.DEBIT, None: None}


def read_details(
    entry: Element, direction: Direction, amount: Money, *, is_reversal: bool, own_iban: str | None
) -> tuple[EntryDetail, ...]:
    """The transactions of an entry, in order; raises `ValueError` for an amount or a direction that is none."""
    transactions = [transaction for part in entry.findall("NtryDtls") for transaction in part.findall("TxDtls")]
    whole = amount if len(transactions) == 1 else None
    return tuple(_detail(each, direction, whole, is_reversal, own_iban) for each in transactions)


def _detail(
    transaction: Element, of_entry: Direction, whole: Money | None, is_reversal: bool, own_iban: str | None
) -> EntryDetail:
    written = text_of(transaction, "CdtDbtInd")
    if written not in _DIRECTIONS:
        raise ValueError(f"{written} is neither CRDT nor DBIT")
    direction = _DIRECTIONS[written] or of_entry
    counterparty, account = _counterparty(
        find(transaction, "RltdPties"),
        direction,
        is_reversal=is_reversal or find(transaction, "RtrInf") is not None,
        own_iban=own_iban,
    )
    references, remittance = find(transaction, "Refs"), find(transaction, "RmtInf")
    return EntryDetail(
        direction=direction,
        amount=_amount(transaction) or whole,
        end_to_end_id=name_of(references, "EndToEndId"),
        bank_id=name_of(references, "AcctSvcrRef"),
        counterparty=counterparty,
        counterparty_account=account,
        structured_reference=_structured_reference(remittance),
        text=_text(transaction, remittance),
    )


def _amount(transaction: Element) -> Money | None:
    """The amount in the currency of the account: beside the transaction, or in its details up to version 2."""
    found = find(transaction, "Amt")
    if found is None:
        found = find(transaction, "AmtDtls", "TxAmt", "Amt")
    return None if found is None else read_money(found)


def _counterparty(
    parties: Element | None, direction: Direction, *, is_reversal: bool, own_iban: str | None
) -> tuple[str | None, str | None]:
    """Name and account of the other side: who paid what came in, and who was paid what went out.

    What is undone or returned keeps the parties of the original, and those stand the other way round. Where the
    account of one side is the statement's own, the other side is the other one in any case.
    """
    roles = _OTHER_SIDE[direction][:: -1 if is_reversal else 1]
    first, second = ((_name(parties, role), _account(parties, role)) for role in roles)
    is_first_known = first != (None, None) and (own_iban is None or first[1] != own_iban)
    if is_first_known or second[1] is None or second[1] == own_iban:
        return first
    return second


def _name(parties: Element | None, role: str) -> str | None:
    for party in (find(parties, role), find(parties, f"Ultmt{role}")):
        # Since version 8 a party or its bank stands one level deeper.
        for path in (("Nm",), ("Pty", "Nm"), ("Agt", "FinInstnId", "Nm")):
            if (name := text_of(party, *path)) is not None:
                return name
    return None


def _account(parties: Element | None, role: str) -> str | None:
    identity = find(parties, f"{role}Acct", "Id")
    return text_of(identity, "IBAN") or text_of(identity, "Othr", "Id")


def _structured_reference(remittance: Element | None) -> str | None:
    if remittance is None:
        return None
    references = (text_of(part, "CdtrRefInf", "Ref") for part in remittance.findall("Strd"))
    return next((reference for reference in references if reference), None)


def _text(transaction: Element, remittance: Element | None) -> str:
    lines = [] if remittance is None else [(line.text or "").strip() for line in remittance.findall("Ustrd")]
    return " ".join(filter(None, lines)) or text_of(transaction, "AddtlTxInf") or ""
