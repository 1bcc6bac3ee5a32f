"""Payments carried out while workers, the database and the way to it fail: each once, and all that tells of it."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count as steps
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore.jobs.jobs import JobState
from ledgercore.payments.payments import PaymentStatus
from ledgercore.payments.processing import JOB_KIND, JOB_QUEUE
from ledgercore_postgres import connect, migrate

from ..adapters.postgres.test_faults import SOCKET, Link  # noqa: TID252 - the same link that the ledger's tests cut
from .bank_world import OPENING, Mortals, OwnServer, PayingWorld, until, working

PAYMENTS = 200
CUTS = 12
STEPS_MIN = {"database": 40, "commits": 2}
"""How many steps a worker takes for a batch at least, so that none is passed over."""
OTHERS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@pytest.fixture
def world(database_url: str, engine: Engine) -> PayingWorld:
    """Accounts with money in them, in this test's database."""
    return PayingWorld(database_url, engine)


@pytest.fixture
def mortals(database_url: str) -> Iterator[Mortals]:
    """Workers of this test's database that die when they are told to."""
    mortals = Mortals(database_url)
    yield mortals
    mortals.close()


@pytest.fixture
def server(open_directory: Path) -> Iterator[OwnServer]:
    """A server that may be killed."""
    server = OwnServer(open_directory / "data")
    yield server
    server.close()


@pytest.fixture
def killable(server: OwnServer) -> Iterator[PayingWorld]:
    """Accounts with money in them, in a database whose server may be killed."""
    engine = connect(server.url)
    migrate(engine)
    yield PayingWorld(server.url, engine)
    engine.dispose()


@pytest.fixture
def link(database_url: str, open_directory: Path) -> Iterator[Link]:
    """A way to this test's database that can be cut."""
    link = Link(open_directory, Path(str(make_url(database_url).query["host"])) / SOCKET)
    yield link
    link.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "moment", "stride"),
    [
        ("database", "before", 4),
        ("commits", "sent", 1),
        pytest.param("database", "before", 1, marks=pytest.mark.long),
        pytest.param("database", "sent", 1, marks=pytest.mark.long),
    ],
)
def test_worker_killed_at_any_step_of_a_batch(
    world: PayingWorld, mortals: Mortals, of: str, moment: str, stride: int
) -> None:
    """Before each trip to the database, or with the answer on its way, that of the commits too."""
    for step in steps(1, stride):
        made = world.schedule(4)
        ended = mortals.work(JOB_QUEUE, at=world.time, death={"of": of, "moment": moment, "at": step})
        world.finish(mortals, JOB_QUEUE)
        world.check_completed(made)
        if ended:
            break

    assert step > STEPS_MIN[of]
    world.check_each_once()


@pytest.mark.slow
def test_worker_killed_while_it_gives_a_payment_up(world: PayingWorld, mortals: Mortals) -> None:
    """FAILED once with its reason, and so is its job, wherever the worker ends in between."""
    for step in steps(1):
        [doomed] = world.schedule(1, amount=f"{2 * OPENING}.{step:02}")
        ended = mortals.work(JOB_QUEUE, at=world.time, death={"of": "commits", "moment": "sent", "at": step})
        world.finish(mortals, JOB_QUEUE)
        with world.store.begin() as work:
            found = work.payments.find(doomed.id)
        assert found is not None
        assert (found.status, found.failure) == (PaymentStatus.FAILED, "amount_exceeds_limit")
        [job, *_] = world.jobs(JOB_KIND)
        assert (job.state, job.failures[-1].reason) == (JobState.DEAD, "amount_exceeds_limit")
        if ended:
            break

    subjects = [f"payment:{each.id}" for each in world.made]
    assert step > 2
    assert world.told("payment.completed", "payment.failed") == Counter(("payment.failed", name) for name in subjects)
    assert world.audited("payment_failed") == Counter(("payment_failed", name) for name in subjects)
    assert {world.balance(account) for account in world.accounts} == {100 * OPENING}


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.long)])
def test_database_killed_under_a_worker(server: OwnServer, killable: PayingWorld, rounds: int) -> None:
    """Every which way, several times at random: the same worker goes on by itself, and nothing is lost or doubled."""
    draw = Random(20)
    kills = [kill_at_once, kill_hard, kill_backend, end_sessions] * rounds
    count = PAYMENTS * rounds
    killable.schedule(count)

    with working(server.url, f"{JOB_QUEUE}:2"):
        for number, kill in enumerate(kills):
            goal = count - (1 + number) * count // (1 + len(kills))
            until(lambda: killable.unfinished(JOB_QUEUE) <= goal)  # noqa: B023
            time.sleep(draw.random() / 50)
            kill(server, killable.engine)
        until(lambda: killable.unfinished(JOB_QUEUE) == 0)

    assert any(job.failures for job in killable.jobs(JOB_KIND)), "nothing was met in the middle"
    killable.check_each_once()


def kill_at_once(server: OwnServer, engine: Engine) -> None:
    """As by `pg_ctl stop -m immediate`, and start again."""
    server.kill(signal.SIGQUIT)
    server.start()


def kill_hard(server: OwnServer, engine: Engine) -> None:
    """As when the system has no memory left, and start again."""
    server.kill(signal.SIGKILL)
    server.start()


def kill_backend(server: OwnServer, engine: Engine) -> None:
    """One process of many: the server ends all sessions and recovers by itself."""
    with engine.connect() as connection:
        [*others] = connection.execute(text(f"SELECT pid {OTHERS}")).scalars()
    os.kill(others[0], signal.SIGKILL)


def end_sessions(server: OwnServer, engine: Engine) -> None:
    """As an operator would."""
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {OTHERS}"))


@pytest.mark.slow
def test_way_to_the_database_cut_around_commits(
    world: PayingWorld, link: Link, database_url: str, open_directory: Path
) -> None:
    """On either side of a commit: its outcome is unknown, the job is done again, and its effect is there once."""
    url = make_url(database_url).update_query_dict({"host": str(open_directory), "port": "5432"})
    world.schedule(PAYMENTS)

    with working(url.render_as_string(hide_password=False), f"{JOB_QUEUE}:2"):
        for number in range(CUTS):
            goal = PAYMENTS - (1 + number) * PAYMENTS // (1 + CUTS)
            until(lambda: world.unfinished(JOB_QUEUE) <= goal)  # noqa: B023
            link.cut = ("before", "after")[number % 2]
        until(lambda: world.unfinished(JOB_QUEUE) == 0)

    assert link.cuts >= CUTS // 2
    world.check_each_once()
