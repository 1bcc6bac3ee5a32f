"""CAMT.052, 053 and 054 as banks write them, in the versions that differ."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import MALFORMED_STATEMENT
from ledgercore.money import Money, currency
from ledgercore.statements.statements import BalanceKind, Direction, Statement, StatementEntry
from ledgercore_statements.camt import read_camt
from ledgercore_statements.samples import sample_camt053

OWN = "DE89370400440532013000"
OTHER = "GB82WEST12345698765432"
EUR = currency("EUR")
MESSAGES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def balance(kind: str, amount: str, *, mark: str = "CRDT", code: str = "EUR", on: str = "2026-03-01") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='{code}'>{amount}</Amt>"
        f"<CdtDbtInd>{mark}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
    )


def entry(
    amount: str = "1.00",
    mark: str = "CRDT",
    *,
    status: str = "BOOK",
    version: int = 2,
    booked: str = "<Dt>2026-03-02</Dt>",
    more: str = "",
    details: str = "",
) -> str:
    written = status if version < 8 else f"<Cd>{status}</Cd>"
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>{more}<Sts>{written}</Sts>"
        f"<BookgDt>{booked}</BookgDt><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def statement(*entries: str, kind: str = "camt.053", balances: str = "", account: str = f"<IBAN>{OWN}</IBAN>") -> str:
    name = MESSAGES[kind][1]
    return f"<{name}><Id>S-1</Id><Acct><Id>{account}</Id></Acct>{balances}{''.join(entries)}</{name}>"


def message(*statements: str, kind: str = "camt.053", version: int = 2) -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{kind}.001.{version:02}"
    name = MESSAGES[kind][0]
    return f"<Document xmlns='{namespace}'><{name}>{''.join(statements)}</{name}></Document>".encode()


def only_statement(data: bytes) -> Statement:
    [found] = read_camt(data)
    return found


def only_entry(written: str, *, version: int = 2) -> StatementEntry:
    [found] = only_statement(message(statement(written), version=version)).entries
    return found


def parties(*, debtor: str, creditor: str) -> str:
    return f"<RltdPties>{debtor}{creditor}</RltdPties>"


def party(role: str, name: str, iban: str, *, version: int = 2) -> str:
    named = f"<Nm>{name}</Nm>"
    return (
        f"<{role}>{named if version < 8 else f'<Pty>{named}</Pty>'}</{role}>"
        f"<{role}Acct><Id><IBAN>{iban}</IBAN></Id></{role}Acct>"
    )


def refusal_of(data: bytes) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        read_camt(data)
    assert refused.value.reason is MALFORMED_STATEMENT
    return str(refused.value.details["position"]), str(refused.value.details["why"])


def read_or_refusal(data: bytes) -> tuple[Statement, ...] | ValidationError:
    try:
        return read_camt(data)
    except ValidationError as error:
        return error


@pytest.mark.parametrize("version", range(2, 9))
@pytest.mark.parametrize("kind", MESSAGES)
def test_every_version_of_each_message_is_read(kind: str, version: int) -> None:
    both = parties(
        debtor=party("Dbtr", "Payer", OTHER, version=version), creditor=party("Cdtr", "Payee", OWN, version=version)
    )
    data = message(
        statement(
            entry("12.30", version=version, details=f"<TxDtls>{both}</TxDtls>"),
            entry("0.30", "DBIT", status="PDNG", version=version),
            kind=kind,
            balances=balance("OPBD", "1.00") + balance("CLBD", "13.30"),
        ),
        kind=kind,
        version=version,
    )

    found = only_statement(data)

    assert found.format == f"{kind}.001.{version:02}"
    assert (found.account, found.currency, found.reference) == (OWN, "EUR", "S-1")
    assert found.difference == Money.zero(EUR)
    booked, pending = found.entries
    assert (booked.is_pending, pending.is_pending) == (False, True)
    assert (booked.counterparty, booked.counterparty_account) == ("Payer", OTHER)
    assert booked.booked_on == date(2026, 3, 2)
    assert pending.direction is Direction.DEBIT


@pytest.mark.parametrize(
    ("mark", "direction", "other"), [("CRDT", Direction.CREDIT, "Payee"), ("DBIT", Direction.DEBIT, "Payer")]
)
@pytest.mark.parametrize("told", ["true", "1", " true "])
def test_a_reversal_goes_the_way_that_its_own_mark_says(mark: str, direction: Direction, other: str, told: str) -> None:
    """A credit that is a reversal takes a debit back: it raises the account. Its parties are those of the original."""
    both = parties(debtor="<Dbtr><Nm>Payer</Nm></Dbtr>", creditor="<Cdtr><Nm>Payee</Nm></Cdtr>")

    found = only_entry(entry("5.00", mark, more=f"<RvslInd>{told}</RvslInd>", details=f"<TxDtls>{both}</TxDtls>"))

    assert (found.direction, found.is_reversal, found.counterparty) == (direction, True, other)
    assert found.signed_minor == 500 * direction.sign


def test_a_reversal_that_is_denied_is_none() -> None:
    assert not only_entry(entry(more="<RvslInd>false</RvslInd>")).is_reversal


def test_a_returned_transfer_comes_from_whom_it_went_to() -> None:
    both = parties(debtor=party("Dbtr", "Me", OWN), creditor=party("Cdtr", "Payee", OTHER))
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"

    found = only_entry(entry("5.00", "CRDT", details=f"<TxDtls>{both}{returned}</TxDtls>"))

    assert (found.counterparty, found.counterparty_account) == ("Payee", OTHER)


@pytest.mark.parametrize("mark", ["CRDT", "DBIT"])
def test_the_other_side_is_never_the_account_itself(mark: str) -> None:
    """Banks that keep the parties of the original without saying so are recognised by the account."""
    both = parties(debtor=party("Dbtr", "Me", OWN), creditor=party("Cdtr", "Other", OTHER))

    assert only_entry(entry("5.00", mark, details=f"<TxDtls>{both}</TxDtls>")).counterparty == "Other"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("<Dbtr><Pty><Nm>Deep</Nm></Pty></Dbtr>", "Deep"),
        ("<Dbtr><Agt><FinInstnId><Nm>Bank</Nm></FinInstnId></Agt></Dbtr>", "Bank"),
        ("<UltmtDbtr><Nm>Behind</Nm></UltmtDbtr>", "Behind"),
        ("<DbtrAcct><Id><Othr><Id> 4711 </Id></Othr></Id></DbtrAcct>", None),
        ("", None),
    ],
)
def test_a_name_is_found_where_it_stands(written: str, name: str | None) -> None:
    found = only_entry(entry(details=f"<TxDtls><RltdPties>{written}</RltdPties></TxDtls>"))

    assert found.counterparty == name
    assert found.counterparty_account == ("4711" if "4711" in written else None)


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_does_not_count(status: str) -> None:
    found = only_statement(message(statement(entry(status=status, version=8)), version=8))

    assert found.booked == ()
    assert bool(found.entries[0].warnings) is (status == "INFO")


def test_a_status_of_the_banks_own_is_not_taken_for_booked() -> None:
    written = entry(version=8).replace("<Cd>BOOK</Cd>", "<Prtry>DONE</Prtry>")

    found = only_entry(written, version=8)

    assert found.is_pending
    assert "'DONE'" in found.warnings[0]


def test_a_batch_has_its_transactions() -> None:
    amount = "<AmtDtls><TxAmt><Amt Ccy='EUR'>2</Amt></TxAmt></AmtDtls>"
    first = f"<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs>{amount}</TxDtls>"
    second = "<TxDtls><Refs><EndToEndId>B</EndToEndId></Refs><Amt Ccy='EUR'>4</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
    batch = "<Btch><PmtInfId>BATCH-7</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"

    found = only_entry(entry("2.00", "DBIT", details=batch + first + second))
    off = only_entry(entry("6.00", "DBIT", details=batch + first + second))

    assert [detail.end_to_end_id for detail in found.details] == ["A", "B"]
    assert [detail.amount and detail.amount.minor for detail in found.details] == [200, 400]
    assert found.reference == "BATCH-7"
    assert found.warnings == ("the transactions of the batch do not add up to its amount",)
    assert off.warnings == ()


def test_transactions_of_several_groups_and_directions_add_up() -> None:
    paid = "<TxDtls><Amt Ccy='EUR'>5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>"
    fee = "<TxDtls><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"

    found = only_entry(entry("4.00", details=f"{paid}</NtryDtls><NtryDtls>{fee}"))

    assert [detail.direction for detail in found.details] == [Direction.CREDIT, Direction.DEBIT]
    assert found.warnings == ()


def test_references_texts_and_codes_are_kept() -> None:
    details = (
        "<TxDtls><Refs><EndToEndId>E2E-1</EndToEndId><AcctSvcrRef>BANK-2</AcctSvcrRef></Refs>"
        "<BkTxCd><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd>"
        "<RmtInf><Ustrd>Invoice</Ustrd><Ustrd> 4711 </Ustrd><Strd/>"
        "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
    )

    found = only_entry(entry(more="<NtryRef>NOTPROVIDED</NtryRef>", details=details))

    [detail] = found.details
    assert detail.structured_reference == "RF18539007547034"
    assert (found.reference, found.bank_id, found.code, found.text) == ("E2E-1", "BANK-2", "NTRF+166", "Invoice 4711")
    assert detail.amount == found.amount


def test_codes_of_the_standard_and_texts_of_the_entry_come_first() -> None:
    more = (
        "<AcctSvcrRef>BANK-1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly>"
        "</Domn><Prtry><Cd>OWN</Cd></Prtry></BkTxCd><AddtlNtryInf>Transfer</AddtlNtryInf>"
    )

    found = only_entry(entry(more=more))

    assert (found.bank_id, found.code, found.text, found.details) == ("BANK-1", "PMNT-RCDT-ESCT", "Transfer", ())


def test_all_balances_are_kept_with_their_signs() -> None:
    balances = (
        balance("PRCD", "1.00")
        + balance("OPBD", "2.00", mark="DBIT")
        + balance("CLBD", "3.00", code="SEK")
        + balance("CLBD", "4.00", mark="DBIT", on="2026-03-31+01:00")
        + balance("XYZZ", "5.00")
    )

    found = only_statement(message(statement(entry("2", "DBIT"), balances=balances)))

    assert [each.kind for each in found.balances] == [
        BalanceKind.PREVIOUS,
        BalanceKind.OPENING,
        BalanceKind.CLOSING,
        BalanceKind.CLOSING,
        BalanceKind.INFORMATION,
    ]
    assert found.opening == found.balances[1]
    assert found.closing == found.balances[3]
    assert found.closing.amount.minor == -400
    assert found.closing.on == date(2026, 3, 31)
    assert found.difference == Money.zero(EUR)
    assert found.warnings == ("'XYZZ' is no balance that is known; it is kept as information",)


def test_a_page_of_a_statement_closes_by_its_interim_balances() -> None:
    page = balance("ITBD", "1.00") + balance("ITBD", "2.00")
    first, middle, last = read_camt(
        message(
            statement(entry(), balances=balance("OPBD", "0.00") + balance("ITBD", "1.00")),
            statement(entry(), balances=page),
            statement(entry(), balances=balance("ITBD", "2.00") + balance("CLBD", "3.00")),
        )
    )

    assert [each.difference for each in (first, middle, last)] == [Money.zero(EUR)] * 3


def test_a_report_during_the_day_is_not_closed_by_an_interim_balance() -> None:
    report = statement(entry(), kind="camt.052", balances=balance("ITBD", "9.00"))

    found = only_statement(message(report, kind="camt.052"))

    assert (found.opening, found.closing) == (None, None)


def test_every_statement_of_a_message_is_read_in_order() -> None:
    other = "<Othr><Id>4711</Id></Othr>"

    first, second = read_camt(message(statement(entry(), entry("2")), statement(entry("3"), account=other)))

    assert [each.account for each in (first, second)] == [OWN, "4711"]
    assert [each.position for each in (*first.entries, *second.entries)] == [
        "Stmt 1 Ntry 1",
        "Stmt 1 Ntry 2",
        "Stmt 2 Ntry 1",
    ]


def test_a_statement_without_entries_is_one() -> None:
    found = only_statement(message(statement(balances=balance("OPBD", "1") + balance("CLBD", "1"))))

    assert (found.entries, found.difference) == ((), Money.zero(EUR))


def test_identical_twins_are_both_kept() -> None:
    found = only_statement(message(statement(entry(), entry())))

    assert len(found.entries) == 2


def test_a_day_that_no_calendar_has_is_kept_with_a_warning() -> None:
    found = only_entry(entry(booked="<Dt>2026-02-30</Dt>"))

    assert found.booked_on is None
    assert found.warnings == ("'2026-02-30' is no date of the calendar",)


def test_a_time_is_of_the_day_that_the_bank_writes() -> None:
    assert only_entry(entry(booked="<DtTm>2026-03-02T23:59:59.123+02:00</DtTm>")).booked_on == date(2026, 3, 2)


def test_prefixes_and_missing_namespaces_make_no_difference() -> None:
    plain = message(statement(entry()), version=8)
    prefixed = plain.replace(b"<", b"<c:").replace(b"<c:/", b"</c:").replace(b"xmlns=", b"xmlns:c=")
    bare = plain.replace(b" xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'", b"")

    assert read_camt(prefixed) == read_camt(plain)
    assert only_statement(bare).format == "camt.053"
    assert only_statement(bare).entries == only_statement(plain).entries


@pytest.mark.parametrize(
    ("was", "put", "position", "why"),
    [
        ("<Amt Ccy='EUR'>1.00</Amt>", "", "Stmt 1 Ntry 1", "there is no amount"),
        ("1.00", "1.001", "Stmt 1 Ntry 1", "'1.001' is no amount of EUR"),
        ("1.00", "1,00", "Stmt 1 Ntry 1", "is no amount of EUR"),
        ("1.00", "-1.00", "Stmt 1 Ntry 1", "'-1.00' is no amount: which way"),
        ("1.00", "", "Stmt 1 Ntry 1", "is no amount"),
        ("'EUR'", "'ZZZ'", "Stmt 1 Ntry 1", "'ZZZ' is no currency"),
        (" Ccy='EUR'", "", "Stmt 1 Ntry 1", "'' is no currency"),
        ("CRDT", "CREDIT", "Stmt 1 Ntry 1", "'CREDIT' is neither CRDT nor DBIT"),
        ("<CdtDbtInd>CRDT</CdtDbtInd>", "", "Stmt 1 Ntry 1", "there is no CdtDbtInd"),
        ("<Sts>BOOK</Sts>", "", "Stmt 1 Ntry 1", "there is no status"),
        ("2026-03-02", "02.03.2026", "Stmt 1 Ntry 1", "'02.03.2026' is no date"),
        ("2026-03-02", "2026-13-02", "Stmt 1 Ntry 1", "is no date"),
        ("<TxDtls/>", "<TxDtls><Amt Ccy='EUR'>x</Amt></TxDtls>", "Stmt 1 Ntry 1", "'x' is no amount"),
        ("<TxDtls/>", "<TxDtls><CdtDbtInd>x</CdtDbtInd></TxDtls>", "Stmt 1 Ntry 1", "neither CRDT nor DBIT"),
        ("001.02", "001.01", "Stmt 1", "version 1 of the message is not one of 2 to 8"),
        ("001.02", "001.09", "Stmt 1", "version 9 of the message"),
        ("camt.053", "camt.052", "Stmt 1", "does not stand in a message camt.052"),
        ("camt.053", "pain.001", "Stmt 1", "does not stand in a message pain.001"),
        ("Stmt>", "Rpt>", "Rpt", "it stands in BkToCstmrRpt"),
        ("<CdtDbtInd>", "<Amt Ccy='EUR'>2</Amt><CdtDbtInd>", "Stmt 1 Ntry 1", "there is more than one amount"),
        ("<Acct>", "<Ntry/><Bad>", "Stmt 1 Ntry 1", "there is no"),
        ("</Acct>", "</Acct><X><Ntry/></X>", "X", "an entry stands outside of a statement"),
    ],
)  # fmt: skip
def test_a_malformed_message_is_refused_with_its_place(was: str, put: str, position: str, why: str) -> None:
    data = message(statement(entry(details="<TxDtls/>"))).decode()
    assert was in data

    found = refusal_of(data.replace(was, put).encode())

    assert found[0] == position
    assert why in found[1]


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"<Document/>", "Document"),
        (b"<Ntry/>", ""),
        (b"<Stmt/>", "Stmt"),
        (message(statement(entry()))[:-20], "line 1, column "),
        (b"not XML", "line 1, column 1"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, position: str) -> None:
    assert refusal_of(data)[0].startswith(position)


def test_a_fault_at_the_end_leaves_nothing() -> None:
    """The first statement is right, but a file is read as a whole or not at all."""
    assert refusal_of(message(statement(entry()), statement(entry("x"))))[0] == "Stmt 2 Ntry 1"


SAMPLE = sample_camt053(3)


@settings(max_examples=200, deadline=None)
@given(
    place=st.integers(0, len(SAMPLE)), cut=st.integers(0, 20), put=st.binary(max_size=8) | st.sampled_from([b"<", b"&"])
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, cut: int, put: bytes) -> None:
    outcome = read_or_refusal(SAMPLE[:place] + put + SAMPLE[place + cut :])

    if isinstance(outcome, ValidationError):
        assert outcome.reason is MALFORMED_STATEMENT
        assert outcome.details["position"]
    else:
        assert [len(found.entries) for found in outcome] == [3]
