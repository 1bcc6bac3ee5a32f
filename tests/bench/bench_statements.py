"""Statement files from bytes to checked values, against a bare pass of the parser over the very same bytes."""

from collections.abc import Callable
from functools import partial
from xml.parsers import expat

from harness import Target, interleaved, options, report, seconds_of  # type: ignore[import-not-found]

from ledgercore.statements.statements import Statement
from ledgercore_statements.reading import read_statements
from ledgercore_statements.samples import sample_camt053, sample_csv, sample_mt940, sample_ofx

SAMPLES: dict[str, Callable[[int], bytes]] = {
    "camt.053": sample_camt053,
    "MT940": sample_mt940,
    "OFX": sample_ofx,
    "CSV": sample_csv,
}
MEGABYTE = 1_000_000


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rows=50_000, rounds=3)
    files = {name: sample(chosen.rows) for name, sample in SAMPLES.items()}
    cases: dict[str, Callable[[], float]] = {}
    for name, data in files.items():
        cases[f"{name}, read"] = partial(seconds_of, partial(read, data, chosen.rows))
        cases[f"{name}, bare"] = partial(seconds_of, partial(BARE[name], data))
    seconds = interleaved(cases, chosen.rounds)
    figures: dict[str, str | float] = {}
    targets = []
    for name, data in files.items():
        taken, bare = seconds[f"{name}, read"], seconds[f"{name}, bare"]
        megabytes = len(data) / MEGABYTE
        figures[name] = (
            f"{megabytes / taken:8.1f} MB/s {chosen.rows / taken:10,.0f} rows/s;"
            f" bare {BARE[name].__name__.removeprefix('_bare_')} {megabytes / bare:8.1f} MB/s, {megabytes:.1f} MB"
        )
        targets.append(Target(f"{name}, thousands of rows/s", 10, chosen.rows / taken / 1_000))
    targets.append(Target("camt.053 / bare expat", 0.2, seconds["camt.053, bare"] / seconds["camt.053, read"]))
    report(f"Reading statements of {chosen.rows:,} entries", figures, targets, chosen)


def read(data: bytes, rows: int) -> tuple[Statement, ...]:
    """Read a file, and make sure that all of it was read."""
    [statement] = read_statements(data)
    assert len(statement.entries) == rows
    assert not statement.difference or statement.difference.is_zero
    return (statement,)


def _bare_expat(data: bytes) -> None:
    # With handlers that do nothing, so that the parser makes every name and text that it finds.
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: None
    parser.EndElementHandler = lambda name: None
    parser.CharacterDataHandler = lambda text: None
    parser.Parse(data, True)


def _bare_lines(data: bytes) -> None:
    data.decode().splitlines()


BARE: dict[str, Callable[[bytes], None]] = {
    "camt.053": _bare_expat,
    "MT940": _bare_lines,
    "OFX": _bare_lines,
    "CSV": _bare_lines,
}


if __name__ == "__main__":
    main()
