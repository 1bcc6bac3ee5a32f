"""What `--database` and `LEDGERCORE_DATABASE_URL` may say."""

from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from attrs import field, frozen

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore_app.settings import Settings

EMBEDDED: Final = "embedded"
MEMORY: Final = "memory"
ALLOWED: Final = ("embedded", "embedded:DIRECTORY", "postgresql://…", "memory")


@frozen
class Embedded:
    """The server that comes along, with its data in a directory."""

    data_directory: Path

    def __str__(self) -> str:
        return f"embedded:{self.data_directory}"


@frozen
class Server:
    """A PostgreSQL server that somebody else runs."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        # A password is not for screens and logs.
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}", query=""))


@frozen
class Memory:
    """Nothing is kept."""

    def __str__(self) -> str:
        return MEMORY


Database: TypeAlias = Embedded | Server | Memory


def database_from(text: str | None, settings: Settings) -> Database:
    """Read a database's name; `None` is the one of the settings. Raises `configuration_error`."""
    text = settings.database_url if text is None else text
    if text == EMBEDDED:
        return Embedded(settings.data_directory)
    if text.startswith(f"{EMBEDDED}:") and len(text) > len(EMBEDDED) + 1:
        return Embedded(Path(text.removeprefix(f"{EMBEDDED}:")).expanduser())
    if text == MEMORY:
        return Memory()
    if text.partition("://")[0] in ("postgresql", "postgres", "postgresql+psycopg"):
        return Server(f"postgresql{text[text.index('://') :]}")
    # What is not understood is not repeated either: it may be a URL with a password.
    raise InternalError(CONFIGURATION_ERROR, setting="database", why="not a database's name", allowed=ALLOWED)
