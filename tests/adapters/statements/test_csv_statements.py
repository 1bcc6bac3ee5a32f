"""CSV files of banks: dialects that are known, dialects that are declared, and files that fit none."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.statements.statements import Direction, StatementEntry
from ledgercore_statements.csv_banks import DIALECTS
from ledgercore_statements.csv_dialects import Dialect, read_dialect
from ledgercore_statements.csv_statements import find_dialect, read_csv

PLAIN = Dialect(
    name="plain", booked_on="Date", amount="Amount", currency="EUR", thousands=",", text=("Text",), delimiter=";"
)
HEADER = "Date;Amount;Text\n"


def entries_of(text: str, dialect: Dialect = PLAIN) -> list[StatementEntry]:
    return [entry for statement in read_csv(text.encode(), dialect) for entry in statement.entries]


def refusal_of(data: str | bytes, dialect: Dialect = PLAIN) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        read_csv(data.encode() if isinstance(data, str) else data, dialect)
    assert refused.value.code == "malformed_statement"
    return refused.value


EXPORTS = {
    "comdirect": (
        ';\r\n"Umsätze Girokonto";"Zeitraum: 30 Tage";\r\n"Neuer Kontostand";"1.234,56 EUR";\r\n\r\n'
        '"Buchungstag";"Wertstellung (Valuta)";"Vorgang";"Buchungstext";"Umsatz in EUR";\r\n'
        '"offen";"05.01.2024";"Kartenverfügung";"Buchungstext: Bäcker";"-3,10";\r\n'
        '"04.01.2024";"04.01.2024";"Lastschrift";"Miete";"-1.200,00";\r\n'
        '\r\n"Alter Kontostand";"2.434,56 EUR";\r\n',
        [("DEBIT", 310, None, True), ("DEBIT", 120_000, date(2024, 1, 4), False)],
    ),
    "dkb": (
        '"Girokonto";"DE02120300000000202051"\n"Kontostand vom 05.01.2024:";"100,00 €"\n""\n'
        '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";'
        '"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID";"Mandatsreferenz";"Kundenreferenz"\n'
        '"05.01.24";"";"Vorgemerkt";"Ich";"Laden";"Einkauf";"Ausgang";"DE1";"-12,5";"";"";""\n'
        '"04.01.24";"04.01.24";"Gebucht";"Firma";"Ich";"Gehalt";"Eingang";"DE2";"1.000";"";"";"R-1"\n',
        [("DEBIT", 1_250, date(2024, 1, 5), True), ("CREDIT", 100_000, date(2024, 1, 4), False)],
    ),
    "ing-at": (
        "IBAN;Text;Valutadatum;Währung;Soll;Haben\nAT1;Bäcker;31.12.2023;EUR;3,10;0,00\nAT1;Storno;2.1.2024;EUR;-3,10;\n",
        [("DEBIT", 310, date(2023, 12, 31), False), ("CREDIT", 310, date(2024, 1, 2), False)],
    ),
    "ing-nl": (
        '"Datum","Naam / Omschrijving","Rekening","Tegenrekening","Code","Af Bij","Bedrag (EUR)","MutatieSoort",'
        '"Mededelingen"\n"20240104","Winkel","NL1","NL2","BA","Af","1.003,10","Betaalautomaat","Pas"\n'
        '"20240105","Baas","NL1","NL3","OV","Bij","5,00","Overschrijving","Loon"\n',
        [("DEBIT", 100_310, date(2024, 1, 4), False), ("CREDIT", 500, date(2024, 1, 5), False)],
    ),
    "monzo": (
        "Transaction ID,Date,Time,Type,Name,Emoji,Category,Amount,Currency,Local amount,Local currency,"
        "Notes and #tags,Address,Receipt,Description,Category split,Money Out,Money In\n"
        'tx_1,04/01/2024,12:00:00,Card payment,Shop,,Groceries,-3.10,GBP,-3.10,GBP,#food,"1, Road",,SHOP,,-3.10,\n',
        [("DEBIT", 310, date(2024, 1, 4), False)],
    ),
    "n26-2022": (
        "Date;Payee;Payee;Transaction type;Payment reference;Amount (EUR);Amount (Foreign Currency)\n"
        "2024-01-04;Shop;DE1;MasterCard Payment;;-8.4;-8.4\n2024-01-05;Boss;;Income;Pay;0.74;\n",
        [("DEBIT", 840, date(2024, 1, 4), False), ("CREDIT", 74, date(2024, 1, 5), False)],
    ),
    "n26-2024": (
        '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name",'
        '"Amount (EUR)","Original Amount","Original Currency","Exchange Rate"\n'
        "2024-01-04,2024-01-03,Shop,DE1,Presentment,,Main,-8.40,8.40,EUR,1\n",
        [("DEBIT", 840, date(2024, 1, 4), False)],
    ),
    "revolut": (
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n"
        "TRANSFER,Current,2024-01-03 09:00:00,2024-01-04 10:00:01,To Bob,-10.00,0.50,EUR,COMPLETED,89.50\n"
        "CARD_PAYMENT,Current,2024-01-05 09:00:00,,Shop,-5.00,0.00,EUR,PENDING,\n"
        "CARD_PAYMENT,Current,2024-01-05 09:00:00,,Shop,-6.00,0.00,EUR,REVERTED,\n",
        [("DEBIT", 1_050, date(2024, 1, 4), False), ("DEBIT", 500, None, True)],
    ),
    "sparkasse-camt": (
        '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";'
        '"Mandatsreferenz";"Kundenreferenz (End-to-End)";"Sammlerreferenz";"Lastschrift Ursprungsbetrag";'
        '"Auslagenersatz Ruecklastschrift";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";'
        '"Betrag";"Waehrung";"Info"\n'
        '"DE1";"04.01.24";"04.01.24";"LASTSCHRIFT";"Strom";"";"";"E-1";"";"";"";"Werk";"DE2";"X";"-50,00";"EUR";'
        '"Umsatz gebucht"\n'
        '"DE1";"05.01.24";"05.01.24";"KARTE";"Laden";"";"";"";"";"";"";"Laden";"DE3";"X";"-1,00";"EUR";'
        '"Umsatz vorgemerkt"\n',
        [("DEBIT", 5_000, date(2024, 1, 4), False), ("DEBIT", 100, date(2024, 1, 5), True)],
    ),
    "wise": (
        "TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,Payer Name,Payee Name,"
        "Payee Account Number,Merchant\n"
        "T-1,04-01-2024,-3.10,USD,Sent,REF,96.90,,Bob,US1,\nT-2,05-01-2024,1.00,GBP,Received,,1.00,Ann,,,\n",
        [("DEBIT", 310, date(2024, 1, 4), False), ("CREDIT", 100, date(2024, 1, 5), False)],
    ),
}


def test_every_bank_has_an_export_to_read() -> None:
    assert EXPORTS.keys() == DIALECTS.keys()


@pytest.mark.parametrize("name", EXPORTS)
def test_the_export_of_a_bank_is_recognised_and_read(name: str) -> None:
    text, expected = EXPORTS[name]
    dialect = DIALECTS[name]
    data = text.encode(dialect.encoding)

    entries = [entry for statement in read_csv(data, dialect) for entry in statement.entries]

    assert find_dialect(data) is dialect
    assert [
        (entry.direction.value, entry.amount.minor, entry.booked_on, entry.is_pending) for entry in entries
    ] == expected


def test_the_other_side_is_who_paid_or_who_was_paid() -> None:
    text, _ = EXPORTS["dkb"]

    going_out, coming_in = entries_of(text, DIALECTS["dkb"])

    assert (going_out.counterparty, coming_in.counterparty) == ("Laden", "Firma")
    assert (coming_in.counterparty_account, coming_in.reference) == ("DE2", "R-1")


def test_each_account_and_currency_has_a_statement() -> None:
    dialect = Dialect(name="both", booked_on="Date", amount="Amount", currency_column="In", account="Of")

    read = read_csv(
        b"Of,Date,Amount,In\nA,2024-01-01,1,EUR\nB,2024-01-02,2,EUR\nA,2024-01-03,3,EUR\nA,2024-01-04,4,JPY\n", dialect
    )

    assert [(found.format, found.account, found.currency, len(found.entries)) for found in read] == [
        ("csv:both", "A", "EUR", 2),
        ("csv:both", "B", "EUR", 1),
        ("csv:both", "A", "JPY", 1),
    ]
    assert all(found.opening is None and found.difference is None for found in read)


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1", 100),
        ("+1.5", 150),
        ("-1.50", -150),
        ("1.50-", -150),
        ("(1.50)", -150),
        ("\N{MINUS SIGN}1.50", -150),
        ("1,234,567.8", 123_456_780),
        (".5", 50),
        ("1.500", 150),
        (" 7. ", 700),
        ("0", 0),
    ],
)
def test_amounts_are_read_exactly(written: str, minor: int) -> None:
    [entry] = entries_of(f"{HEADER}2024-01-01;{written};x\n")

    assert entry.signed_minor == minor


@pytest.mark.parametrize(
    "written", ["1,50", "1,2345.00", ",1", "1.505", "x", "--1", "1e5", "1.2.3", "\u0661", "9" * 50]
)
def test_an_amount_that_the_dialect_does_not_write_is_refused(written: str) -> None:
    """A German amount read by an English dialect would be a hundred times too large."""
    refused = refusal_of(f"{HEADER}2024-01-01;1;x\n2024-01-01;{written};x\n")

    assert refused.details["position"] == "line 3"
    assert refused.details["format"] == "csv:plain"


def test_the_signs_of_a_credit_card_are_turned_round() -> None:
    card = Dialect(name="card", booked_on="Date", amount="Amount", currency="EUR", charges_are_positive=True)

    charge, refund = entries_of("Date,Amount\n2024-01-01,9.99\n2024-01-02,-9.99\n", card)

    assert (charge.direction, refund.direction) == (Direction.DEBIT, Direction.CREDIT)


def test_debits_may_carry_a_minus_sign_of_their_own() -> None:
    dialect = Dialect(name="two", booked_on="D", debit="Out", credit="In", currency="EUR", debits_are_negative=True)

    out, back = entries_of("D,Out,In\n2024-01-01,-5,\n2024-01-02,,5\n", dialect)

    assert (out.signed_minor, back.signed_minor) == (-500, 500)


@pytest.mark.parametrize(
    ("date_format", "written", "expected"),
    [
        ("%d.%m.%y", "1.2.24", date(2024, 2, 1)),
        ("%d %b %Y", "01 FEB 2024", date(2024, 2, 1)),
        ("%Y-%m-%d %H:%M:%S.%f", "2024-02-01 10:11:12.000001", date(2024, 2, 1)),
        ("%m/%d/%y", "02/01/99", date(1999, 2, 1)),
    ],
)
def test_dates_are_read_by_the_declared_format(date_format: str, written: str, expected: date) -> None:
    dialect = Dialect(name="d", booked_on="Date", amount="Amount", currency="EUR", date_format=date_format)

    [entry] = entries_of(f"Date,Amount\n{written},1\n", dialect)

    assert entry.booked_on == expected


def test_an_impossible_date_is_kept_as_a_warning() -> None:
    [entry] = entries_of(f"{HEADER}2024-02-30;1;x\n")

    assert entry.booked_on is None
    assert entry.warnings == ("'2024-02-30' is no date of the calendar",)


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        ("", "line 1", "no header with Date, Amount, Text"),
        ("Date;Sum;Text\n" * 60, "line 1", "no header"),
        (HEADER + "2024-01-01;1\n", "line 2", "2 cells, but the header has 3"),
        (HEADER + "2024-01-01;1;a;b\n", "line 2", "4 cells, but the header has 3"),
        (HEADER + "01.01.2024;1;x\n", "line 2", "no date of the form %Y-%m-%d"),
        (HEADER + "2024-13-01;1;x\n", "line 2", "month 13"),
        (HEADER + ";1;x\n", "line 2", "Date is empty"),
        (HEADER + "2024-01-01;;x\n", "line 2", "Amount is empty"),
        (HEADER + '2024-01-01;1;"x\n', "line 2", "unexpected end of data"),
        (HEADER + f"2024-01-01;1;{'x' * 200_000}\n", "line 2", "field larger"),
    ],
)
def test_a_malformed_file_is_refused_with_the_line(text: str, position: str, why: str) -> None:
    refused = refusal_of(text)

    assert refused.details["position"] == position
    assert why in str(refused.details["why"])


@pytest.mark.parametrize(("out", "into", "why"), [("1", "1", "both"), ("", "", "neither"), ("x", "", "no amount")])
def test_a_row_lowers_or_raises_the_account(out: str, into: str, why: str) -> None:
    dialect = Dialect(name="two", booked_on="D", debit="Out", credit="In", currency="EUR")

    refused = refusal_of(f"D,Out,In\n2024-01-01,{out},{into}\n", dialect)

    assert why in str(refused.details["why"])


def test_an_unknown_currency_is_refused_with_the_line() -> None:
    dialect = Dialect(name="c", booked_on="D", amount="A", currency_column="C")

    assert refusal_of("D,A,C\n2024-01-01,1,XQQ\n", dialect).details["position"] == "line 2"


def test_bytes_that_the_declared_encoding_cannot_read_are_refused() -> None:
    dialect = Dialect(name="old", booked_on="D", amount="A", currency="EUR", encoding="cp1252")

    assert refusal_of(b"D,A\n2024-01-01,\x81\n", dialect).details["position"] == "byte 16"


def test_a_file_that_was_saved_again_as_utf_8_is_read_as_such() -> None:
    [statement] = read_csv("\ufeff".encode() + EXPORTS["ing-at"][0].encode(), DIALECTS["ing-at"])

    assert statement.entries[0].text == "Bäcker"


def test_utf_16_can_be_declared() -> None:
    dialect = Dialect(name="wide", booked_on="D", amount="A", currency="EUR", encoding="utf-16")

    [statement] = read_csv("D,A\n2024-01-01,1\n".encode("utf-16"), dialect)

    assert len(statement.entries) == 1
    assert refusal_of("D,A\n".encode("utf-16")[:-1], dialect).details["position"] == "byte 9"


def test_lines_before_the_header_can_be_declared() -> None:
    dialect = Dialect(name="l", booked_on="D", amount="A", currency="EUR", lines_before_header=1, delimiter="\t")

    assert len(entries_of("D\tA\nD\tA\n2024-01-01\t1\n", dialect)) == 1


DECLARED = {
    "name": "my-bank",
    "booked_on": "Tag",
    "debit": "Soll",
    "credit": "Haben",
    "currency": "EUR",
    "text": ["Zweck", "Notiz"],
    "footers": "Summe",
    "delimiter": "|",
    "decimal": ",",
    "date_format": "%d.%m.%Y",
    "lines_before_header": 1,
    "debits_are_negative": False,
}
TOML = """
name = "my-bank"
booked_on = "Tag"
debit = "Soll"
credit = "Haben"
currency = "EUR"
text = ["Zweck", "Notiz"]
footers = "Summe"
delimiter = "|"
decimal = ","
date_format = "%d.%m.%Y"
lines_before_header = 1
debits_are_negative = false
"""


@pytest.mark.parametrize("document", [json.dumps(DECLARED), TOML])
def test_a_dialect_can_be_declared(document: str) -> None:
    dialect = read_dialect(document.encode())

    [entry] = entries_of("My bank\nTag|Soll|Haben|Zweck|Notiz\n01.02.2024|1,50||Rent|late\nSumme|1,50|||\n", dialect)

    assert (entry.signed_minor, entry.booked_on, entry.text) == (-150, date(2024, 2, 1), "Rent late")


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"colour": "red"}, "colour", "a dialect has name, booked_on"),
        ({"name": None}, "name", "a text"),
        ({"name": ""}, "name", "has a name"),
        ({"text": [1]}, "text", "a text or a list of texts"),
        ({"debits_are_negative": 1}, "debits_are_negative", "true or false"),
        ({"lines_before_header": True}, "lines_before_header", "a whole number"),
        ({"lines_before_header": -1}, "lines_before_header", "0 to 1000"),
        ({"amount": "Betrag"}, "amount", "either"),
        ({"currency_column": "In"}, "currency", "either"),
        ({"currency": "XQQ"}, "currency", "no currency"),
        ({"direction": "Af Bij"}, "direction", "goes with"),
        ({"pending_words": ["open"]}, "status", "the column"),
        ({"encoding": "rot13"}, "encoding", "one of"),
        ({"delimiter": "||"}, "delimiter", "one character"),
        ({"quote": "|"}, "quote", "another character"),
        ({"thousands": ","}, "thousands", "other than"),
        ({"date_format": "%d.%m"}, "date_format", "%Y or %y exactly once"),
        ({"date_format": "%d.%m.%Q"}, "date_format", "%Q is none of"),
    ],
)
def test_a_bad_dialect_is_refused_by_the_name_of_its_fault(change: dict[str, object], field: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_dialect(json.dumps({**DECLARED, **change}).encode())

    assert refused.value.code == "invalid_argument"
    assert refused.value.details["field"] == field
    assert why in str(refused.value.details["why"])


@pytest.mark.parametrize("document", [b"{", b"name = ", b"\xff", b"[" * 100_000, b"{" + b'"a":{' * 100_000])
def test_what_is_neither_json_nor_toml_is_no_dialect(document: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        read_dialect(document)

    assert refused.value.code == "invalid_argument"


def test_a_dialect_needs_a_name_and_the_booking_date() -> None:
    with pytest.raises(ValidationError) as refused:
        read_dialect(b'name = "x"')

    assert refused.value.details["field"] == "booked_on"


def test_a_header_that_fits_no_bank_is_not_recognised() -> None:
    assert find_dialect(b"Date;Amount;Text\n") is None
    assert find_dialect(b'"Date\n') is None


def test_the_header_is_found_in_the_first_part_of_a_long_file() -> None:
    text, _ = EXPORTS["ing-at"]

    assert find_dialect((text + "AT1;x;2.1.2024;EUR;1,00;\n" * 4_000).encode()) is DIALECTS["ing-at"]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), name=st.sampled_from(["comdirect", "revolut", "ing-at"]))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject, name: str) -> None:
    dialect = DIALECTS[name]
    damaged = bytearray(EXPORTS[name][0].encode(dialect.encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        read = read_csv(bytes(damaged), dialect)
    except ValidationError as refused:
        code = refused.code
    else:
        code = "malformed_statement" if all(statement.entries for statement in read) else "empty"

    assert code == "malformed_statement"
