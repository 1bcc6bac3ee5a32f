"""Logs: one JSON object on one line for each event, whoever reports it, without secrets."""

import logging
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from json import JSONEncoder
from typing import Any, Final, TextIO, TypeAlias

import structlog
from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.typing import FilteringBoundLogger

from ledgercore.errors import InternalError, JsonValue
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore_telemetry.redaction import REDACTED, is_sensitive, redacted

LEVELS: Final = ("debug", "info", "warning", "error", "critical")

_Fields: TypeAlias = MutableMapping[str, Any]
_Layout: TypeAlias = Callable[[dict[str, JsonValue]], str]

# Escaping everything outside of ASCII also escapes each character that some program takes for the end of a line.
_in_json: Final = JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
# What a record of the standard library has besides the fields that its reporter added.
_OF_RECORD: Final = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message", "taskName"}


def configure_logs(stream: TextIO, *, level: str = "info", json: bool = True) -> FilteringBoundLogger:
    """Write the events of this level and above to a stream; give the logger to report them with.

    Each is one JSON object on a line of its own with `time` (UTC), `level`, `event` and its fields; with
    `json=False` it is laid out for people. Records of the standard library's `logging` go the same way, in place
    of where the last call of this function sent them. Raises `configuration_error` for an unknown level.
    """
    if level not in LEVELS:
        raise InternalError(CONFIGURATION_ERROR, setting="log_level", value=level, known=LEVELS)
    lines = _Lines(stream)
    layout = _in_json if json else _for_people(colors=stream.isatty())

    def line(_: object, severity: str, fields: _Fields) -> str:
        return layout(_shown(severity, format_exc_info(None, severity, fields)))

    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(former)
    handler = _Handler(line, lines)
    # On both: some libraries give their loggers a level of their own.
    handler.setLevel(level.upper())
    root.setLevel(level.upper())
    root.addHandler(handler)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        lines, processors=[merge_contextvars, line], wrapper_class=structlog.make_filtering_bound_logger(level)
    ).bind()
    return logger


def _shown(level: str, fields: _Fields) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {
        "time": datetime.now(UTC).isoformat(),
        "level": level,
        "event": redacted(fields.pop("event", "")),
    }
    for name, value in fields.items():
        shown[name] = REDACTED if is_sensitive(name) else redacted(value)
    return shown


def _for_people(*, colors: bool) -> _Layout:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors, timestamp_key="time", sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def layout(shown: dict[str, JsonValue]) -> str:
        exception = shown.pop("exception", None)
        if isinstance(exception, str):
            traceback = "\n".join(map(_printable, exception.split("\n")))
            return f"{renderer(None, '', _all_printable(shown))}\n{traceback}"
        return str(renderer(None, "", _all_printable(shown)))

    return layout


def _all_printable(shown: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _printable(value) if isinstance(value, str) else value for name, value in shown.items()}


def _printable(text: str) -> str:
    """Spell out what would break the line or move the cursor."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


class _Lines:
    """A stream that takes one whole line at a time, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        # Whatever became of the reader or the disk: what is being reported has happened, and its work goes on.
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = write


class _Handler(logging.Handler):
    """Sends records of the standard library through the same line as all others."""

    def __init__(self, line: Callable[[object, str, _Fields], str], lines: _Lines) -> None:
        super().__init__()
        self._line = line
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields = {name: value for name, value in vars(record).items() if name not in _OF_RECORD}
            fields |= {"event": record.getMessage(), "logger": record.name, "exc_info": record.exc_info}
            level = record.levelname.lower()
            self._lines.write(self._line(None, level, merge_contextvars(None, level, fields)))
        except Exception as error:
            # The library's own way would print the arguments, which nobody has looked at for secrets.
            fields = {"event": "record cannot be logged", "logger": record.name, "exc_info": error}
            self._lines.write(self._line(None, "error", fields))
