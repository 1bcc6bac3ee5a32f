"""The pages' Python blocks run, top to bottom, each page in a world of its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    page
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if page.is_file() and BLOCK.search(page.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_blocks_run(page: Path, open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of a page does what the page says, its asserts included."""
    monkeypatch.chdir(open_directory)
    text = page.read_text(encoding="utf-8")
    world: dict[str, object] = {"__name__": "__main__"}

    for block in BLOCK.finditer(text):
        line = text[: block.start(1)].count("\n")
        source = "\n" * line + block.group(1)
        exec(compile(source, str(page), "exec"), world)
