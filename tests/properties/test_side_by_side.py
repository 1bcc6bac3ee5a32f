"""Memory and PostgreSQL agree in every outcome, balance, hold and log head, whatever they are told."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledgercore.ledger.ports import LedgerStore
from ledgercore.ledger.queries import AsOf
from ledgercore.testing.side_by_side import SideBySide, World
from ledgercore.testing.strategies import RULES, points, prelude, steps
from ledgercore_memory import MemoryStore
from ledgercore_postgres import PostgresStore

_numbers = itertools.count(1)


@pytest.mark.slow
@given(
    sequence=st.lists(steps(), min_size=1, max_size=8),
    asked=st.lists(points(), max_size=8),
    read_often=st.booleans(),
)
def test_random_commands_come_to_the_same(random_engine: Engine, sequence, asked, read_often):
    """Outcomes, states, both time axes and the log itself are the same, byte for byte."""
    world = World()
    stores: list[LedgerStore] = [
        MemoryStore(clock=world.clock, random_bytes=world.random_bytes),
        PostgresStore(random_engine, clock=world.clock, random_bytes=world.random_bytes),
    ]
    both = SideBySide.create(world, stores, f"random-{next(_numbers)}", RULES)
    open_questions = iter(asked)

    both.post(prelude(world.now))
    for step in sequence:
        world.forward(step.seconds)
        both.post(step.batch(both.available, world.now), atomic=step.atomic)
        if read_often:
            for effective_at, recorded_at in itertools.islice(open_questions, 1):
                both.compare_at(AsOf(effective_at=effective_at, recorded_at=recorded_at))
    for effective_at, recorded_at in open_questions:
        both.compare_at(AsOf(effective_at=effective_at, recorded_at=recorded_at))

    both.compare_everything()
