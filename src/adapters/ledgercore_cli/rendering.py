"""Tables for people, JSON for programs; colours and lines only on a terminal."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

import click
from attrs import field, frozen

from ledgercore.ledger.queries import AsOf
from ledgercore.money import Money, format_grouped

FOLDED_WIDTH_LEAST: Final = 12


def _as_rows(rows: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(printable(cell) for cell in row) for row in rows)


def _as_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, printable(value)) for name, value in pairs if value)


@frozen
class Column:
    """A heading, the side its cells stand on, and whether they may be folded where a terminal is narrow.

    Amounts, times and ids are never folded: half a number is worse than a long line.
    """

    title: str
    right: bool = False
    folds: bool = False


@frozen(kw_only=True)
class Table:
    """Rows under headings; `totals` are rows set off at the end."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = field(converter=_as_rows)
    totals: tuple[tuple[str, ...], ...] = field(default=(), converter=_as_rows)
    title: str = ""
    empty: str = "nothing found"


@frozen
class Facts:
    """Names and values, one each line; empty values are left out."""

    pairs: tuple[tuple[str, str], ...] = field(converter=_as_pairs)


@frozen
class Text:
    """A line or a paragraph."""

    text: str


View: TypeAlias = Table | Facts | Text


def print_json(document: Any) -> None:
    """Print one JSON document."""
    plain = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(document, indent=2, ensure_ascii=plain))


def print_views(views: Iterable[View]) -> None:
    """Print views one below the other."""
    fancy = sys.stdout.isatty()
    for index, view in enumerate(views):
        if index:
            click.echo()
        if isinstance(view, Text):
            click.echo(view.text)
        elif isinstance(view, Facts):
            width = max((len(name) for name, _ in view.pairs), default=0)
            for name, value in view.pairs:
                click.echo(f"{name.ljust(width)}  {value}")
        elif not view.rows and not view.totals:
            click.echo(view.empty)
        elif fancy:
            _print_rich(view)
        else:
            for line in plain_lines(view):
                click.echo(line)


def plain_lines(table: Table) -> Iterator[str]:
    """A table in plain text: columns aligned, two blanks between them."""
    heading = tuple(column.title for column in table.columns)
    widths = [max(map(len, cells)) for cells in zip(heading, *table.rows, *table.totals, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(cells, widths, table.columns, strict=True)
        )
        return "  ".join(aligned).rstrip()

    rule = "  ".join("-" * width for width in widths)
    if table.title:
        yield table.title
    yield line(heading)
    yield rule
    yield from map(line, table.rows)
    if table.totals:
        yield rule
        yield from map(line, table.totals)


def _print_rich(table: Table) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text as RichText

    drawn = RichTable(box=SIMPLE_HEAD, title=table.title or None, title_justify="left")
    for column in table.columns:
        justify: Literal["left", "right"] = "right" if column.right else "left"
        drawn.add_column(column.title, justify=justify, no_wrap=not column.folds, overflow="fold")
    for index, row in enumerate(table.rows):
        drawn.add_row(*map(RichText, row), end_section=index == len(table.rows) - 1)
    for row in table.totals:
        drawn.add_row(*(RichText(cell, style="bold") for cell in row))
    console = Console()
    console.width = max(console.width, _width_least(table))
    console.print(drawn)


def _width_least(table: Table) -> int:
    """The width below which cells that must stay whole would be cut."""
    heading = tuple(column.title for column in table.columns)
    longest = [max(map(len, cells)) for cells in zip(heading, *table.rows, *table.totals, strict=True)]
    kept = (
        min(length, FOLDED_WIDTH_LEAST) if column.folds else length
        for column, length in zip(table.columns, longest, strict=True)
    )
    return sum(kept) + 3 * len(longest) + 1


@contextmanager
def progress_bar(label: str, *, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error with count, rate of advance and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda steps: progress.advance(task, steps)


def amount(money: Money) -> str:
    """An amount for a table: thousands grouped, the currency in a column of its own."""
    return format_grouped(money.minor, money.currency)


def moment(value: Any) -> str:
    """A time for a table: UTC to the second."""
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M:%SZ")


def point(at: AsOf) -> str:
    """Which point in time a report is of."""
    parts = [
        f"effective by {at.effective_at.isoformat()}" if at.effective_at else "",
        f"as recorded by {at.recorded_at.isoformat()}" if at.recorded_at else "",
    ]
    return ", ".join(part for part in parts if part) or "now"


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
