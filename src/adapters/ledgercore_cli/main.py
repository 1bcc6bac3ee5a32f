"""The program `ledgercore`: parse, run one command, and turn whatever happened into an exit status."""

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from ledgercore_cli import exit_codes
from ledgercore_cli.commands import COMMANDS
from ledgercore_cli.groups import Entry, LazyGroup, common_options
from ledgercore_cli.session import Session

if TYPE_CHECKING:
    from ledgercore.errors import LedgercoreError
    from ledgercore_cli.application import Application

PROGRAM: Final = "ledgercore"
COMPLETE: Final = "_LEDGERCORE_COMPLETE"
HELP: Final = """A double-entry ledger: post, hold, reverse, report and prove.

Ledgers are kept in PostgreSQL. Without --database or LEDGERCORE_DATABASE_URL a server of
ledgercore's own is started, which keeps its data in LEDGERCORE_DATA_DIRECTORY: by default
/var/lib/ledgercore for root, ~/Library/Application Support/ledgercore on macOS, and
$XDG_DATA_HOME/ledgercore or ~/.local/share/ledgercore elsewhere.

The options below may also stand behind the command.
"""


def program(version: str, extra: Mapping[str, Entry] | None = None) -> LazyGroup:
    """The root command; `extra` are commands that the composition root adds."""
    group = LazyGroup(
        {**COMMANDS, **(extra or {})},
        name=PROGRAM,
        help=HELP,
        epilog=_epilog(),
        no_args_is_help=False,
        invoke_without_command=True,
        callback=_help_without_command,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        params=[*common_options()],
    )
    return click.version_option(version, prog_name=PROGRAM, message="%(prog)s %(version)s")(group)


def run(application: "Application", arguments: Sequence[str], *, extra: Mapping[str, Entry] | None = None) -> int:
    """Run one command and give the exit status; errors are told on standard error.

    Only a fault of our own shows a traceback.
    """
    session = Session(application)
    group = program(application.version, extra)
    if instruction := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(group, {"obj": session}, PROGRAM, COMPLETE, instruction)
    # Known before parsing has got that far, so that a mistake in the arguments is told in the same way.
    told_as_json = "--json" in arguments
    try:
        with group.make_context(PROGRAM, list(arguments), obj=session) as ctx:
            group.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        _tell_click(error, session, told_as_json)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.BROKEN_PIPE
    except Exception as error:
        return _tell(error, session, told_as_json or session.as_json)
    return exit_codes.DONE


def _tell(error: Exception, session: Session, as_json: bool) -> int:
    from ledgercore.errors import InternalError, LedgercoreError
    from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR

    if isinstance(error, LedgercoreError):
        _tell_reason(error, session, as_json)
        return exit_codes.exit_code_for(error)
    if not isinstance(error, OSError):
        traceback.print_exception(error)
    _tell_reason(InternalError(INTERNAL_SERVER_ERROR, why=f"{type(error).__name__}: {error}"), session, as_json)
    return exit_codes.INTERNAL


def _tell_click(error: click.ClickException, session: Session, as_json: bool) -> None:
    if not as_json:
        error.show()
        return
    from ledgercore.errors import ValidationError
    from ledgercore.errors.catalog import INVALID_ARGUMENT

    _tell_reason(ValidationError(INVALID_ARGUMENT, why=error.format_message()), session, as_json)


def _tell_reason(error: "LedgercoreError", session: Session, as_json: bool) -> None:
    if not as_json:
        click.echo(f"error: {error.code}: {error}", err=True)
        return
    from ledgercore.errors import problem

    instance = f"run_{os.urandom(8).hex()}"
    body = problem(error, instance=instance, correlation_id=None, timestamp=session.application.clock())
    # Who runs the command is the operator: what a service would keep to its log is told here.
    body |= {"detail": str(error), "details": dict(error.details)}
    click.echo(json.dumps(body, indent=2), err=True)


@click.pass_context
def _help_without_command(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _epilog() -> str:
    shown = [f"{code} {meaning}" for code, meaning in exit_codes.MEANINGS.items()]
    return "\b\nExit status:\n" + "\n".join(f"  {line}" for line in shown)
