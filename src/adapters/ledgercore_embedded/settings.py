"""What the server is told when it starts; the command line outranks every configuration file."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, UNSAFE_DURABILITY

PORT: Final = 5432

# What was acknowledged must survive a power cut.
DURABLE: Final[Mapping[str, str]] = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}

DEFAULTS: Final[Mapping[str, str]] = {
    "autovacuum": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "shared_buffers": "256MB",
    "timezone": "UTC",
}

# Reached over its socket only, and logging where the last lines can be shown.
FIXED: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "log_destination": "stderr",
    "logging_collector": "off",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
}
PLACES: Final = {"config_file", "data_directory", "hba_file", "ident_file", "unix_socket_directories"}
_NAME: Final = re.compile(r"[a-z_][a-z0-9_.]*")


def server_settings(overrides: Mapping[str, str]) -> Mapping[str, str]:
    """Put the overrides over the defaults.

    Raises `unsafe_durability` for a setting that keeps acknowledged commits safe, and `configuration_error`
    for one that the supervisor itself needs.
    """
    chosen = {_plain(name): str(value) for name, value in overrides.items()}
    for name, value in chosen.items():
        if name in DURABLE:
            raise InternalError(UNSAFE_DURABILITY, setting=name, value=value, allowed=[DURABLE[name]])
        if name in FIXED or name in PLACES:
            raise InternalError(CONFIGURATION_ERROR, setting=name, why="the embedded server sets it itself")
        if not _NAME.fullmatch(name) or "\0" in value:
            raise InternalError(CONFIGURATION_ERROR, setting=name, why="not a setting of PostgreSQL")
    return {**DEFAULTS, **chosen, **DURABLE, **FIXED}


def arguments(settings: Mapping[str, str], *, socket_directory: Path) -> Iterator[str]:
    """Write settings as arguments of `postgres`."""
    # The value is a list; only quotes keep one directory from being read as several.
    quoted = str(socket_directory).replace('"', '""')
    for name, value in {**settings, "unix_socket_directories": f'"{quoted}"'}.items():
        yield "-c"
        yield f"{name}={value}"


def _plain(name: str) -> str:
    # PostgreSQL reads either case, and a dash for an underscore.
    return name.strip().lower().replace("-", "_")
