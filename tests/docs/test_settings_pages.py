"""Every setting is on the page where readers look for it, and nothing else is."""

import re
from pathlib import Path

from attrs import fields

from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def in_table(page: str) -> set[str]:
    """The variables in the first column of a page's tables."""
    rows = re.findall(r"^\| (`LEDGERCORE_[^|]*) \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def variables_of(settings: type) -> set[str]:
    return {f"LEDGERCORE_{each.name.upper()}" for each in fields(settings)}


def test_page_of_the_service_lists_all_of_its_settings() -> None:
    assert in_table("http.md") == variables_of(ServiceSettings) | {"LEDGERCORE_DATABASE_URL"}


def test_page_of_the_command_line_lists_all_of_its_settings() -> None:
    assert in_table("cli.md") == variables_of(Settings)
