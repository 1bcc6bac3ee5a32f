"""Write `src/ledgercore/money/iso4217.py` from the `iso4217` package, which carries the published standard.

Run it from the root of the project after an update of that package: `python tools/make_iso4217.py`.
"""

from importlib.metadata import version
from pathlib import Path

from iso4217 import Currency, __published__

TARGET = Path(__file__).parents[1] / "src/ledgercore/money/iso4217.py"

TEMPLATE = '''"""The currencies of ISO 4217 (list one), as published on {published:%Y-%m-%d}.

Written by `tools/make_iso4217.py` from the public domain package `iso4217` {version}: change that
script, not this table. Other sources differ: Unicode CLDR gives 13 currencies the decimals that shops
use instead of those that banks book.
"""

from collections.abc import Iterator
from typing import Final

from attrs import frozen


@frozen(kw_only=True)
class Entry:
    """One line of the standard; `exponent` is `None` where it says "N.A." (no minor unit)."""

    code: str
    numeric: int
    exponent: int | None
    name: str


# Code, number, decimal places, name.
_TABLE: Final = """
{lines}
"""{noqa}


def _read(table: str) -> Iterator[Entry]:
    for line in table.strip().splitlines():
        code, numeric, exponent, name = line.split(" ", 3)
        yield Entry(
            code=code,
            numeric=int(numeric),
            exponent=None if exponent == "-" else int(exponent),
            name=name,
        )


ENTRIES: Final = tuple(_read(_TABLE))
'''


def render() -> str:
    """Return the text of the module."""
    lines = [
        f"{each.code} {each.number:03} {'-' if each.exponent is None else each.exponent} {each.currency_name}"
        for each in sorted(Currency, key=lambda each: each.code)
    ]
    return TEMPLATE.format(
        published=__published__,
        version=version("iso4217"),
        lines="\n".join(lines),
        noqa="  # noqa: RUF001 - names are spelt as in the standard",
    )


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
