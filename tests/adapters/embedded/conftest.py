"""Real servers in short-lived directories; every test has to stop what it started."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from ledgercore_embedded import EmbeddedServer, attach

CLIENT = """
import sys
from pathlib import Path
from ledgercore_embedded import attach
server = attach(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.readline()
server.close()
"""


def scratch_place() -> Path:
    """Make an empty directory that other users can pass, unlike pytest's own; in memory where that has room."""
    memory = Path("/dev/shm")
    roomy = False
    if memory.is_dir():
        status = os.statvfs(memory)
        roomy = status.f_bavail * status.f_frsize > 2 << 30 and not status.f_flag & os.ST_NOEXEC
    place = Path(tempfile.mkdtemp(prefix="lc-", dir=memory if roomy else "/tmp"))
    place.chmod(0o755)
    return place


class Client:
    """A Python process that uses the server of a directory until it is told to finish."""

    def __init__(self, directory: Path, code: str = CLIENT, **options) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, str(directory)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), **options,
        )  # fmt: skip

    def told(self) -> str:
        """The next line of its output; of the usual client, the URL once it has a server."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        """Tell it to finish without waiting for it."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self) -> None:
        self.process.communicate("\n", timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


def environment() -> dict[str, str]:
    """Let new processes import what this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def worked_on(directory: Path) -> bool:
    """Whether a process of the server, or initdb, is alive."""
    with (directory / "work.lock").open("rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def server_processes(directory: Path) -> list[int]:
    """The postmaster first, then the others that work in the cluster."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if directory.resolve() in Path(os.readlink(process / "cwd")).parents:
                found.append(int(process.name))
        except OSError:
            continue
    return sorted(found, key=lambda process_id: (process_id != postmaster(directory), process_id))


def postmaster(directory: Path) -> int:
    try:
        return int((directory / "cluster" / "postmaster.pid").read_text().partition("\n")[0])
    except (OSError, ValueError):
        return 0


def kill_all(directory: Path) -> None:
    """End every process of the server at once, as a crash of the machine would."""
    while found := server_processes(directory):
        for process_id in found:
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory, checked for servers left behind."""
    place = scratch_place()
    yield place
    left = [lock.parent for lock in place.rglob("work.lock") if worked_on(lock.parent)]
    for directory in left:
        kill_all(directory)
    shutil.rmtree(place)
    assert left == []


@pytest.fixture
def fresh(place: Path) -> Path:
    """A data directory that does not exist yet."""
    return place / "data"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A data directory that was used once; making one takes longer than all else in most tests."""
    place = scratch_place()
    attach(place / "data").close()
    yield place / "data"
    shutil.rmtree(place)


@pytest.fixture
def make_used(template: Path) -> Callable[[Path], None]:
    """Make a data directory as an earlier run left it."""

    def make(directory: Path) -> None:
        directory.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-Rp", "--", template, directory], check=True)

    return make


@pytest.fixture
def directory(place: Path, make_used: Callable[[Path], None]) -> Path:
    """A data directory as an earlier run left it."""
    make_used(place / "data")
    return place / "data"


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Start client processes; those still there at the end are killed."""
    clients: list[Client] = []

    def start(directory: Path, **options) -> Client:
        clients.append(Client(directory, **options))
        return clients[-1]

    yield start
    for started in clients:
        started.kill()


@pytest.fixture
def query() -> Callable[..., object]:
    """Run one statement and give the value it returns, if any."""

    def run(server: EmbeddedServer | str, statement: str) -> object:
        url = server if isinstance(server, str) else server.url
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    return run


@pytest.fixture
def is_running() -> Callable[[Path], bool]:
    return worked_on


@pytest.fixture
def crash() -> Callable[[Path], None]:
    return kill_all


@pytest.fixture
def postmaster_of() -> Callable[[Path], int]:
    return postmaster


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
