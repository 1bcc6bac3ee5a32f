"""A CSV file from its first byte to its last commit, against posting batches of ready-made command objects."""

import csv
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

from harness import (  # type: ignore[import-not-found]
    IDS,
    Target,
    clock,
    fresh_database,
    interleaved,
    new_ledger,
    options,
    path,
    report,
    seconds_of,
    server,
    transfers,
)

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.files.csv_rows import COLUMNS, CsvReader, Source
from ledgercore.ledger.files.importing import import_rows
from ledgercore.money import ISO

CHUNK_BYTES = 1 << 16


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rows=1_000_000, rounds=3)
    seeds = count()
    with (
        server(chosen) as url,
        fresh_database(url) as database,
        tempfile.TemporaryDirectory(prefix="bench-import-") as directory,
    ):
        ledger = new_ledger(database)
        # The file is cut into parts that are imported in turn with the baseline.
        share = chosen.rows // chosen.rounds

        def imported() -> float:
            file = Path(directory) / "rows.csv"
            write_file(file, share, seed=next(seeds))
            return share / seconds_of(lambda: import_rows(ledger, CsvReader(chunks(file), ISO), reject=_unexpected))

        def posted() -> Callable[[], float] | float:
            batches = [transfers(8_000, seed=next(seeds)) for _ in range(8)]
            return 64_000 / seconds_of(lambda: [ledger.post_all(batch) for batch in batches])

        rates = interleaved({"import of CSV": imported, "batches of 8,000": posted}, chosen.rounds)
        report(
            f"Import of {share * chosen.rounds:,} rows, rows per second",
            rates,
            [Target("import / posting batches", 0.5, rates["import of CSV"] / rates["batches of 8,000"])],
            chosen,
        )


def write_file(file: Path, rows: int, *, seed: int) -> None:
    """A file of transfers in the order of their dates."""
    source = random.Random(seed)
    draw = IDS.batch(clock())
    day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=1_000 * seed)
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for number in range(rows):
            debit, credit = source.sample(range(1_000), 2)
            amount = f"{source.randint(1, 10_000)}.{source.randint(0, 99):02}"
            moment = day + timedelta(seconds=number)
            writer.writerow(
                (UUID(bytes=draw()), moment.isoformat(), path(debit), path(credit), amount, "EUR", f"Payment {number}")
            )


def chunks(file: Path) -> Iterator[bytes]:
    """The file, piece by piece."""
    with file.open("rb") as data:
        while chunk := data.read(CHUNK_BYTES):
            yield chunk


def _unexpected(line: int, _: Source, error: LedgercoreError) -> None:
    raise AssertionError(f"line {line}: {error}")


if __name__ == "__main__":
    main()
