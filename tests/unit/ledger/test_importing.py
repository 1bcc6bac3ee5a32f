"""Importing files: what is posted, what is refused and why, and that nothing is ever posted twice."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.ledger.accounts import AccountType, Limits, Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.files.csv_rows import COLUMNS, CsvReader, CsvRejects, Row
from ledgercore.ledger.files.importing import ImportSummary, import_rows, prepare, read_opening_rule
from ledgercore.ledger.files.ndjson_rows import NdjsonReader, NdjsonRejects, is_ndjson
from ledgercore.ledger.files.text_lines import LINE_BYTES_MAX, physical_lines
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.texts import parse_moment
from ledgercore.ledger.transactions import plain_transfer, transfer
from ledgercore.money import ISO, Money, currency

HEADER = ",".join(COLUMNS)
GOOD = "r1,2026-01-02T00:00:00Z,assets:bank,income:sales,12.00,EUR,first"
ALSO_GOOD = "r2,2026-01-03T00:00:00+01:00,assets:bank,income:sales,3.5,EUR,"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{row}\n" for row in (header, *rows)).encode("utf-8", "surrogateescape")


def in_pieces(data: bytes, size: int = 7) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


class Told:
    """Keeps what was refused."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, object, LedgercoreError]] = []

    def __call__(self, line, source, error) -> None:
        self.rows.append((line, source, error))

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(line, error.code) for line, _, error in self.rows]


def feed(ledger: Ledger, data: bytes, **options) -> tuple[ImportSummary, Told]:
    told = Told()
    reader = CsvReader(in_pieces(data), ledger.state().settings.currencies(ISO))
    return import_rows(ledger, reader, reject=told, **options), told


def balances(ledger: Ledger) -> dict[str, str]:
    return {balance.path: str(balance.posted) for balance in ledger.balances()}


def test_rows_become_transfers(memory_ledger: Ledger):
    """Each row is one transaction under its id, with the time, the text and the amount it names."""
    summary, told = feed(memory_ledger, csv_of(GOOD, ALSO_GOOD))

    assert summary == ImportSummary(posted=2)
    assert told.rows == []
    posted = memory_ledger.get_transaction_by_key("r2")
    assert posted.effective_at == parse_moment("2026-01-02T23:00:00Z", field="effective_at")
    assert (posted.description, str(posted.lines[0].line.amount)) == (None, "3.50 EUR")
    assert balances(memory_ledger) == {"assets:bank": "15.50 EUR", "income:sales": "15.50 EUR"}


def test_columns_may_stand_in_any_order(memory_ledger: Ledger):
    """The header decides; columns that are not ours are left alone."""
    header = "note,currency,amount,credit_account,debit_account,effective_at,id,description"
    row = 'x,EUR,5.00,income:a,assets:b,2026-01-02T00:00:00Z,r9,"said, and quoted"'

    summary, _ = feed(memory_ledger, csv_of(row, header=header))

    assert summary.posted == 1
    assert memory_ledger.get_transaction_by_key("r9").description == "said, and quoted"


def test_uuid_is_the_id_itself(memory_ledger: Ledger):
    """An id that is a UUID names the transaction; any other text is its key."""
    uuid = "01890a5d-ac96-774b-bcce-b302099a8057"

    feed(memory_ledger, csv_of(GOOD.replace("r1", uuid)))

    assert memory_ledger.get_transaction(UUID(uuid)).key is None


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("byte order mark", b"\xef\xbb\xbf" + csv_of(GOOD)),
        ("carriage returns", csv_of(GOOD).replace(b"\n", b"\r\n")),
        ("no line feed at the end", csv_of(GOOD).rstrip()),
        ("empty lines", csv_of("", GOOD, "")),
        ("quotes", csv_of(",".join(f'"{value}"' for value in GOOD.split(",")))),
    ],
)
def test_spelling_of_the_file_does_not_matter(memory_ledger: Ledger, written: str, data: bytes):
    """What programs do differently when they write CSV changes nothing."""
    summary, told = feed(memory_ledger, data)

    assert (summary, told.rows) == (ImportSummary(posted=1), [])
    assert memory_ledger.get_transaction_by_key("r1").description == "first"


def test_quoted_line_feed_stays_in_its_field(memory_ledger: Ledger):
    """A row may go over several lines; those after it keep their numbers."""
    row = GOOD.replace("first", '"two\nlines"')

    summary, told = feed(memory_ledger, csv_of(row, "bad,row"))

    assert summary == ImportSummary(posted=1, rejected=1)
    assert memory_ledger.get_transaction_by_key("r1").description == "two\nlines"
    assert told.codes == [(4, "invalid_csv")]


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (GOOD.replace("12.00", "-12.00"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "+12.00"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "1e3"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "NaN"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "0.00"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "12.001"), "invalid_amount_format", "amount"),
        (GOOD.replace("12.00", "1" * 39), "invalid_amount_format", "amount"),
        (GOOD.replace("EUR", "ZZZ"), "unknown_currency", "currency"),
        (GOOD.replace("EUR", "eur"), "invalid_currency_format", "currency"),
        (GOOD.replace("T00:00:00Z", "T00:00:00"), "invalid_datetime_format", "effective_at"),
        (GOOD.replace("T00:00:00Z", ""), "invalid_datetime_format", "effective_at"),
        (GOOD.replace("2026-01-02T00:00:00Z", ""), "invalid_datetime_format", "effective_at"),
        (GOOD.replace("2026", "0000"), "datetime_out_of_range", "effective_at"),
        (GOOD.replace("2026-01-02", "9999-12-31"), "datetime_out_of_range", "effective_at"),
        (GOOD.replace("assets:bank", "assets::bank"), "invalid_account_path", "debit_account"),
        (GOOD.replace("income:sales", "income sales"), "invalid_account_path", "credit_account"),
        (GOOD.replace("income:sales", "i" * 256), "invalid_account_path", "credit_account"),
        (GOOD.replace("income:sales", "assets:bank"), "same_account_both_sides", "credit_account"),
        (GOOD.replace("r1", ""), "invalid_idempotency_key", "id"),
        (GOOD.replace("r1", "r" * 256), "invalid_idempotency_key", "id"),
        (GOOD.replace("r1", "r\x00"), "invalid_idempotency_key", "id"),
        (GOOD.replace("first", "a\x00b"), "invalid_description_format", "description"),
        (GOOD.replace("first", "x" * 1001), "invalid_description_format", "description"),
    ],
)
def test_bad_field_is_refused_by_name(memory_ledger: Ledger, row: str, code: str, field: str):
    """A row that cannot be read is refused alone, naming its line and column; the others are posted."""
    summary, told = feed(memory_ledger, csv_of(row, ALSO_GOOD))

    assert summary == ImportSummary(posted=1, rejected=1)
    [(line, source, error)] = told.rows
    assert (line, error.code, error.details["line"], error.details["field"]) == (2, code, 2, field)
    assert source == row.split(",")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (GOOD + ",more", "invalid_csv"),
        ("r1,2026-01-02T00:00:00Z", "invalid_csv"),
        (GOOD.replace("first", '"fir"st'), "invalid_csv"),
        (GOOD.replace("first", "x" * 200_000), "invalid_csv"),
        (GOOD.replace("first", "\udcff\udcfe"), "invalid_encoding"),
        (GOOD.replace("first", '"over\n\udcff\nlines"'), "invalid_encoding"),
    ],
)
def test_row_without_columns_keeps_its_text(memory_ledger: Ledger, row: str, code: str):
    """What cannot be split into columns, or decoded, is refused with its text as it was."""
    summary, told = feed(memory_ledger, csv_of(row, ALSO_GOOD))

    assert summary == ImportSummary(posted=1, rejected=1)
    [(line, source, error)] = told.rows
    assert (line, error.code, error.details["line"], source) == (2, code, 2, f"{row}\n")


def test_undecodable_byte_is_named_by_its_place(memory_ledger: Ledger):
    """`invalid_encoding` gives the place of the byte in the file."""
    data = csv_of(GOOD, GOOD.replace("first", "\udcff"))

    _, told = feed(memory_ledger, data)

    assert told.rows[0][2].details["byte"] == data.index(b"\xff")


def test_quote_left_open_swallows_no_row_silently(memory_ledger: Ledger):
    """Lines behind an open quote may be anything: none of them is posted, and all are in the rejects."""
    summary, told = feed(memory_ledger, csv_of(GOOD, ALSO_GOOD[:-1] + ',"never closed', GOOD.replace("r1", "r3")))

    assert summary == ImportSummary(posted=1, rejected=1)
    assert told.codes == [(3, "invalid_csv")]
    assert told.rows[0][1] == ALSO_GOOD[:-1] + ',"never closed\n' + GOOD.replace("r1", "r3") + "\n"


def test_quote_left_open_in_a_long_file_ends_the_import(memory_ledger: Ledger):
    """Where an open quote swallows too much, the import stops with the line; the rows before it are posted."""
    rest = [GOOD.replace("r1", f"n{number}") for number in range(2_000)]

    with pytest.raises(ValidationError) as refused:
        feed(memory_ledger, csv_of(GOOD, ALSO_GOOD + '"open', *rest))

    assert (refused.value.code, refused.value.details["line"]) == ("invalid_csv", 3)
    assert balances(memory_ledger)["assets:bank"] == "12.00 EUR"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "missing_columns"),
        (b"id,amount\n", "missing_columns"),
        (csv_of(GOOD, header=HEADER + ",id"), "invalid_csv"),
        (b"id,\xff\n", "invalid_encoding"),
        (csv_of(GOOD).decode().encode("utf-16"), "invalid_encoding"),
        (b'"id', "invalid_csv"),
    ],
)
def test_unusable_header_is_refused(memory_ledger: Ledger, data: bytes, code: str):
    """Nothing is read of a file whose header lacks columns or cannot be read."""
    with pytest.raises(ValidationError) as refused:
        feed(memory_ledger, data)

    assert (refused.value.code, memory_ledger.state().batch) == (code, 1)


def test_missing_columns_are_named(memory_ledger: Ledger):
    """The error lists what is missing and what was found."""
    with pytest.raises(ValidationError) as refused:
        feed(memory_ledger, csv_of(header="id,amount,currency,effective_at,description"))

    assert refused.value.details["columns"] == ["debit_account", "credit_account"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1250", "utf-16", "utf-8"])
def test_other_encodings_are_read(memory_ledger: Ledger, encoding: str):
    """The encoding is the caller's to say."""
    data = csv_of(GOOD.replace("first", "Café")).decode().encode(encoding)
    reader = CsvReader(in_pieces(data), ISO, encoding=encoding)

    import_rows(memory_ledger, reader, reject=Told())

    assert memory_ledger.get_transaction_by_key("r1").description == "Café"


def test_wide_encoding_stops_where_it_breaks(memory_ledger: Ledger):
    """In UTF-16 the rest cannot be found again: the error names the byte, and what came before is posted."""
    data = csv_of(GOOD).decode().encode("utf-16") + b"\x00\xd8\x00"

    with pytest.raises(ValidationError) as refused:
        import_rows(memory_ledger, CsvReader([data], ISO, encoding="utf-16"), reject=Told())

    assert refused.value.code == "invalid_encoding"
    assert balances(memory_ledger)["assets:bank"] == "12.00 EUR"


def test_unknown_encoding_is_refused():
    """An encoding that nobody knows is a wrong argument."""
    with pytest.raises(ValidationError) as refused:
        CsvReader([b""], ISO, encoding="klingon")

    assert (refused.value.code, refused.value.details["field"]) == ("invalid_argument", "encoding")


def test_endless_line_is_refused():
    """A file without line feeds does not fill the memory."""
    chunks = (b"x" * 2**20 for _ in range(LINE_BYTES_MAX // 2**20 + 2))

    with pytest.raises(ValidationError) as refused:
        list(physical_lines(chunks))

    assert refused.value.code == "invalid_csv"


def test_import_twice_changes_nothing(memory_ledger: Ledger):
    """Every row of a second import is a replay; refusals are refused again."""
    data = csv_of(GOOD, ALSO_GOOD, GOOD.replace("EUR", "USD").replace("r1", "r3"))
    feed(memory_ledger, data)
    head = memory_ledger.state().head

    summary, told = feed(memory_ledger, data)

    assert summary == ImportSummary(replayed=2, rejected=1)
    assert told.codes == [(4, "currency_mismatch")]
    assert memory_ledger.state().head == head


def test_id_of_another_row_is_refused(memory_ledger: Ledger):
    """An id that the file or the ledger used for something else is a conflict, and nothing moves."""
    summary, told = feed(memory_ledger, csv_of(GOOD, GOOD.replace("12.00", "13.00"), GOOD))

    assert summary == ImportSummary(posted=1, replayed=1, rejected=1)
    assert told.codes == [(3, "idempotency_key_reused")]


@given(
    cuts=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4),
    batch_size=st.integers(1, 9),
)
def test_overlapping_pieces_end_in_the_same_ledger(cuts, batch_size):
    """Whichever pieces of a file were fed before, in order or not at all, feeding it whole completes it."""
    rows = [GOOD.replace("r1", f"n{number}").replace("12.00", f"{number + 1}.00") for number in range(30)]
    whole, pieced = ledger_of_its_own(), ledger_of_its_own()
    feed(whole, csv_of(*rows))

    for first, last in cuts:
        feed(pieced, csv_of(*rows[min(first, last) : max(first, last)]), batch_size=batch_size)
    feed(pieced, csv_of(*rows), batch_size=batch_size)

    assert balances(pieced) == balances(whole)
    assert pieced.state().number == whole.state().number


def test_strict_stops_at_the_first_refusal(memory_ledger: Ledger):
    """With `strict` the refused row is raised, what came before is posted, and nothing after it."""
    with pytest.raises(LedgercoreError) as refused:
        feed(memory_ledger, csv_of(GOOD, ALSO_GOOD.replace("EUR", "USD"), GOOD.replace("r1", "r3")), strict=True)

    assert (refused.value.code, refused.value.details["line"]) == ("currency_mismatch", 3)
    assert balances(memory_ledger)["assets:bank"] == "12.00 EUR"


@pytest.mark.parametrize("size", [0, 20_001])
def test_batch_size_has_bounds(memory_ledger: Ledger, size: int):
    """A batch holds 1 to 20,000 rows."""
    with pytest.raises(ValidationError) as refused:
        feed(memory_ledger, csv_of(GOOD), batch_size=size)

    assert refused.value.code == "batch_too_large"


def test_sums_are_told_after_each_batch(memory_ledger: Ledger):
    """Whoever waits for a long import learns how far it has come."""
    sums: list[int] = []

    feed(
        memory_ledger,
        csv_of(*(GOOD.replace("r1", f"n{number}") for number in range(5))),
        batch_size=2,
        settled=lambda summary: sums.append(summary.posted),
    )

    assert sums == [2, 4, 5]


def test_minimum_holds_for_new_and_known_accounts(memory_ledger: Ledger):
    """A least balance is given to accounts that are there and to those that the file opens."""
    memory_ledger.transfer(debit="assets:bank", credit="liabilities:ann", amount=Money.of(5, "EUR"))
    prepare(memory_ledger, minimum=0, prefixes=["liabilities"])
    spend = "{},2026-01-02T00:00:00Z,liabilities:{},assets:bank,{},EUR,"

    _, told = feed(memory_ledger, csv_of(spend.format("a", "ann", "6.00"), spend.format("b", "bob", "0.01")))

    assert told.codes == [(2, "insufficient_funds"), (3, "insufficient_funds")]
    assert memory_ledger.get_account("liabilities:ann").limits == Limits(minimum=0)


def test_preparing_twice_writes_once(memory_ledger: Ledger):
    """What is so already is not written again, neither settings nor limits."""
    memory_ledger.transfer(debit="assets:bank", credit="liabilities:ann", amount=Money.of(5, "EUR"))
    rules: dict[str, Any] = {"types": [("cash", AccountType.ASSET)], "minimum": -100, "prefixes": ["liabilities"]}
    prepare(memory_ledger, **rules)
    number = memory_ledger.state().number

    prepare(memory_ledger, **rules)

    assert memory_ledger.state().number == number


def test_minimum_reaches_rules_of_longer_prefixes(memory_store):
    """A rule for a part of the prefix would go before it, so it gets the minimum too, and keeps its maximum."""
    opening = Opening(on_first_use=True, limits=(("liabilities:vip", Limits(minimum=-500, maximum=900)),))
    ledger = Ledger(memory_store.create("ruled", Settings(opening=opening)))

    prepare(ledger, minimum=0, prefixes=["liabilities"])

    assert ledger.state().settings.opening.limits_of("liabilities:vip:eve") == Limits(minimum=0, maximum=900)


def test_minimum_in_one_currency_leaves_others_alone(memory_ledger: Ledger):
    """A minimum in a currency is given to the accounts of that currency."""
    for code in ("EUR", "JPY"):
        memory_ledger.transfer(debit=f"assets:{code}", credit=f"liabilities:{code}", amount=Money.of(5, code))

    prepare(memory_ledger, minimum=-100, currency=currency("EUR"), prefixes=["liabilities"])

    limits = {account.path: account.limits.minimum for account in memory_ledger.list_accounts().items}
    assert (limits["liabilities:EUR"], limits["liabilities:JPY"]) == (-100, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [("cash", "invalid_argument"), ("a b=asset", "invalid_account_path"), ("cash=money", "invalid_account_type")],
)
def test_wrong_opening_rule_is_refused(text: str, code: str):
    """A rule is PREFIX=TYPE."""
    with pytest.raises(ValidationError) as refused:
        read_opening_rule(text)

    assert refused.value.code == code


def test_rejects_can_be_imported_once_mended(memory_ledger: Ledger):
    """The rejects file has the original columns, so mending it and importing it completes the import."""
    written = io.StringIO()
    rejects = CsvRejects(written.write, COLUMNS)
    reader = CsvReader([csv_of(GOOD.replace("EUR", "EURO"), "broken", ALSO_GOOD)], ISO)
    import_rows(memory_ledger, reader, reject=rejects.add)
    [_, mendable, broken] = csv.reader(io.StringIO(written.getvalue()))

    summary, told = feed(memory_ledger, written.getvalue().replace("EURO", "EUR", 1).encode())

    assert mendable[7:9] == ["2", "unknown_currency"]
    assert (broken[:7], broken[7:9], broken[10]) == ([""] * 7, ["3", "invalid_csv"], "broken\n")
    assert (summary.posted, memory_ledger.get_transaction_by_key("r1").description) == (1, "first")
    assert [line for line, _ in told.codes] == [3]


def test_ndjson_carries_whole_transactions(memory_ledger: Ledger):
    """A document has any lines, currencies and fields; one that is refused is kept as it was."""
    good: dict[str, Any] = {
        "key": "n1", "effective_at": "2026-01-02T00:00:00Z", "reference": "inv-1", "metadata": {"a": 1},
        "lines": [
            {"debit": "assets:bank", "amount": "12.00", "currency": "EUR"},
            {"credit": "income:sales", "amount": "10.00", "currency": "EUR"},
            {"credit": "liabilities:vat", "amount": "2.00", "currency": "EUR"},
        ],
    }  # fmt: skip
    lines = [
        json.dumps(good), "", '{"key": "n2"}', "{", json.dumps({**good, "key": None}),
        json.dumps({**good, "lines": [{**good["lines"][0], "amount": 12.5}]}),
    ]  # fmt: skip
    written: list[str] = []
    reader = NdjsonReader(in_pieces("\n".join(lines).encode() + b"\n\xff\n"), ISO)

    summary = import_rows(memory_ledger, reader, reject=NdjsonRejects(written.append).add)

    rejected = [json.loads(line) for line in written]
    assert summary == ImportSummary(posted=1, rejected=5)
    assert [(each["line"], each["reason"]) for each in rejected] == [
        (3, "missing_fields"), (4, "invalid_json"), (5, "invalid_idempotency_key"), (6, "invalid_amount_format"),
        (7, "invalid_encoding"),
    ]  # fmt: skip
    assert rejected[0]["text"] == '{"key": "n2"}\n'
    assert memory_ledger.get_transaction_by_key("n1").reference == "inv-1"


def test_export_is_not_for_import():
    """An export of a whole ledger is pointed to `restore`."""
    reader = NdjsonReader([b'{"format":"export/1","ledger":"x"}\n'], ISO)

    with pytest.raises(ValidationError, match="restore"):
        list(reader)


@pytest.mark.parametrize(
    ("start", "found"), [(b'\xef\xbb\xbf\n {"a"', True), (b"id,amount", False), (b"", False), (b"[1]", False)]
)
def test_format_is_seen_from_the_start(start: bytes, found: bool):
    """A file that begins with a brace holds documents."""
    assert is_ndjson(start) is found


def test_every_chunk_is_told_once():
    """Progress adds up to the size of the file."""
    data = csv_of(GOOD, ALSO_GOOD)
    sizes: list[int] = []

    rows: list[Row] = list(CsvReader(in_pieces(data), ISO, advance=sizes.append))

    assert (len(rows), sum(sizes)) == (2, len(data))


@given(
    minor=st.integers(-1, 10**38),
    debit=st.sampled_from(["a", "a:b", "a b", ""]),
    credit=st.sampled_from(["a", "c", ":"]),
    key=st.none() | st.text(max_size=3) | st.just("k" * 256),
    id=st.none() | st.uuids(),
    description=st.none() | st.text(max_size=3) | st.just("d" * 1001) | st.just("\ud800"),
)
def test_plain_transfer_is_a_transfer(minor, debit, credit, key, id, description):
    """The quick constructor makes and refuses exactly what the usual one does."""
    eur = currency("EUR")
    moment = parse_moment("2026-01-02T00:00:00Z", field="effective_at")
    same = {"debit": debit, "credit": credit, "effective_at": moment, "id": id, "key": key, "description": description}

    quick = outcome_of(lambda: plain_transfer(minor=minor, currency=eur, **same))
    usual = outcome_of(lambda: transfer(amount=Money(minor, eur), **same))

    assert quick == usual


def outcome_of(make) -> object:
    try:
        return make()
    except LedgercoreError as error:
        return error.code, error.details


def ledger_of_its_own() -> Ledger:
    from datetime import UTC, datetime

    from ledgercore_memory import MemoryStore

    store = MemoryStore(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    return Ledger(store.create("books", Settings(opening=Opening(on_first_use=True))))
