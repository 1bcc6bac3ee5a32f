"""Payments carried out while workers, the database and the way to it fail: each once, and all that tells of it agrees."""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore.payments.processing import JOB_QUEUE
from ledgercore_postgres import connect, migrate

from ..adapters.postgres.test_faults import SOCKET, Link
from .bank_world import Mortals, OwnServer, PayingWorld, until, working

STEPS_MIN = 25
"""How many trips to the database a worker makes for a batch at least, so that none is passed over."""


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


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "sent"])
def test_worker_killed_at_any_step_of_a_batch(world: PayingWorld, mortals: Mortals, moment: str) -> None:
    """Before each trip to the database, or with the answer on its way, those of the commits too."""
    for step in count(1):
        made = world.schedule(4)
        ended = mortals.work(JOB_QUEUE, at=world.time, death={"of": "database", "moment": moment, "at": step})
        world.finish(mortals, JOB_QUEUE)
        world.check_completed(made)
        if ended:
            break

    assert step > STEPS_MIN
    world.check_each_once()
