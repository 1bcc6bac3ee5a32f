"""The examples of the pages about commands: run in order on an embedded database, and compared with what they print."""

import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define

from ledgercore_app.cli import OWN_COMMANDS, Program
from ledgercore_cli import exit_codes
from ledgercore_cli.commands import COMMANDS
from ledgercore_cli.main import run
from ledgercore_embedded import embedded_server

PAGES = Path(__file__).parents[3] / "docs"
TEXT = (PAGES / "cli.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^<!-- file: (?P<file>\S+) -->\n)?^```(?:console|json|text)\n(?P<text>.*?)^```$", re.M | re.S)


@define
class Example:
    """A line that is typed, and what it prints."""

    line: int
    command: str
    printed: str = ""


def examples(text: str, first_line: int) -> Iterator[Example]:
    """The examples of one console block."""
    found: Example | None = None
    for number, line in enumerate(text.splitlines(keepends=True), first_line):
        if line.startswith("$ "):
            if found is not None:
                yield found
            found = Example(number, line[2:].strip())
        else:
            assert found is not None, f"line {number}: output before any command"
            found.printed += line
    if found is not None:
        yield found


def fits(expected: str, printed: str) -> bool:
    """Whether the text is the expected one, with anything where the page has an ellipsis; blanks count as one."""

    def plain(text: str) -> str:
        return "\n".join(re.sub(r"[ -]{2,}", "  ", line).strip() for line in text.strip().splitlines())

    pattern = ".*?".join(re.escape(part.strip(" ")) for part in plain(expected).split("…"))
    return re.fullmatch(re.sub(r"(\\ )+", r"\\s+", pattern), plain(printed), re.DOTALL) is not None


@pytest.mark.slow
@pytest.mark.parametrize(("page", "least"), [("cli.md", 15), ("statements.md", 8)])
def test_the_examples_print_what_the_page_shows(open_directory, monkeypatch, capsys, page, least):
    """Commands, tables, documents, errors and statuses, from the first block to the last."""
    text = (PAGES / page).read_text(encoding="utf-8")
    monkeypatch.chdir(open_directory)
    monkeypatch.setenv("COLUMNS", "100")
    environment = {"LEDGERCORE_DATA_DIRECTORY": str(open_directory / "data")}
    status, wrong, count = 0, [], 0

    # Held open, so that the server is not started and stopped for every line.
    with embedded_server(open_directory / "data"):
        for block in BLOCK.finditer(text):
            if block["file"]:
                Path(block["file"]).write_text(block["text"], encoding="utf-8")
                continue
            for example in examples(block["text"], text[: block.start("text")].count("\n") + 1):
                typed, _, file = example.command.partition(" < ")
                sent = io.BytesIO(Path(file).read_bytes() if file else b"")
                monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(sent))
                words = shlex.split(typed)
                if words == ["echo", "$?"]:
                    printed = f"{status}\n"
                else:
                    assert words[0] == "ledgercore"
                    status = run(Program(environment), words[1:], extra=OWN_COMMANDS)
                    printed = "".join(capsys.readouterr())
                count += 1
                if not fits(example.printed, printed):
                    wrong.append(f"line {example.line}: $ {example.command}\n{printed}")

    assert count >= least
    assert not wrong, "\n\n".join(wrong)


def test_the_page_tells_of_every_command():
    """Where it is typed, or where words are marked as code."""
    told = {word for words in re.findall(r"ledgercore ([a-z-]+)|`([a-z-]+)[ `]", TEXT) for word in words}

    assert {*COMMANDS, *OWN_COMMANDS} - told == set()


def test_the_page_has_the_statuses_of_the_program():
    """One table for people, one for the program, the same words."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)

    assert {int(code): meaning for code, meaning in rows} == exit_codes.MEANINGS


def test_the_json_of_the_page_is_json():
    """Files that readers copy can be read."""
    for block in BLOCK.finditer(TEXT):
        if (block["file"] or "").endswith(".json"):
            json.loads(block["text"])
