"""The page about payments says what the code does: its diagram is drawn from the table of moves."""

import re
from pathlib import Path

from ledgercore.payments.payments import MOVES

PAGE = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")


def test_diagram_is_the_table_of_moves() -> None:
    drawn = re.findall(r"^    ([A-Z]+) --> ([A-Z]+): (\w+)$", PAGE, re.MULTILINE)

    assert [(before, after, move) for before, after, move in drawn] == [
        (before.value, after.value, move) for (before, move), after in MOVES.items()
    ]
