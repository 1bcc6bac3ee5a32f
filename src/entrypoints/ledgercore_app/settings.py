"""What the environment says: `LEDGERCORE_…` variables, read once and checked by name."""

import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import AttrsInstance, field, fields, frozen
from attrs.converters import optional

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR

PREFIX: Final = "LEDGERCORE_"
_Settings = TypeVar("_Settings", bound=AttrsInstance)


def data_directory_default() -> Path:
    """Where the embedded database keeps its data, unless told otherwise.

    Root has /var/lib/ledgercore, since the server runs as another user who cannot pass root's home;
    others have the user's data directory of their system.
    """
    home = os.environ.get("XDG_DATA_HOME", "")
    if home.startswith("/"):
        return Path(home) / "ledgercore"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/ledgercore")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ledgercore"
    return Path.home() / ".local" / "share" / "ledgercore"


def _path(text: str | Path) -> Path:
    return Path(text).expanduser()


@frozen(kw_only=True)
class Settings:
    """What the program is told by its environment.

    `database_url` is `embedded`, `embedded:DIRECTORY`, a `postgresql://` URL or `memory`;
    `postgres_bin` holds the programs of the server to embed, where it shall not be the one of the wheel.
    """

    database_url: str = field(default="embedded", repr=False)
    ledger: str = "main"
    data_directory: Path = field(factory=data_directory_default, converter=_path)
    postgres_bin: Path | None = field(default=None, converter=optional(_path))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables that begin with `LEDGERCORE_`; empty ones count as absent.

        Raises `configuration_error` for one that this program does not have: it is misspelt, and
        would otherwise be ignored in silence.
        """
        from ledgercore_app.service_settings import ServiceSettings

        return read_settings(cls, environment, beside=(ServiceSettings,))


def read_settings(
    cls: type[_Settings], environment: Mapping[str, str], *, beside: tuple[type[AttrsInstance], ...]
) -> _Settings:
    """The fields of a class from variables of their names; `beside` are the classes that read the others.

    Raises `configuration_error` for a variable that no class has, and for a value that cannot be read.
    """
    names = {_variable(attribute.name): attribute.name for attribute in fields(cls)}
    known = [*names, *(_variable(attribute.name) for other in beside for attribute in fields(other))]
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(given.keys() - set(known))
    if unknown:
        close = get_close_matches(unknown[0].removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known], n=1)
        raise InternalError(
            CONFIGURATION_ERROR, setting=unknown[0], why="there is no such variable",
            known=known, **({"meant": PREFIX + close[0]} if close else {}),
        )  # fmt: skip
    values: dict[str, Any] = {}
    for variable, name in names.items():
        if given.get(variable):
            values[name] = given[variable]
            try:
                cls(**{name: given[variable]})
            except ValueError as error:
                # What was said is not repeated: it may be a secret.
                raise InternalError(CONFIGURATION_ERROR, setting=variable, why=str(error)) from None
    return cls(**values)


def _variable(name: str) -> str:
    return PREFIX + name.upper()
