"""`ledgercore sandbox bank`: a bank to try things on, in memory."""

import signal
import socket
from contextlib import suppress
from typing import Final

import click

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore_cli.session import Session, pass_session

PORT: Final = 4_100


@click.group(no_args_is_help=True)
def sandbox() -> None:
    """Things to try ledgercore on."""


@sandbox.command(short_help="Serve a made-up bank until interrupted.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535), help="The port; 0 takes any.")
@click.option("--customers", default=2, show_default=True, type=click.IntRange(1, 1_000), help="How many customers.")
@click.option(
    "--accounts",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Accounts of each customer at each bank.",
)
@click.option(
    "--transactions",
    default=100,
    show_default=True,
    type=click.IntRange(0, 1_000_000),
    help="Transactions of each account.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same bank.")
@pass_session
def bank(session: Session, host: str, port: int, customers: int, accounts: int, transactions: int, seed: int) -> None:
    """Serve a made-up bank until interrupted; it forgets everything at its end.

    \b
    /monzo    speaks like Monzo: OAuth pages, accounts, transactions, webhooks
    /bg/v1    speaks NextGenPSD2 of the Berlin Group: consents, accounts, transactions
    /control  makes things happen: faults, transactions, settlements, time; from this machine only
    """
    # Whoever asks for the end, at the keyboard or by SIGTERM, gets the same one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), _listen(host, port) as listening:
        from uvicorn import Server

        from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, create_sandbox, server_config

        app = create_sandbox(
            clock=session.application.clock,
            seed=seed,
            customers=customers,
            accounts=accounts,
            transactions=transactions,
        )
        at, named_port = listening.getsockname()[:2]
        url = f"http://[{at}]:{named_port}" if ":" in at else f"http://{at}:{named_port}"
        session.note(f"Monzo: {url}/monzo\nBerlin Group: {url}/bg/v1\ncontrol: {url}/control")
        session.note(f"client: {CLIENT_ID}, secret: {CLIENT_SECRET}")
        Server(server_config(app)).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the bank is made; raises `configuration_error`."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        raise InternalError(CONFIGURATION_ERROR, host=host, port=port, why=str(error)) from error
