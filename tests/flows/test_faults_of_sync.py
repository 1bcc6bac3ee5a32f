"""Synchronising while workers, the database and the bank fail: every row once, and never a wrong balance."""

import signal
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from time import sleep

import pytest
from attrs import evolve
from sqlalchemy import Engine

from ledgercore.banking.accounts import AccountStatus
from ledgercore.banking.breaker import CircuitState
from ledgercore.banking.findings import DIFFERENCE
from ledgercore.banking.logins import RUN_LEASE, LoginStatus, Run
from ledgercore.banking.sync_jobs import QUEUE, SYNC
from ledgercore.identity.audit import OPERATOR
from ledgercore.jobs.jobs import JobState
from ledgercore.jobs.running import Ran
from ledgercore.testing.identity_people import new_id
from ledgercore_postgres import connect, migrate
from ledgercore_sandbox import Sandbox, running_sandbox

from .bank_world import WINDOW_SECONDS, Mortals, OwnServer, SyncedWorld, Time, until, working

ROWS = 300
STEPS_MIN = {"first": {"commits": 12, "bank": 6, "database": 60}, "later": {"commits": 7, "bank": 3, "database": 40}}
"""How many steps a synchronisation takes at least, so that none is passed over."""


@pytest.fixture
def time() -> Time:
    """The time of the bank outside and ours."""
    return Time()


@pytest.fixture
def sandbox(time: Time) -> Iterator[Sandbox]:
    """A bank outside."""
    with running_sandbox(clock=time, transactions=ROWS) as sandbox:
        yield sandbox


@pytest.fixture
def server(open_directory: Path) -> Iterator[OwnServer]:
    """A server that may be killed."""
    server = OwnServer(open_directory / "data")
    yield server
    server.close()


@pytest.fixture
def killable(server: OwnServer, time: Time, sandbox: Sandbox) -> Iterator[SyncedWorld]:
    """Our bank in a database whose server may be killed."""
    engine = connect(server.url)
    migrate(engine)
    world = SyncedWorld(server.url, engine, time, sandbox=sandbox)
    yield world
    world.outbound.close()
    engine.dispose()


@pytest.fixture
def world(database_url: str, engine: Engine, time: Time, sandbox: Sandbox) -> Iterator[SyncedWorld]:
    """Our bank in this test's database."""
    world = SyncedWorld(database_url, engine, time, sandbox=sandbox)
    yield world
    world.outbound.close()


@pytest.fixture
def mortals(database_url: str) -> Iterator[Mortals]:
    """Workers of this test's database that die when they are told to."""
    mortals = Mortals(database_url)
    yield mortals
    mortals.close()


EACH = [
    ("commits", "sent"),
    ("bank", "answered"),
    pytest.param("database", "before", marks=pytest.mark.long),
    pytest.param("database", "sent", marks=pytest.mark.long),
]


@pytest.mark.slow
@pytest.mark.parametrize(("of", "moment"), EACH)
def test_worker_killed_at_any_step_of_a_later_synchronisation(
    world: SyncedWorld, mortals: Mortals, of: str, moment: str
) -> None:
    """At each unit of work, with rows that are booked, declined and new at the bank before and behind it."""
    login = world.connect()
    world.finish(mortals, QUEUE)
    for step in count(1):
        coffee, gone = (world.make(-100 - step, description=f"{name} {step}") for name in ("coffee", "gone"))
        world.ask_again(login)
        ended = mortals.work(QUEUE, at=world.time, death={"of": of, "moment": moment, "at": step})
        world.check_posted_is_known(login)
        world.sandbox.control.settle(coffee, amount_minor=-200 - step)
        world.sandbox.control.decline(gone)
        world.finish(mortals, QUEUE)
        world.check_posted_is_known(login)
        assert world.login(login).run is None
        if ended:
            break

    world.ask_again(login)
    world.finish(mortals, QUEUE)
    world.check_agrees(login)
    assert step > STEPS_MIN["later"][of]
    world.check_sound()


@pytest.mark.slow
@pytest.mark.parametrize(("of", "moment"), EACH)
def test_worker_killed_at_any_step_of_the_first_synchronisation(
    world: SyncedWorld, mortals: Mortals, of: str, moment: str
) -> None:
    """At each unit of work of an import, or with an answer of the bank that nobody has kept."""
    for step in count(1):
        login = world.connect()
        ended = mortals.work(QUEUE, at=world.time, death={"of": of, "moment": moment, "at": step})
        world.finish(mortals, QUEUE)
        world.check_agrees(login)
        assert world.login(login).run is None
        if ended:
            break

    assert step > STEPS_MIN["first"][of]
    world.check_sound()


def test_job_that_finds_another_at_it_looks_again(world: SyncedWorld) -> None:
    """When the other's lease has lapsed, and not only at the next time that was planned: it may have ended."""
    login, now = world.connect(), world.time()
    left = Run(id=new_id(), started_at=now, leased_until=now + RUN_LEASE)
    with world.store.begin() as work:
        work.bank_logins.save(evolve(login, run=left, last_run_at=now))

    world.drain()

    again, first = world.jobs(SYNC)
    assert (first.state, again.state, again.run_at) == (JobState.DONE, JobState.WAITING, left.leased_until)
    world.time.forward(RUN_LEASE.total_seconds())
    assert reasons_by_login(world.drain()) == {str(login.id): None}
    world.check_agrees(login)


@pytest.mark.slow
def test_worker_killed_with_tokens_that_nobody_has_kept(world: SyncedWorld, mortals: Mortals) -> None:
    """A refresh token is good once: where its answer is lost, the user must connect again, and nothing else is lost."""
    lost = []
    for step in count(1):
        login = world.connect()
        world.sandbox.control.fault("token_expiry_mid_page", path="/monzo/transactions")
        ended = mortals.work(QUEUE, at=world.time, death={"of": "bank", "moment": "answered", "at": step})
        world.finish(mortals, QUEUE)
        world.sandbox.control.clear_faults()
        if world.login(login).status is LoginStatus.ERROR:
            lost.append(step)
            assert world.login(login).status_reason == "consent_expired"
            world.check_posted_is_known(login)
            world.connect_again(login)
            world.finish(mortals, QUEUE)
        world.check_agrees(login)
        if ended:
            break

    assert len(lost) == 1
    world.check_sound()


@pytest.mark.slow
def test_database_killed_under_a_synchronisation(server: OwnServer, killable: SyncedWorld) -> None:
    """At random, at once and hard in turn: the same worker goes on by itself, where it was."""
    draw = Random(4)
    with working(server.url, f"{QUEUE}:1"):
        for number in (signal.SIGQUIT, signal.SIGKILL) * 2:
            login = killable.connect()
            until(lambda: killable.login(login).run is not None)  # noqa: B023
            sleep(draw.random() / 2)
            server.kill(number)
            server.start()
            until(lambda: killable.unfinished(QUEUE) == 0)
            killable.check_agrees(login)

    assert any(job.failures for job in killable.jobs(SYNC)), "nothing was met in the middle"
    killable.check_sound()


@pytest.mark.slow
def test_bank_that_is_not_there(world: SyncedWorld) -> None:
    """Its circuit opens and closes as documented, its jobs are tried again, and other banks go on meanwhile."""
    down, other = world.connect(), world.connect("berlin_group")
    bank = world.bank_of(down)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        nowhere = f"http://127.0.0.1:{listening.getsockname()[1]}"
    world.bank.banking.banks.change(bank.id, {"api_url": nowhere}, actor=OPERATOR)

    outcomes = reasons_by_login(world.drain())

    world.check_agrees(other, "berlin_group")
    assert outcomes == {str(down.id): "service_unavailable", str(other.id): None}
    assert world.circuit_of(down) is CircuitState.CLOSED
    world.time.forward(2)
    assert reasons_by_login(world.drain()) == {str(down.id): "circuit_open"}
    assert world.circuit_of(down) is CircuitState.OPEN
    assert (world.login(down).status, world.circuit_of(other)) == (LoginStatus.ACTIVE, CircuitState.CLOSED)
    world.time.forward(31)
    assert world.circuit_of(down) is CircuitState.HALF_OPEN
    world.bank.banking.banks.change(bank.id, {"api_url": f"{world.sandbox.url}/monzo"}, actor=OPERATOR)
    assert reasons_by_login(world.drain()) == {str(down.id): None}
    assert world.circuit_of(down) is CircuitState.CLOSED
    world.check_agrees(down)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        # The fifth failure opens the circuit, and the first answer from elsewhere at the bank closes it.
        ("500", ["bank_api_error", "circuit_open"] * 2),
        ("429", ["bank_rate_limited", "circuit_open"] * 2),
        ("timeout", ["timeout", "circuit_open"] * 2),
        # What cannot be read is not asked for again at once.
        ("garbage", ["bank_api_error"] * 4),
    ],
)
def test_bank_that_does_not_get_well(world: SyncedWorld, kind: str, reasons: list[str]) -> None:
    """Its job is given up with the reason; the next one brings everything that was missed."""
    login, other = world.connect(), world.connect("berlin_group")
    world.sandbox.control.fault(kind, times=1_000, path="/monzo/balance", seconds=1)

    told = []
    while world.unfinished(QUEUE):
        found = reasons_by_login(world.drain())
        told += [reason for name, reason in found.items() if name == str(login.id)]
        world.check_posted_is_known(login)
        world.time.forward(31)

    world.check_agrees(other, "berlin_group")
    [job] = [job for job in world.jobs(SYNC) if job.arguments["bank_login_id"] == str(login.id)]
    assert (told, job.state) == (reasons, JobState.DEAD)
    assert [failure.reason for failure in job.failures] == reasons
    assert world.account(login).status is AccountStatus.INACTIVE, "a balance was told that is not whole"
    assert world.login(login).status is LoginStatus.ACTIVE
    world.sandbox.control.clear_faults()
    world.ask_again(login)
    assert reasons_by_login(world.drain()) == {str(login.id): None}
    assert world.circuit_of(login) is CircuitState.CLOSED
    world.check_agrees(login)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["monzo", "berlin_group"])
def test_bank_that_lies(world: SyncedWorld, kind: str) -> None:
    """Twins, latecomers, amended and vanished rows, and a wrong balance: noted, never corrected in silence."""
    login = world.connect(kind)
    world.drain()
    for fault in ("duplicate_rows", "late_rows", "amend_pending", "drop_pending", "wrong_balance"):
        world.sandbox.control.fault(fault, path="/")
    world.ask_again(login)
    world.drain()

    world.check_posted_is_known(login)
    [difference] = [found for found in world.findings(login) if found.kind == DIFFERENCE]
    assert difference.resolved_at is None
    assert sum(int(difference.details[name]) for name in ("expected_minor", "difference_minor")) == int(
        difference.details["bank_minor"]
    )
    world.sandbox.control.clear_faults()
    world.ask_again(login)
    world.drain()
    world.check_agrees(login, kind)
    world.check_sound()


@pytest.mark.slow
def test_consent_that_is_taken_back_between_pages(world: SyncedWorld) -> None:
    """The login is in ERROR until its user connects again; what was read is kept, and shown to nobody as a balance."""
    login = world.connect()
    customer = world.told_account()["customer_id"]
    world.sender.meddle("monzo transactions", lambda: world.sandbox.control.revoke(customer))

    world.drain()

    failed = world.login(login)
    assert (failed.status, failed.status_reason) == (LoginStatus.ERROR, "consent_expired")
    assert failed.sealed_tokens is None
    assert {job.state for job in world.jobs(SYNC)} == {JobState.DONE}
    assert 0 < len(world.rows(login)) < ROWS
    world.check_posted_is_known(login)
    assert world.account(login).status is AccountStatus.INACTIVE
    world.time.forward(WINDOW_SECONDS)
    world.connect_again(login)
    assert reasons_by_login(world.drain()) == {str(login.id): None}
    world.check_agrees(login)


@pytest.mark.slow
def test_consent_that_has_come_to_its_end(world: SyncedWorld) -> None:
    """The bank is not even asked; what is known of the account stays as it is."""
    login = world.connect()
    world.drain()
    balance = world.balance(world.account(login))
    world.time.forward(timedelta(days=91).total_seconds())
    world.make(-500, booked=True)
    world.ask_again(login)

    world.drain()

    failed = world.login(login)
    assert (failed.status, failed.status_reason) == (LoginStatus.ERROR, "consent_expired")
    assert world.balance(world.account(login)) == balance
    world.check_posted_is_known(login)
    world.connect_again(login)
    world.drain()
    world.check_agrees(login)


def reasons_by_login(ran: Sequence[Ran]) -> dict[str, str | None]:
    """Why the synchronisation of each login failed, or that it did not."""
    return {
        each.job.arguments["bank_login_id"]: None if each.error is None else each.error.code
        for each in ran
        if each.job.kind == SYNC
    }
