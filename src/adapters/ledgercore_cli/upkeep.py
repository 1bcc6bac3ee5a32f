"""`ledgercore migrate`, `doctor` and `completion`."""

import click

from ledgercore_cli import exit_codes
from ledgercore_cli.application import FAIL
from ledgercore_cli.rendering import Column, Table, Text
from ledgercore_cli.session import Session, pass_session


@click.command()
@pass_session
def migrate(session: Session) -> None:
    """Bring a database to this version's schema; safe when several start at once."""
    done = session.application.migrate(session.database)
    said = f"already at {done.after}" if done.before == done.after else f"{done.before or 'empty'} -> {done.after}"
    session.show(done._asdict(), Text(f"{done.database}: {said}"))


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check the set-up that postings rely on; the status is 6 when a check fails."""
    session = ctx.find_object(Session)
    assert session is not None
    checks = list(session.application.examine(session.database))
    failed = sum(check.state == FAIL for check in checks)
    session.show(
        {"checks": [check._asdict() for check in checks], "healthy": not failed},
        Table(
            columns=(Column("check"), Column("state"), Column("found", folds=True), Column("remedy", folds=True)),
            rows=[tuple(check) for check in checks],
        ),
    )
    ctx.exit(exit_codes.DIVERGED if failed else exit_codes.DONE)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script; load it with: eval "$(ledgercore completion bash)"."""
    from click.shell_completion import get_completion_class

    from ledgercore_cli.main import COMPLETE, PROGRAM

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, PROGRAM, COMPLETE).source())
