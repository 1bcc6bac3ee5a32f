"""One run of the command line: what was chosen before the command, and what commands print through."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ledgercore.bank import Bank
    from ledgercore.identity.identity import Identity
    from ledgercore.ledger.ledger import Ledger
    from ledgercore_cli.application import Application, Store
    from ledgercore_cli.rendering import View


class Session:
    """What commands share: the application, the chosen database and ledger, and the way to print."""

    def __init__(self, application: "Application") -> None:
        self.application = application
        self.database: str | None = None
        self.ledger_option: str | None = None
        self.as_json = False

    @property
    def ledger_name(self) -> str:
        """The ledger that was chosen, or the default one."""
        return self.ledger_option or self.application.default_ledger()

    @contextmanager
    def store(self) -> "Iterator[Store]":
        """The ledgers of the chosen database."""
        with self.application.open_store(self.database) as store:
            yield store

    @contextmanager
    def identity(self) -> "Iterator[Identity]":
        """Users, tokens, members and the audit log of the chosen database."""
        with self.application.open_identity(self.database) as identity:
            yield identity

    @contextmanager
    def bank(self) -> "Iterator[Bank]":
        """Jobs, events, statements, banking and payments of the chosen database."""
        with self.application.open_bank(self.database) as bank:
            yield bank

    @contextmanager
    def ledger(self) -> "Iterator[Ledger]":
        """The chosen ledger; raises `ledger_not_found` with the command that creates it."""
        from ledgercore.errors import NotFoundError
        from ledgercore.ledger.ledger import Ledger

        name = self.ledger_name
        with self.store() as store:
            try:
                journal = store.journal(name)
            except NotFoundError as error:
                raise NotFoundError(error.reason, ledger=name, remedy=f"ledgercore ledger create {name}") from error
            yield Ledger(journal)

    def show(self, document: Any, *views: "View") -> None:
        """Print the document for programs, or the views for people."""
        from ledgercore_cli import rendering

        if self.as_json:
            rendering.print_json(document)
        else:
            rendering.print_views(views)

    def note(self, text: str) -> None:
        """Tell people something beside the result, on standard error; programs do not need it."""
        if not self.as_json:
            click.echo(text, err=True)

    def more(self, next_cursor: str | None) -> None:
        """Tell people how to ask for the next page, if there is one."""
        if next_cursor is not None:
            self.note(f"more: --cursor {next_cursor}")

    @contextmanager
    def progress(self, label: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A bar on standard error while something long runs; call what it gives with each advance.

        Shown only where standard error is a terminal.
        """
        if self.as_json or not sys.stderr.isatty():
            yield _nothing
            return
        from ledgercore_cli.rendering import progress_bar

        with progress_bar(label, total=total) as advance:
            yield advance


pass_session = click.make_pass_decorator(Session)


def _nothing(_: int) -> None:
    """Advance no bar."""
