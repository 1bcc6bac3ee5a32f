"""Running the shell sessions of pages as they stand there, against programs that are started for it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LEDGERCORE = Path(sys.executable).with_name("ledgercore")
DOCS = Path(__file__).parents[2] / "docs"


class Shell:
    """The environment of a session, and what runs in it."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
        self.environment |= {**settings, "PATH": f"{LEDGERCORE.parent}{os.pathsep}{self.environment['PATH']}"}

    @contextmanager
    def running(self, *arguments: str, until: str) -> Iterator[str]:
        """A program while it runs; gives the first address that it printed, once it has printed `until`."""
        program = subprocess.Popen(
            [LEDGERCORE, *arguments], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, env=self.environment
        )
        try:
            assert program.stdout is not None
            address, told, printed = "", "", list[str]()
            while until not in told or not address:
                told = program.stdout.readline()
                printed.append(told)
                assert told, f"{arguments} ended: {''.join(printed)}"
                address = address or next(iter(re.findall(r"http://[0-9.:]+", told)), "")
            yield address
        finally:
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=60)

    def run(self, page: str, **variables: str) -> list[Any]:
        """Run the bash block of a page with other values for some variables; gives the documents that it printed."""
        [session] = re.findall(r"^```bash\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for name, value in variables.items():
            session, count = re.subn(f"^{name}=.*$", f"{name}={value}", session, flags=re.MULTILINE)
            assert count == 1, f"{page} sets {name} once"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", session],
            capture_output=True, text=True, timeout=120, env=self.environment,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return list(_documents(done.stdout))


def _documents(text: str) -> Iterator[Any]:
    place = 0
    while place < len(text):
        document, place = json.JSONDecoder().raw_decode(text, place)
        yield document
        place += len(text[place:]) - len(text[place:].lstrip())


@pytest.fixture
def shell() -> Callable[..., Shell]:
    """Makes a shell with settings."""
    return lambda **settings: Shell(settings)
