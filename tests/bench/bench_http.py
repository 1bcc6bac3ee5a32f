"""The HTTP service under wrk: single posts, batches and balances against a route that does nothing."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import httpx2
from attrs import frozen
from harness import (  # type: ignore[import-not-found]
    Target,
    fresh_database,
    interleaved,
    new_ledger,
    options,
    report,
    seconds_of,
    server,
    transfers,
)

ACCOUNTS = 1_000
PASSWORD = "nothing to guess here"
HERE = Path(__file__).parent

LOAD = HERE / "load"
Figures = dict[str, str | float]


@frozen
class Load:
    """What wrk saw: requests per second, and milliseconds at two percentiles."""

    rate: float
    p50: float
    p99: float


class Served:
    """A server process, or several on one port, with a user who owns a ledger."""

    def __init__(self, port: int, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.directory = directory
        self.ledger = ""
        self.token = ""

    def sign_in(self) -> None:
        """Register once, and log in."""
        person = {"email": "bench@example.com", "full_name": "Bench", "password": PASSWORD}
        with httpx2.Client(base_url=self.url, timeout=30) as client:
            client.post("/users", json={**person, "password_confirmation": PASSWORD})
            login = client.post("/auth/login", json={"email": person["email"], "password": PASSWORD})
            self.token = login.json()["data"]["access_token"]

    def create_ledger(self) -> None:
        """A ledger of the user's, with open accounts."""
        with httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=60) as client:
            made = client.post("/ledgers", json={"name": "bench"})
            self.ledger = made.raise_for_status().json()["data"]["ledger"]
            items = [
                {"type": "account", "account": f"assets:customer-{number:06d}", "currency": "EUR"}
                for number in range(ACCOUNTS)
            ]
            client.post(f"/ledgers/{self.ledger}/batches", json={"items": items}).raise_for_status()

    def wrk(self, path: str, script: str, *, connections: int, seconds: int, body: Path | None = None) -> Load:
        """Load one path by a script and read what came of it."""
        told = subprocess.run(
            [
                "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s",
                "-H", f"Authorization: Bearer {self.token}", "-s", str(LOAD / f"{script}.lua"),
                f"{self.url}/ledgers/{self.ledger}/{path}",
            ],
            capture_output=True, text=True, check=True,
            env={**os.environ, "LOAD_DONE": str(LOAD / "done.lua"), "LOAD_BODY": str(body)},
        )  # fmt: skip
        found = json.loads(told.stdout.partition("RESULT ")[2].splitlines()[0])
        if found["errors"]:
            raise SystemExit(f"{path}: {found['errors']} requests failed\n{told.stdout}")
        return Load(found["requests"] / found["microseconds"] * 1e6, found["p50"] / 1_000, found["p99"] / 1_000)


@contextmanager
def serving(database: str, directory: Path, *, processes: int = 1) -> Iterator[Served]:
    """The service on a free port; `memory` needs no database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "LEDGERCORE_DATABASE_URL": database,
        "LEDGERCORE_SECRET": secrets.token_hex(64),
        "LEDGERCORE_ACCESS_SECONDS": "86400",
        "LEDGERCORE_RATE_PER_USER": "60000000/60",
        "LEDGERCORE_RATE_PER_ADDRESS": "60000000/60",
        "LEDGERCORE_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [sys.executable, str(HERE / "http_server.py"), str(port), str(processes)], env=environment, cwd=HERE
    )
    try:
        served = Served(port, directory)
        _wait_until_ready(served.url, process)
        served.sign_in()
        yield served
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(url: str, process: subprocess.Popen[Any]) -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            if process.poll() is not None:
                raise SystemExit("the server did not start") from None
        time.sleep(0.1)
    raise SystemExit("the server does not get ready")


def main() -> None:
    """Measure and print."""
    if which("wrk") is None:
        raise SystemExit("needs wrk: on Debian or Ubuntu, apt install wrk")
    chosen = options(__doc__, rounds=3, seconds=5)
    figures: Figures = {}
    targets: list[Target] = []
    with server(chosen) as url, fresh_database(url) as database, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with serving(database, directory) as served, serving("memory", directory) as memory:
            served.create_ledger()
            memory.create_ledger()
            singles(served, memory, chosen, figures, targets)
            balances(served, memory, chosen, figures, targets)
            batches(served, database, chosen, figures, targets)
        with serving(database, directory) as one, serving(database, directory, processes=2) as two:
            two.create_ledger()
            one.sign_in()
            processes(one, two, chosen, figures, targets)
    report("HTTP, requests per second unless said otherwise", figures, targets, chosen)


def singles(
    served: Served, memory: Served, chosen: Any, figures: dict[str, str | float], targets: list[Target]
) -> None:
    """One transfer a request."""
    for connections in (64, 256):
        seen: dict[str, list[Load]] = {}

        def load(case: str, target: Served, path: str, connections: int = connections, seen: Any = seen) -> float:
            found = target.wrk(path, "post", connections=connections, seconds=chosen.seconds)
            seen.setdefault(case, []).append(found)
            return found.rate

        rates = interleaved(
            {
                "no-op, no database": lambda load=load: load("no-op", memory, "noop"),
                "no-op, identity in the database": lambda load=load: load("no-op+", served, "noop"),
                "transfer": lambda load=load: load("transfer", served, "transactions"),
                "a transaction for each request": lambda load=load: load("alone", served, "alone"),
            },
            chosen.rounds,
        )
        p99 = {case: sorted(each.p99 for each in loads)[len(loads) // 2] for case, loads in seen.items()}
        at = f"{connections} connections"
        figures |= {f"POST {case}, {at}": rate for case, rate in rates.items()}
        figures |= {f"p99 ms of {case}, {at}": f"{value:12.1f}" for case, value in p99.items()}
        targets += [
            Target(f"transfer / no-op without database, {at}", 0.5, rates["transfer"] / rates["no-op, no database"]),
            Target(f"p99: 4 x no-op / transfer, {at}", 1.0, 4 * p99["no-op"] / p99["transfer"]),
            Target(
                f"transfer / a transaction for each request, {at}", 6.0,
                rates["transfer"] / rates["a transaction for each request"],
            ),
        ]  # fmt: skip


def balances(
    served: Served, memory: Served, chosen: Any, figures: dict[str, str | float], targets: list[Target]
) -> None:
    """GET a balance."""

    def load(target: Served, path: str) -> float:
        return target.wrk(path, "get", connections=64, seconds=chosen.seconds).rate

    rates = interleaved(
        {
            "no-op, no database": lambda: load(memory, "noop/ACCOUNT"),
            "balance": lambda: load(served, "accounts/ACCOUNT/balance"),
        },
        chosen.rounds,
    )
    figures |= {f"GET {case}, 64 connections": rate for case, rate in rates.items()}
    targets.append(Target("GET balance / no-op without database", 0.5, rates["balance"] / rates["no-op, no database"]))


def batches(served: Served, database: str, chosen: Any, figures: Figures, targets: list[Target]) -> None:
    """A thousand transfers a request, against the library in one thread."""
    ledger = new_ledger(database, "library", accounts=ACCOUNTS)
    commands = transfers(1_000, accounts=ACCOUNTS)
    items = [
        {
            "lines": [
                {
                    "debit": command.lines[0].debit,
                    "credit": command.lines[0].credit,
                    "amount": f"{command.lines[0].amount.minor / 100:.2f}",
                    "currency": "EUR",
                }
            ]
        }
        for command in commands
    ]
    file = served.directory / "batch.json"
    file.write_text(json.dumps({"items": items}))

    def posted() -> float:
        made = [transfers(1_000, accounts=ACCOUNTS) for _ in range(20)]
        return 20_000 / seconds_of(lambda: [ledger.post_all(batch) for batch in made])

    def sent() -> float:
        return 1_000 * served.wrk("batches", "batch", connections=1, seconds=chosen.seconds, body=file).rate

    rates = interleaved({"library": posted, "HTTP": sent}, chosen.rounds)
    figures |= {f"transfers a second in batches of 1,000, {case}": rate for case, rate in rates.items()}
    targets.append(Target("batch of 1,000 / the library", 0.5, rates["HTTP"] / rates["library"]))


def processes(one: Served, two: Served, chosen: Any, figures: Figures, targets: list[Target]) -> None:
    """Two server processes on one database."""
    one.ledger = two.ledger
    rates = interleaved(
        {
            "one process": lambda: one.wrk("transactions", "post", connections=64, seconds=chosen.seconds).rate,
            "two processes": lambda: two.wrk("transactions", "post", connections=64, seconds=chosen.seconds).rate,
        },
        chosen.rounds,
    )
    figures |= {f"POST transfer, 64 connections, {case}": rate for case, rate in rates.items()}
    targets.append(Target("two processes / one", 1.0, rates["two processes"] / rates["one process"]))


if __name__ == "__main__":
    main()
