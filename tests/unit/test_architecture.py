"""What the import contracts in pyproject.toml cannot say: what the core may touch at all."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src" / "ledgercore"

ALLOWED = sys.stdlib_module_names | {"attr", "attrs", "cattr", "cattrs", "ledgercore"}
ALLOWED_IN_TESTING = ALLOWED | {"hypothesis", "pytest"}

# Sockets, files, processes, clocks, randomness, event loops: each name and everything below it.
REFUSED = {
    "asyncio",
    "concurrent",
    "ctypes",
    "ftplib",
    "http.client",
    "http.server",
    "importlib.resources",
    "io.FileIO",
    "io.open",
    "mmap",
    "multiprocessing",
    "open",
    "os.open",
    "os.environ",
    "os.getenv",
    "os.getrandom",
    "os.popen",
    "os.system",
    "os.urandom",
    "random",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shutil",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib.request",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.gmtime",
    "time.localtime",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.process_time",
    "time.process_time_ns",
    "time.sleep",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid.uuid6",
    "uuid.uuid7",
}
FILE_METHODS = {"read_bytes", "read_text", "write_bytes", "write_text"}
AWAITING = (ast.Await, ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith)


def core_files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def in_testing(file: Path) -> bool:
    return file.relative_to(CORE).parts[0] in {"testing", "testing.py"}


def imported_names(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the local name and the full name of everything imported from outside the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or full, full
                yield "", alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield "", node.module
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    """Give the dotted name an expression stands for, if it begins with something known."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := full_name(node.value, known)):
        return f"{owner}.{node.attr}"
    return None


def is_refused(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[: count + 1]) in REFUSED for count in range(len(parts)))


def foreign_imports(source: str, *, allowed: frozenset[str] | set[str] = ALLOWED) -> set[str]:
    return {top for _, full in imported_names(ast.parse(source)) if (top := full.partition(".")[0]) not in allowed}


def outside_world(source: str) -> set[str]:
    """Name what a module would use of clocks, files, sockets, randomness and event loops."""
    tree = ast.parse(source)
    imports = list(imported_names(tree))
    known = {"open": "open"} | {local: full for local, full in imports if local}
    found = {full for _, full in imports if is_refused(full)}
    for node in ast.walk(tree):
        if isinstance(node, AWAITING):
            found.add("await")
        elif isinstance(node, ast.Attribute) and node.attr in FILE_METHODS:
            found.add(node.attr)
        elif isinstance(node, ast.Attribute | ast.Name) and (name := full_name(node, known)) and is_refused(name):
            found.add(name)
    return found


@pytest.mark.parametrize("file", core_files(), ids=lambda file: file.relative_to(CORE).as_posix())
def test_core_module_stays_inside(file: Path):
    """The core imports the standard library, attrs and cattrs, and leaves the outside world to adapters."""
    source = file.read_text(encoding="utf-8")

    if in_testing(file):
        assert foreign_imports(source, allowed=ALLOWED_IN_TESTING) == set()
    else:
        assert foreign_imports(source) == set()
        assert outside_world(source) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('rates.csv')", "open"),
        ("import socket", "socket"),
        ("from socket import create_connection", "socket"),
        ("import time\ntime.time()", "time.time"),
        ("from time import time as clock", "time.time"),
        ("import time as t\nfield = t.time_ns", "time.time_ns"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("import datetime as dt\ndt.datetime.now(dt.UTC)", "datetime.datetime.now"),
        ("from datetime import datetime as moment\nfactory = moment.utcnow", "datetime.datetime.utcnow"),
        ("import os\nos.urandom(16)", "os.urandom"),
        ("from os import urandom", "os.urandom"),
        ("import random", "random"),
        ("from random import SystemRandom", "random"),
        ("from uuid import uuid4", "uuid.uuid4"),
        ("async def post(): ...", "await"),
        ("async def post():\n    await reply", "await"),
        ("path.read_text()", "read_text"),
        ("def late():\n    import random", "random"),
    ],
)
def test_outside_world_is_noticed(source: str, found: str):
    assert found in outside_world(source)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime, timedelta\ndatetime(2026, 1, 1, tzinfo=UTC)",
        "ledger.open(account)",
        "def sample(random): return random",
        "import time\ntime.struct_time",
        "from uuid import UUID",
        '"""Never call open() or time.time()."""',
    ],
)
def test_pure_code_is_left_alone(source: str):
    assert outside_world(source) == set()


def test_foreign_imports_are_noticed():
    source = "import attrs, decimal, numpy.linalg\nfrom sqlalchemy import text\nfrom . import errors"

    assert foreign_imports(source) == {"numpy", "sqlalchemy"}


def test_every_package_is_under_every_check():
    """A new package is also linted for imports and measured for coverage."""
    shelves = (ROOT / "src", ROOT / "src" / "adapters", ROOT / "src" / "entrypoints")
    packages = sorted(init.parent.name for shelf in shelves for init in shelf.glob("*/__init__.py"))

    with (ROOT / "pyproject.toml").open("rb") as file:
        tool = tomllib.load(file)["tool"]

    assert sorted(tool["importlinter"]["root_packages"]) == packages
    assert sorted(tool["coverage"]["run"]["source"]) == packages
    [inward, *_] = tool["importlinter"]["contracts"]
    assert sorted(name for layer in inward["layers"] for name in layer.split(" | ")) == packages
