"""Made-up files for measurements and manuals: the same bytes each time, and each closes."""

from collections.abc import Callable

import pytest

from ledgercore.ibans import check_iban
from ledgercore.money import Money, currency
from ledgercore_statements.reading import read_statements
from ledgercore_statements.samples import sample_camt053, sample_csv, sample_mt940, sample_ofx

EUR = currency("EUR")
SAMPLES = {"camt": sample_camt053, "mt940": sample_mt940, "ofx": sample_ofx, "csv": sample_csv}


@pytest.mark.parametrize("count", [1, 120])
@pytest.mark.parametrize(("file_format", "sample"), SAMPLES.items(), ids=SAMPLES)
def test_made_up_files_are_read_whole(file_format: str, sample: Callable[[int], bytes], count: int) -> None:
    [found] = read_statements(sample(count))

    assert found.format.startswith(file_format)
    assert len(found.entries) == count
    assert not any(entry.warnings for entry in found.entries)
    assert sample(count) == sample(count)


def test_all_formats_tell_the_same_entries() -> None:
    """The same days, amounts and texts; numbers of accounts are right wherever a format has them."""
    read = [read_statements(sample(50))[0].entries for sample in SAMPLES.values()]

    told = [[(entry.booked_on, entry.signed_minor, entry.text, entry.counterparty) for entry in each] for each in read]
    assert told[0] == told[1] == told[2] == told[3]
    assert all(check_iban(entry.counterparty_account or "") for entry in read[0])


@pytest.mark.parametrize("count", [0, 1, 33])
@pytest.mark.parametrize("sample", [sample_camt053, sample_mt940])
def test_statements_close(sample: Callable[[int], bytes], count: int) -> None:
    [found] = read_statements(sample(count))

    assert found.difference == Money.zero(EUR)


def test_a_format_without_an_opening_balance_closes_all_the_same() -> None:
    [found] = read_statements(sample_ofx(33))

    assert found.closing is not None
    assert found.closing.amount.minor == 250_000 + sum(entry.signed_minor for entry in found.entries)
