"""Commands that are imported only when they are run, and the options that every one of them takes."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from ledgercore_cli.session import Session


class Entry(NamedTuple):
    """Where a command is, what it does in one line, and the theme it is listed under."""

    module: str
    attribute: str
    help: str
    theme: str


class LazyGroup(click.Group):
    """A group that shows its help without importing a single command."""

    def __init__(self, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(**options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click: the names, in the order of the help page."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click: import the command now."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return with_common_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click: one list for each theme."""
        themes: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            themes.setdefault(entry.theme, []).append((name, entry.help))
        for theme, rows in themes.items():
            with formatter.section(theme):
                formatter.write_dl(rows, col_max=14)


def common_options() -> Sequence[click.Option]:
    """The options that may stand before a command or behind it."""
    return [
        click.Option(
            ["--database"],
            metavar="URL",
            expose_value=False,
            callback=_remember("database"),
            help="Where the ledgers are: embedded, embedded:DIRECTORY, postgresql://… or memory.",
        ),
        click.Option(
            ["--ledger"],
            metavar="NAME",
            expose_value=False,
            callback=_remember("ledger_option"),
            help="The ledger to use (default: LEDGERCORE_LEDGER or main).",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            default=None,
            expose_value=False,
            callback=_remember("as_json"),
            help="Print one JSON document instead of tables, and errors as problem documents.",
        ),
    ]


def with_common_options(command: click.Command) -> click.Command:
    """Let a command, or each command of a group, take the common options too."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            with_common_options(inner)
        return command
    taken: Final = {option for parameter in command.params for option in parameter.opts}
    command.params.extend(option for option in common_options() if not taken & set(option.opts))
    return command


def _remember(attribute: str) -> Any:
    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        session = ctx.find_object(Session)
        if value is not None and session is not None:
            setattr(session, attribute, value)

    return callback
