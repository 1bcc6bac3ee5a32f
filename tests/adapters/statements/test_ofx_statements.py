"""OFX 1 as SGML, OFX 2 as XML, and QFX, which is either with an addition of its own."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import MALFORMED_STATEMENT
from ledgercore.money import Money
from ledgercore.statements.statements import Balance, BalanceKind, Direction, Statement, StatementEntry
from ledgercore_statements import ofx_sgml
from ledgercore_statements.ofx import read_ofx
from ledgercore_statements.samples import sample_ofx

HEADERS = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:103\r\nENCODING:USASCII\r\nCHARSET:{charset}\r\n\r\n"
XML_HEADERS = '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE"?>\n'


def transaction(amount: str = "-12.30", *, more: str = "<NAME>Shop", kind: str = "DEBIT", on: str = "20260302") -> str:
    return f"<STMTTRN>\n<TRNTYPE>{kind}\n<DTPOSTED>{on}\n<TRNAMT>{amount}\n<FITID>F-1\n{more}\n</STMTTRN>\n"


def statement(*transactions: str, more: str = "", currency: str = "USD") -> str:
    return (
        f"<STMTTRNRS><TRNUID>1\n<STMTRS>\n<CURDEF>{currency}\n<BANKACCTFROM><BANKID>021000021<ACCTID>4711</BANKACCTFROM>\n"
        f"<BANKTRANLIST>\n{''.join(transactions)}</BANKTRANLIST>\n{more}</STMTRS></STMTTRNRS>\n"
    )


def sgml(*statements: str, charset: str = "1252", encoding: str = "cp1252") -> bytes:
    body = f"<OFX>\n<BANKMSGSRSV1>{''.join(statements)}</BANKMSGSRSV1>\n</OFX>\n"
    return (HEADERS.format(charset=charset) + body).encode(encoding)


def only_statement(data: bytes) -> Statement:
    [found] = read_ofx(data)
    return found


def only_entry(written: str) -> StatementEntry:
    [found] = only_statement(sgml(statement(written))).entries
    return found


def refusal_of(data: bytes) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        read_ofx(data)
    assert refused.value.reason is MALFORMED_STATEMENT
    assert refused.value.details["format"] == "ofx"
    return str(refused.value.details["position"]), str(refused.value.details["why"])


def read_or_refusal(data: bytes) -> tuple[Statement, ...] | ValidationError:
    try:
        return read_ofx(data)
    except ValidationError as error:
        return error


XML_STATEMENT = """<OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>USD</CURDEF>
<CCACCTFROM><ACCTID>4111</ACCTID></CCACCTFROM>
<BANKTRANLIST>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20260302120000.000[-5:EST]</DTPOSTED><TRNAMT>+10.00</TRNAMT>
<FITID>A</FITID><NAME>Müller &amp; Co</NAME><MEMO><![CDATA[a < b]]></MEMO></STMTTRN>
</BANKTRANLIST>
<BANKTRANLISTP><DTASOF>20260303</DTASOF><STMTTRNP><TRNTYPE>POS</TRNTYPE><DTTRAN>20260303</DTTRAN>
<TRNAMT>-3.00</TRNAMT><NAME>Bar</NAME></STMTTRNP></BANKTRANLISTP>
<LEDGERBAL><BALAMT>-25.50</BALAMT><DTASOF>20260331</DTASOF></LEDGERBAL>
<AVAILBAL><BALAMT>974.50</BALAMT><DTASOF>20260331</DTASOF></AVAILBAL>
</CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>"""


def test_a_credit_card_statement_of_ofx_2_is_read() -> None:
    found = only_statement((XML_HEADERS + XML_STATEMENT).encode())

    assert (found.format, found.account, found.currency) == ("ofx.220", "4111", "USD")
    assert found.opening is None
    assert [(each.kind, each.amount.minor) for each in found.balances] == [
        (BalanceKind.CLOSING, -2550),
        (BalanceKind.AVAILABLE, 97450),
    ]
    assert found.closing == found.balances[0]
    booked, pending = found.entries
    assert (booked.direction, booked.amount.minor, booked.booked_on) == (Direction.CREDIT, 1000, date(2026, 3, 2))
    assert (booked.counterparty, booked.text, booked.bank_id) == ("Müller & Co", "a < b", "A")
    assert (pending.is_pending, pending.booked_on, pending.value_on) == (True, None, date(2026, 3, 3))
    assert found.booked == (booked,)


@pytest.mark.parametrize("mark", ["", "\ufeff", "\r\n "])
def test_xml_may_have_marks_or_lines_before_it(mark: str) -> None:
    assert read_ofx((mark + XML_HEADERS + XML_STATEMENT).encode()) == read_ofx((XML_HEADERS + XML_STATEMENT).encode())


def test_a_bank_statement_of_ofx_1_is_read() -> None:
    balance = "<LEDGERBAL><BALAMT>100.00<DTASOF>20260331120000</LEDGERBAL>"

    found = only_statement(sgml(statement(transaction(), more=balance)))

    assert (found.format, found.account, found.currency, found.opening) == ("ofx.103", "4711", "USD", None)
    assert found.closing == Balance(kind=BalanceKind.CLOSING, amount=Money.of("100.00", "USD"), on=date(2026, 3, 31))
    [entry] = found.entries
    assert (entry.signed_minor, entry.booked_on, entry.value_on) == (-1230, date(2026, 3, 2), date(2026, 3, 2))
    assert (entry.bank_id, entry.code, entry.counterparty, entry.text) == ("F-1", "DEBIT", "Shop", "Shop")
    assert entry.position == "STMTTRN 1"


def test_tags_of_texts_may_be_closed_or_not_and_texts_may_be_empty() -> None:
    opened = transaction(more="<NAME>Shop\n<MEMO>Card\n<CHECKNUM>12\n")
    closed = transaction(more="<NAME>Shop</NAME><MEMO>Card</MEMO><CHECKNUM>12</CHECKNUM>")
    empty = transaction(more="<REFNUM>\n<NAME>Shop\n<INTU.X>\n<MEMO>Card\n<CHECKNUM>12\n<SIC>")
    shut = transaction(more="<REFNUM></REFNUM><NAME>Shop</NAME><memo>Card</memo><CHECKNUM>12")

    assert only_entry(opened) == only_entry(closed) == only_entry(empty) == only_entry(shut)
    assert (only_entry(opened).text, only_entry(opened).reference) == ("Card", "12")


def test_aggregates_within_an_entry_are_read() -> None:
    more = "<PAYEE>\n<NAME>Landlord\n<CITY>Bonn\n</PAYEE>\n<BANKACCTTO><BANKID>1<ACCTID>0815</BANKACCTTO>\n<MEMO>Rent"

    found = only_entry(transaction(more=more))

    assert (found.counterparty, found.counterparty_account, found.text) == ("Landlord", "0815", "Rent")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Fish &amp; Chips", "Fish & Chips"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("AT&T", "AT&T"),
        ("1 < 2", "1 < 2"),
        ("&#233;&#xE9;&nbsp;x", "éé x"),
        ("&#0;&#xD800;&#9999999;", "&#0;&#xD800;&#9999999;"),
        ("&unknown;", "&unknown;"),
        ("a\0b", "ab"),
    ],
)
def test_entities_stand_for_their_characters(written: str, read: str) -> None:
    assert only_entry(transaction(more=f"<MEMO>{written}")).text == read


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("1252", "cp1252"),
        ("1252", "utf-8"),
        ("1252", "utf-8-sig"),
        ("1252", "utf-16"),
        ("NONE", "utf-8"),
        ("NONE", "cp1252"),
        ("ISO-8859-1", "latin-1"),
        ("8859-15", "iso8859-15"),
        ("1250", "cp1250"),
        ("nonsense", "cp1252"),
    ],
)
def test_texts_keep_their_letters_in_any_encoding(charset: str, encoding: str) -> None:
    """Banks that declare Windows-1252 and write UTF-8 are common enough."""
    data = sgml(statement(transaction(more="<MEMO>Café Müller")), charset=charset, encoding=encoding)

    assert only_statement(data).entries[0].text == "Café Müller"


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        *(("12.3", 1230), ("+12.30", 1230), ("-.5", -50), ("-12,30", -1230), ("1,234.50", 123450)),
        *(("-1.234,50", -123450), ("0", 0), ("12.3000", 1230)),
    ],
)
def test_the_sign_tells_the_direction_and_comma_or_point_the_decimals(written: str, minor: int) -> None:
    assert only_entry(transaction(written, kind="OTHER")).signed_minor == minor


@pytest.mark.parametrize(
    ("kind", "amount", "is_warned"),
    [
        ("DEBIT", "1", True),
        ("CREDIT", "-1", True),
        ("DEBIT", "-1", False),
        ("CREDIT", "1", False),
        ("XFER", "1", False),
    ],
)
def test_a_type_that_contradicts_the_sign_is_a_warning(kind: str, amount: str, is_warned: bool) -> None:
    assert bool(only_entry(transaction(amount, kind=kind)).warnings) is is_warned


@pytest.mark.parametrize(
    "written",
    [
        "20260302",
        "202603022359",
        "20260302235959",
        "20260302235959.123",
        "20260302235959.123[-5:EST]",
        "20260302[+5.5:IST]",
    ],
)
def test_a_day_is_that_of_the_bank_whatever_its_time_zone(written: str) -> None:
    assert only_entry(transaction(on=written)).booked_on == date(2026, 3, 2)


def test_a_day_that_no_calendar_has_is_kept_with_a_warning() -> None:
    found = only_entry(transaction(on="20260230"))

    assert found.booked_on is None
    assert found.warnings == ("'20260230' is no date of the calendar",)


def test_an_amount_may_be_in_another_currency_than_the_account() -> None:
    converted = only_entry(transaction(more="<ORIGCURRENCY><CURRATE>1.1<CURSYM>EUR</ORIGCURRENCY>"))
    foreign = only_entry(transaction("-1000", more="<CURRENCY><CURRATE>0.01<CURSYM>JPY</CURRENCY>"))

    assert str(converted.amount) == "12.30 USD"
    assert str(foreign.amount) == "1000 JPY"


@pytest.mark.parametrize(("action", "counts"), [("REPLACE", True), ("DELETE", False)])
def test_a_correction_says_what_it_corrects(action: str, counts: bool) -> None:
    found = only_statement(sgml(statement(transaction(more=f"<CORRECTFITID>F-0\n<CORRECTACTION>{action}"))))

    assert found.entries[0].warnings == (f"it corrects 'F-0' ({action})",)
    assert len(found.booked) is int(counts)


def test_all_statements_and_identical_twins_are_kept() -> None:
    first, second = read_ofx(sgml(statement(transaction(), transaction()), statement(transaction(), currency="EUR")))

    assert (len(first.entries), first.entries[0].amount) == (2, first.entries[1].amount)
    assert (second.currency, second.entries[0].position) == ("EUR", "STMTTRN 3")


def test_quicken_adds_to_the_signon_and_reads_the_same() -> None:
    signon = b"<OFX>\n<SIGNONMSGSRSV1><SONRS><INTU.BID>3000\n<INTU.USERID>\n</SONRS></SIGNONMSGSRSV1>"
    plain = sgml(statement(transaction()))

    assert read_ofx(plain.replace(b"<OFX>", signon)) == read_ofx(plain)


@pytest.mark.parametrize(
    ("was", "put", "position", "why"),
    [
        ("-12.30", "", "STMTTRN 1", "there is no TRNAMT"),
        ("-12.30", "12.30.1", "STMTTRN 1", "is no amount of USD"),
        ("-12.30", "1,2345.00", "STMTTRN 1", "does not set off thousands"),
        ("-12.30", "12.345", "STMTTRN 1", "is no amount of USD"),
        ("-12.30", "USD 12", "STMTTRN 1", "is no amount"),
        ("20260302", "", "STMTTRN 1", "there is no DTPOSTED"),
        ("20260302", "2026-03-02", "STMTTRN 1", "'2026-03-02' is no date"),
        ("20260302", "20261302", "STMTTRN 1", "is no date"),
        ("USD", "", "STMTRS", "'' is no currency"),
        ("USD", "XYW", "STMTRS", "'XYW' is no currency"),
        ("</STMTRS>", "<LEDGERBAL><BALAMT>x</LEDGERBAL></STMTRS>", "LEDGERBAL", "is no amount"),
        ("</STMTTRN>", "", "line 20", "</BANKTRANLIST> before </STMTTRN>"),
        ("</BANKTRANLIST>", "", "line 21", "</STMTRS> before </BANKTRANLIST>"),
        ("</STMTRS>", "</STMTRS></STMTRS>", "line 21", "</STMTRS> closes nothing"),
        ("</BANKMSGSRSV1>\n</OFX>", "", "line 8", "the file ends before </BANKMSGSRSV1>"),
        ("</OFX>", "</OFX><OFX>", "line 23", "'OFX' stands after </OFX>"),
        ("<OFX>", "<X><OFX>", "line 7", "'X' stands before <OFX>"),
        ("<FITID>", "<A>" * 70, "line 17", "more than 64 deep"),
        ("STMTRS>", "INVSTMTRS>", "INVSTMTRS", "statements of investments are not read"),
        ("STMTRS>", "ELSE>", "OFX", "there is no statement"),
        ("<STMTRS>", "<STMTTRN></STMTTRN><STMTRS>", "OFX", "entries stand outside of a statement"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(was: str, put: str, position: str, why: str) -> None:
    data = sgml(statement(transaction())).decode()
    assert was in data

    found = refusal_of(data.replace(was, put).encode())

    assert found[0] == position
    assert why in found[1]


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"", "line 1"),
        (b"OFXHEADER:100", "line 1"),
        (b"<?xml version='1.0'?><QIF/>", "'QIF'"),
        (b"<?xml version='1.0'?><OFX>", "line 1, column 27"),
        (b"<?xml version='1.0'?><!DOCTYPE OFX><OFX/>", "line 1, column 35"),
        (b"\xff\xfe<\x00O\x00\x00\xd8", "byte 7"),
    ],
)
def test_what_is_no_ofx_is_refused(data: bytes, position: str) -> None:
    assert refusal_of(data)[0] == position


def test_a_large_file_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofx_sgml, "BYTES_MAX", 10)

    assert refusal_of(b"OFXHEADER:1") == ("byte 1", "11 bytes are more than 10")


def test_tags_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofx_sgml, "TAGS_MAX", 3)

    assert refusal_of(b"<OFX>\n<A>1\n<A>2\n</OFX>") == ("line 4", "there are more than 3 tags")


SAMPLE = sample_ofx(3)


@settings(max_examples=200, deadline=None)
@given(
    place=st.integers(0, len(SAMPLE)),
    cut=st.integers(0, 20),
    put=st.binary(max_size=8) | st.sampled_from([b"<", b"&", b"<STMTTRN>", b"</OFX>", b"</STMTTRN>"]),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, cut: int, put: bytes) -> None:
    outcome = read_or_refusal(SAMPLE[:place] + put + SAMPLE[place + cut :])

    if isinstance(outcome, ValidationError):
        assert outcome.reason is MALFORMED_STATEMENT
        assert outcome.details["position"]
    else:
        assert len(outcome) == 1
