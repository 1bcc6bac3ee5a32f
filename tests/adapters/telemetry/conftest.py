"""Logging that is each test's own."""

import io
import json
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def own_logging(monkeypatch) -> Iterator[None]:
    """The root logger is everybody's; the test has it alone."""
    root = logging.getLogger()
    level = root.level
    monkeypatch.setattr(root, "handlers", [])
    yield
    root.setLevel(level)


class Written(io.StringIO):
    """A stream that remembers what was written to it."""

    @property
    def lines(self) -> list[str]:
        """Every line; the last one was ended too."""
        *lines, rest = self.getvalue().split("\n")
        assert rest == ""
        return lines

    @property
    def events(self) -> list[dict]:
        """Every line as JSON."""
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def written() -> Written:
    """Where logs go."""
    return Written()
