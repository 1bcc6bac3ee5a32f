"""MT940 and MT942: what the standard says, and what banks make of it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.statements.statements import BalanceKind, Direction, Statement, StatementEntry
from ledgercore_statements.mt94x import read_mt94x

HEAD = ":20:REF1\n:25:DE02120300000000202051\n:28C:7/1\n:60F:C240101EUR100,00\n"
TAIL = ":62F:C240131EUR100,00\n-\n"


def statement_of(*fields: str, head: str = HEAD, tail: str = TAIL) -> Statement:
    [statement] = read_mt94x((head + "".join(f"{field}\n" for field in fields) + tail).encode())
    return statement


def entry_of(*fields: str) -> StatementEntry:
    [entry] = statement_of(*fields).entries
    return entry


def refusal_of(text: str) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        read_mt94x(text.encode())
    assert refused.value.code == "malformed_statement"
    return refused.value


def test_a_statement_with_its_balances_and_entries_closes() -> None:
    statement = statement_of(
        ":61:2401020103D30,50NTRFRENT//B1",
        ":86:Rent of January",
        ":61:240131C5,NINTNONREF",
        tail=":62F:C240131EUR74,50\n:64:C240131EUR70,\n:65:C240201EUR71,\n:65:C240202EUR72,\n-\n",
    )

    assert (statement.format, statement.account, statement.currency) == ("mt940", "DE02120300000000202051", "EUR")
    assert (statement.reference, statement.number) == ("REF1", "7/1")
    assert statement.difference is not None
    assert statement.difference.is_zero
    assert [(balance.kind, balance.amount.minor, balance.on) for balance in statement.balances] == [
        (BalanceKind.OPENING, 10_000, date(2024, 1, 1)),
        (BalanceKind.CLOSING, 7_450, date(2024, 1, 31)),
        (BalanceKind.AVAILABLE, 7_000, date(2024, 1, 31)),
        (BalanceKind.FORWARD_AVAILABLE, 7_100, date(2024, 2, 1)),
        (BalanceKind.FORWARD_AVAILABLE, 7_200, date(2024, 2, 2)),
    ]
    rent, interest = statement.entries
    assert (rent.value_on, rent.booked_on, rent.position) == (date(2024, 1, 2), date(2024, 1, 3), "line 5")
    assert (rent.code, rent.reference, rent.bank_id, rent.text) == ("NTRF", "RENT", "B1", "Rent of January")
    assert (interest.booked_on, interest.reference, interest.bank_id) == (date(2024, 1, 31), None, None)


@pytest.mark.parametrize(
    ("mark", "direction", "is_reversal", "is_pending"),
    [
        ("C", Direction.CREDIT, False, False),
        ("D", Direction.DEBIT, False, False),
        ("d", Direction.DEBIT, False, False),
        ("RC", Direction.DEBIT, True, False),
        ("RD", Direction.CREDIT, True, False),
        ("EC", Direction.CREDIT, False, True),
        ("ED", Direction.DEBIT, False, True),
        # A letter after the mark is a funds code, the third of the currency: EUR here.
        ("DR", Direction.DEBIT, False, False),
        ("CR", Direction.CREDIT, False, False),
        ("RDR", Direction.CREDIT, True, False),
        ("CD", Direction.CREDIT, False, False),
    ],
)
def test_the_mark_tells_the_direction(mark: str, direction: Direction, is_reversal: bool, is_pending: bool) -> None:
    entry = entry_of(f":61:2401020102{mark}800,NMSCNONREF")

    assert (entry.direction, entry.is_reversal, entry.is_pending) == (direction, is_reversal, is_pending)
    assert entry.amount.minor == 80_000


@pytest.mark.parametrize(
    ("line", "booked_on"),
    [
        ("2312310102C1,NMSCA", date(2024, 1, 2)),
        ("2401021231C1,NMSCA", date(2023, 12, 31)),
        ("240229    C1,NMSCA", date(2024, 2, 29)),
        ("991231C1,NMSCA", date(1999, 12, 31)),
    ],
)
def test_the_year_of_an_entry_date_is_the_nearest(line: str, booked_on: date) -> None:
    assert entry_of(f":61:{line}").booked_on == booked_on


@pytest.mark.parametrize(
    ("line", "value_on", "booked_on"),
    [
        ("2402280230C1,NMSCA", date(2024, 2, 28), None),
        ("240231C1,NMSCA", None, None),
        ("2402300301C1,NMSCA", None, date(2024, 3, 1)),
        # 2023 has no 29 February, and that of 2024 is a year away.
        ("2303010229C1,NMSCA", date(2023, 3, 1), None),
    ],
)
def test_an_impossible_date_is_kept_as_a_warning(line: str, value_on: date | None, booked_on: date | None) -> None:
    entry = entry_of(f":61:{line}")

    assert (entry.value_on, entry.booked_on) == (value_on, booked_on)
    assert len(entry.warnings) == 1
    assert "no date of the calendar" in entry.warnings[0]


def test_an_impossible_date_of_a_balance_is_a_warning_of_the_statement() -> None:
    statement = statement_of(tail=":62F:C240231EUR100,00\n-\n")

    assert statement.closing is not None
    assert statement.closing.on is None
    assert statement.warnings == ("line 5: 240231 is no date of the calendar",)


def test_identical_twins_are_two_entries() -> None:
    twin = (":61:2401020102D9,99NMSCCOFFEE//SAME", ":86:Coffee")

    statement = statement_of(*twin, *twin)

    assert [entry.amount.minor for entry in statement.entries] == [999, 999]
    assert [entry.position for entry in statement.entries] == ["line 5", "line 7"]


def test_all_statements_of_a_file_are_read_with_and_without_envelopes() -> None:
    """Envelopes may follow one another on a line, and another account may begin without a new reference."""
    file = (
        "\x01{1:F01BANK}{2:I940BANK}{4:\r\n:20:A\r\n:25:ONE\r\n:28C:1\r\n:60F:C240101EUR1,\r\n:62F:C240101EUR1,\r\n"
        "-}{1:F01BANK}{2:I940BANK}{4:\r\n:20:B\r\n:25:TWO\r\n:28C:1\r\n:60M:D240101CHF1,\r\n:62M:D240101CHF1,\r\n"
        ":25:THREE\r\n:28C:1\r\n:60F:C240101JPY7,00\r\n:62F:C240101JPY7,00\r\n-}{5:{MAC:0}}\r\n"
    )

    read = read_mt94x(file.encode())

    assert [(found.reference, found.account, found.currency) for found in read] == [
        ("A", "ONE", "EUR"),
        ("B", "TWO", "CHF"),
        ("B", "THREE", "JPY"),
    ]
    assert read[1].opening is not None
    assert (read[1].opening.kind, read[1].opening.amount.minor) == (BalanceKind.INTERIM, -100)
    assert read[2].opening is not None
    assert read[2].opening.amount.minor == 7


def test_lines_around_the_messages_are_passed_over() -> None:
    [statement] = read_mt94x(
        f"ABNANL2A\n940\n:940:\n{HEAD}\n{TAIL[:-2]}:86:End of month\nfor everyone\n-XXX\n".encode()
    )

    assert statement.entries == ()


def test_an_interim_report_has_no_balances() -> None:
    [report] = read_mt94x(
        b":20:R\n:25:ACC\n:28C:1/1\n:34F:PLND0,\n:34F:PLNC0,\n:13D:2401021815+0100\n"
        b":61:2401020102CN0,01NTRFNONREF//M1\n:86:Small\n:90D:0PLN0,00\n:90C:1PLN0,01\n-\n"
    )

    assert (report.format, report.currency, report.opening, report.closing) == ("mt942", "PLN", None, None)
    assert report.difference is None
    assert [entry.amount.minor for entry in report.entries] == [1]


def test_a_currency_that_the_euro_replaced_is_read() -> None:
    [statement] = read_mt94x(b":20:R\n:25:ACC\n:60F:C961016DEM84349,74\n:62F:C961017DEM84349,74\n-\n")

    assert statement.opening is not None
    assert str(statement.opening.amount) == "84349.74 DEM"


def test_german_subfields_tell_purpose_and_counterparty() -> None:
    """Lines and subfields break inside of words; the parts of the purpose are told apart by their keys."""
    entry = entry_of(
        ":61:240102C80,NMSC",
        ":86: 166?00GUTSCHRIFT?109310?20EREF+ZV0100290949300000000012?2102 ?22SVWZ+Invoice 4711 Ren",
        "ovatio?23n why? IBAN+DE12?30HEISDE66?31DE02100100100006820101?32Olivia ",
        "?33Dorn",
    )

    assert entry.text == "Invoice 4711 Renovation why?"
    assert (entry.counterparty, entry.counterparty_account) == ("Olivia Dorn", "DE02100100100006820101")
    assert [detail.end_to_end_id for detail in entry.details] == ["ZV010029094930000000001202"]


def test_a_reference_may_be_left_to_field_86() -> None:
    entry = entry_of(":61:240102D80, NTRFKREF+//B1", ":86:191?00X?20KREF+PAY-?2177 SVWZ+Wages")

    assert (entry.code, entry.reference, entry.bank_id, entry.text) == ("NTRF", "PAY-77", "B1", "Wages")


def test_german_subfields_without_purpose_leave_the_booking_text() -> None:
    entry = entry_of(":61:240102D80,NMSC", ":86:805?00KONTOABSCHLUSS?109310")

    assert (entry.text, entry.counterparty, entry.details) == ("KONTOABSCHLUSS", None, ())


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (
            "/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/BIC/ABNANL2A/NAME/J. Jansen/REMI/Invoice 12/EREF/E-1",
            ("Invoice 12", "J. Jansen", "NL91ABNA0417164300", "E-1", None),
        ),
        (
            "/CNTP/NL91ABNA0417164300/ABNANL2A/J. Jansen///REMI/USTD//Invoice 12/",
            ("Invoice 12", "J. Jansen", "NL91ABNA0417164300", None, None),
        ),
        (
            "/BENM//NAME/J. Jansen/REMI/STRD/CUR/9876123456789012/EREF/NOTPROVIDED",
            ("STRD/CUR/9876123456789012", "J. Jansen", None, None, "9876123456789012"),
        ),
        ("/TRTP/Kosten/BBAN/90000014", ("Kosten", None, "90000014", None, None)),
        ("/Plain text with a slash", ("/Plain text with a slash", None, None, None, None)),
    ],
)
def test_dutch_keywords_tell_purpose_and_counterparty(told: str, read: tuple[str | None, ...]) -> None:
    entry = entry_of(":61:240102C80,NMSC", f":86:{told}")

    end_to_end_id, structured = None, None
    for detail in entry.details:
        end_to_end_id, structured = detail.end_to_end_id, detail.structured_reference
    assert (entry.text, entry.counterparty, entry.counterparty_account, end_to_end_id, structured) == read


def test_a_long_line_was_cut_inside_of_a_word() -> None:
    first = "Betaling van factuur 2024-000123 aan de vereniging van eigenaren".ljust(65, "x")

    assert entry_of(":61:240102D80,NMSC", f":86:{first}", "yz end", "of it").text == f"{first}yz end of it"


def test_the_other_account_may_stand_below_the_entry() -> None:
    entry = entry_of(":61:240102D25,N102EREF   ", "NL91ABNA0417164300", ":86:Card")

    assert (entry.counterparty_account, entry.text) == ("NL91ABNA0417164300", "Card")


def test_supplementary_details_are_the_text_where_there_is_no_other() -> None:
    assert entry_of(":61:240102D25,N102NONREF", "Card transaction ", ":NS:22Anything").text == "Card transaction"


def test_letters_of_windows_1252_are_kept() -> None:
    [statement] = read_mt94x((HEAD + ":61:240102C1,NMSC\n:86:Müller €\n" + TAIL).encode("cp1252"))

    assert statement.entries[0].text == "Müller €"


def test_bytes_that_no_encoding_but_latin_1_knows_are_kept() -> None:
    [statement] = read_mt94x((HEAD + ":61:240102C1,NMSC\n:86:odd ").encode() + b"\x81\xfc\n" + TAIL.encode())

    assert statement.entries[0].text == "odd \x81ü"


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        ("nothing at all", "line 1", "no field :20:"),
        (":20:A\n:60F:C240101EUR1,\n:62F:C240101EUR1,\n", "line 1", "names no account"),
        (":20:A\n:25:X\n:62F:C240101EUR1,\n", "line 1", "no opening balance"),
        (":20:A\n:25:X\n:13D:2401021815+0100\n", "line 1", "tells the currency"),
        (HEAD, "line 4", "ends before the closing balance"),
        ("{1:F01BANK}{2:I940BANK}{4:\n" + HEAD + TAIL[:-2], "line 6", "ends before the end of the envelope"),
        (HEAD + HEAD + TAIL + HEAD, "line 14", "ends before the closing balance"),
        (HEAD + ":61:240102X1,NMSC\n" + TAIL, "line 5", "is no entry"),
        (HEAD + ":61:240102C1,2,3NMSC\n" + TAIL, "line 5", "is no amount of EUR"),
        (HEAD + ":61:240102C1,234NMSC\n" + TAIL, "line 5", "3 decimals, but EUR has 2"),
        (HEAD + ":61:240102C,NMSC\n" + TAIL, "line 5", "it is empty"),
        (HEAD + ":62F:C240131EUR-1,\n-\n", "line 5", "is no balance"),
        (HEAD + ":62F:C240131XQQ1,\n-\n", "line 5", "no currency"),
        (":20:A\n:25:X\n:34F:zero\n", "line 1", "tells the currency"),
        (":20:A\n:25:X\n:34F:XQQ0,\n", "line 3", "no currency"),
        (HEAD + ":60F:C240101EUR1,\n" + TAIL, "line 5", "a second :60F:"),
        (HEAD + "garbage\n" + TAIL, "line 5", "neither begins a field nor continues one"),
    ],
)
def test_a_malformed_file_is_refused_with_the_line(text: str, position: str, why: str) -> None:
    refused = refusal_of(text)

    assert refused.details["position"] == position
    assert why in str(refused.details["why"])


def test_a_statement_that_ends_without_closing_balance_is_read_with_a_warning() -> None:
    statement = statement_of(tail="-\n")

    assert statement.difference is None
    assert statement.warnings == ("the statement has no closing balance",)


VALID = (
    HEAD
    + ":61:2401020103DR30,50NTRFRENT//B1\nmore\n:86:166?00X?20SVWZ+a?32Name\n:61:2401310131RC5,NINTNONREF\n"
    + ":86:/IBAN/NL91ABNA0417164300/NAME/J/REMI/USTD//x/\n"
    + TAIL
).encode()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        entries = [entry for statement in read_mt94x(bytes(damaged)) for entry in statement.entries]
    except ValidationError as refused:
        outcome = (refused.code, str(refused.details["position"]).startswith("line "))
    else:
        outcome = ("malformed_statement", all(entry.amount.minor >= 0 for entry in entries))

    assert outcome == ("malformed_statement", True)
