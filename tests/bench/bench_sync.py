"""Synchronising an account of many transactions with the sandbox over HTTP, against only fetching them.

Fetching reads every page over the same connection and decodes it; synchronising also merges, stores and posts it.
"""

import os
import time
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
from harness import Target, clock, fresh_database, options, report, server  # type: ignore[import-not-found]
from sqlalchemy import event

from ledgercore.banking.logins import BankLogin
from ledgercore.banking.runs import OpenRun, Surroundings, bank_of
from ledgercore.banking.syncing import SyncStatus
from ledgercore.banking.use_cases import Banking
from ledgercore.clock import EPOCH
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.principals import Principal
from ledgercore.testing.identity_people import someone
from ledgercore_crypto import AesGcmSealer
from ledgercore_crypto.sealing import SealingKey
from ledgercore_outbound import AddressGuard, Exchanger, Outbound
from ledgercore_postgres import PostgresWorkStore, connect
from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox, running_sandbox

RATIO_WANTED = 0.10
STATEMENTS_PER_ROW_WANTED = 0.5

_numbers = count(1)


class Counted(psycopg.Cursor[Any]):
    """A cursor that counts what is sent."""

    sent = 0

    def execute(self, *arguments: Any, **options: Any) -> Any:
        Counted.sent += 1
        return super().execute(*arguments, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        told = list(params_seq)
        Counted.sent += len(told)
        super().executemany(query, told, **options)


def connected(banking: Banking, sandbox: Sandbox) -> BankLogin:
    """A new user who has connected the sandbox."""
    user, number = someone(), next(_numbers)
    with banking.around.store.begin() as work:
        work.users.add(user)
    told = {
        "name": f"Sandbox {number}", "code": f"SANDBOX_{number}", "country": "GB", "integration": "monzo",
        "api_url": sandbox.monzo_url, "authorize_url": f"{sandbox.monzo_url}/authorize", "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }  # fmt: skip
    bank = banking.banks.add(told, actor=OPERATOR)
    branch = banking.banks.add_branch(bank.id, {"name": "Main", "country": "GB"}, actor=OPERATOR)
    by = Principal(user_id=user.id, email=user.email, role=user.role)
    wish = banking.connecting.ask({"bank_branch_id": str(branch.id), "username": "bench01"}, by=by)
    begun = banking.connecting.begin(wish, actor=OPERATOR)
    with httpx2.Client(trust_env=False) as browser:
        answer = browser.get(f"{begun.authorization_url}&auto=yes")
    back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    login = banking.connecting.finish(state=back["state"], code=back["code"], actor=OPERATOR)
    sandbox.control.approve()
    return login


def fetched(banking: Banking, login: BankLogin) -> int:
    """Read every page and keep nothing; how many rows there were."""
    with banking.around.store.begin() as work:
        found = work.bank_logins.find(login.id)
        assert found is not None
        bank = bank_of(work, found)
    run = OpenRun(banking.around, found, bank, banking.around.client_of(bank))
    [account] = run.ask(run.client.list_accounts)
    rows, cursor = 0, None
    while True:
        tokens = found.open_tokens(banking.around.sealer)
        page = banking.around.exchanges.run(
            run.client.list_rows(tokens, account, since=EPOCH, cursor=cursor), bank=bank.code
        )
        rows, cursor = rows + len(page.rows), page.next_cursor
        if cursor is None:
            return rows


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rows=100_000)
    with (
        server(chosen) as url,
        fresh_database(url) as database,
        running_sandbox(transactions=chosen.rows) as sandbox,
        Outbound(guard=AddressGuard(allow_private=True)) as outbound,
    ):
        engine = connect(database)
        event.listen(engine, "connect", lambda driver, _: setattr(driver, "cursor_factory", Counted))
        store = PostgresWorkStore(engine, clock=clock)
        around = Surroundings(
            store=store,
            clock=clock,
            random_bytes=os.urandom,
            sealer=AesGcmSealer([SealingKey("bench", b"k" * 32)]),
            exchanges=Exchanger(sender=outbound, clock=clock),
            redirect_url="http://127.0.0.1:9/back",
        )
        banking = Banking(around=around, addresses=AddressGuard(allow_private=True), ledger="bank")

        login = connected(banking, sandbox)
        began = time.perf_counter()
        rows = fetched(banking, login)
        fetch_seconds = time.perf_counter() - began

        # A new login: the bank tells everything only in the first minutes.
        login = connected(banking, sandbox)
        Counted.sent = 0
        began = time.perf_counter()
        ended = banking.sync.run(login.id, actor=OPERATOR)
        sync_seconds = time.perf_counter() - began
        assert ended.status is SyncStatus.COMPLETED
        [account] = banking.accounts.list_of(by=Principal(
            user_id=login.user_id, email="bench@example.com", role=someone().role
        ))  # fmt: skip
        told = next(each for each in sandbox.control.accounts() if each["bank"] == "monzo")
        assert account.balance.minor == told["booked_minor"]
        engine.dispose()

    statements_per_row = Counted.sent / rows
    report(
        "Synchronisation with a bank",
        {
            "rows": rows,
            "fetched rows/s": rows / fetch_seconds,
            "synchronised rows/s": rows / sync_seconds,
            "statements": Counted.sent,
            "statements per row": f"{statements_per_row:12.3f}",
        },
        [
            Target("synchronising / fetching", RATIO_WANTED, fetch_seconds / sync_seconds),
            Target("rows per statement", 1 / STATEMENTS_PER_ROW_WANTED, 1 / statements_per_row),
        ],
        chosen,
    )


if __name__ == "__main__":
    main()
