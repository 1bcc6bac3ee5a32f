"""The documented list of errors."""

from pathlib import Path

from ledgercore.errors.catalog import CATALOG
from ledgercore.errors.page import render_catalog

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"


def test_page_is_the_catalog() -> None:
    """The page in docs is never older than the code.

    Renew it by writing what `render_catalog` returns to that file.
    """
    assert PAGE.read_text(encoding="utf-8") == render_catalog()


def test_page_lists_every_reason_once() -> None:
    """Whoever meets a code finds it on the page."""
    page = render_catalog()

    assert [page.count(f"| `{code}` |") for code in CATALOG] == [1] * len(CATALOG)
