"""Tables: plain in a pipe, drawn on a terminal."""

import io
import sys

import pytest

from ledgercore_cli import rendering
from ledgercore_cli.rendering import Column, Facts, Table, Text, plain_lines
from ledgercore_cli.session import Session

COLUMNS = (Column("account"), Column("amount", right=True))
TABLE = Table(columns=COLUMNS, rows=[("a", "1.00"), ("long:name", "1,000.00")], totals=[("total", "1,001.00")])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_columns_are_aligned_and_totals_set_off():
    """Amounts stand on the right, whatever their length."""
    assert list(plain_lines(TABLE)) == [
        "account      amount",
        "---------  --------",
        "a              1.00",
        "long:name  1,000.00",
        "---------  --------",
        "total      1,001.00",
    ]


def test_facts_leave_out_what_is_empty(capsys):
    """One line for each that has a value."""
    rendering.print_views([Facts([("key", "k"), ("description", ""), ("id", "7")])])

    assert capsys.readouterr().out == "key  k\nid   7\n"


def test_an_empty_table_says_so(capsys):
    """In its own words."""
    rendering.print_views([Table(columns=COLUMNS, rows=[], empty="no accounts"), Text("end")])

    assert capsys.readouterr().out == "no accounts\n\nend\n"


def test_a_terminal_gets_a_drawn_table(monkeypatch):
    """With the same cells, and markup taken as text."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    table = Table(columns=COLUMNS, rows=[("[red]a", "1.00")], totals=[("total", "1.00")], title="Title")

    rendering.print_views([table])

    assert "[red]a" in screen.getvalue()
    assert "─" in screen.getvalue()


def test_a_narrow_terminal_folds_words_and_keeps_amounts_whole(monkeypatch):
    """Half a number is worse than a long line."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "30")
    columns = (Column("description", folds=True), Column("amount", right=True))
    table = Table(columns=columns, rows=[("many words that go on and on", "123,456,789,012,345.00")])

    rendering.print_views([table])

    assert "123,456,789,012,345.00" in screen.getvalue()
    assert "many words that go on and on" not in screen.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_only_on_a_terminal(monkeypatch, application, terminal):
    """On standard error, so that the result can be piped."""
    screen = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)

    with Session(application).progress("importing", total=2) as advance:
        advance(1)
        advance(1)

    assert bool(screen.getvalue()) is terminal


def test_json_is_escaped_where_the_stream_cannot_write_it(monkeypatch):
    """One document, whatever the encoding of the terminal."""
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)

    rendering.print_json({"name": "Löhne"})

    ascii_only.seek(0)
    assert "L\\u00f6hne" in ascii_only.read()
