"""Rate limits in PostgreSQL: exact among processes, without circles of waiting, and forgotten in time."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from ledgercore.rate_limits import Quota, Take
from ledgercore_postgres import PostgresRateLimiter
from ledgercore_postgres.rate_limits import SWEEP_EVERY

HOURLY = Quota(5, timedelta(hours=1))
CLIENTS = 8


def keys(engine: Engine) -> set[str]:
    """The keys that something is known of."""
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT key FROM rate_limits")).scalars())


class TestExactness:
    def test_two_pools_and_eight_threads_share_the_limit(self, engine: Engine, second_engine: Engine, at_once) -> None:
        """Batches of the same keys in any order: each key lets through exactly its limit, and nobody waits in vain."""
        quota = Quota(70, timedelta(hours=7))
        names = [f"key-{number}" for number in range(10)]
        limiters = [PostgresRateLimiter(each) for each in (engine, second_engine)]

        def ask(number: int) -> Counter[str]:
            source = random.Random(number)
            passed: Counter[str] = Counter()
            for _ in range(10):
                takes = [Take(name, quota) for name in source.choices(names, k=20)]
                takes += [Take(name, quota) for name in names]
                taken = limiters[number % 2].take(takes)
                passed.update(take.key for take, each in zip(takes, taken, strict=True) if each.allowed)
            return passed

        passed: Counter[str] = sum(at_once([lambda n=n: ask(n) for n in range(CLIENTS)]), Counter())

        assert passed == dict.fromkeys(names, 70)

    def test_another_process_goes_on_where_one_ended(self, engine: Engine, second_engine: Engine) -> None:
        """What is left is in the database alone."""
        PostgresRateLimiter(engine).take([Take("key", HOURLY)] * 3)

        taken = PostgresRateLimiter(second_engine).take([Take("key", HOURLY)] * 3)

        assert [each.allowed for each in taken] == [True, True, False]

    def test_times_are_the_servers(self, engine: Engine) -> None:
        """Whatever the clocks of the processes say."""
        with engine.connect() as connection:
            before = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        [taken] = PostgresRateLimiter(engine).take([Take("key", HOURLY)])
        with engine.connect() as connection:
            after = connection.execute(text("SELECT clock_timestamp()")).scalar_one()

        assert before <= taken.reset_at - HOURLY.interval <= after


class TestForgetting:
    @pytest.fixture
    def known(self, engine: Engine) -> PostgresRateLimiter:
        """2,000 keys that are even again and 100 that are not."""
        with engine.begin() as connection:
            for name, end, count in (("even", "-1 second", 2_000), ("owing", "1 hour", 100)):
                connection.exec_driver_sql(
                    f"INSERT INTO rate_limits SELECT '{name}-' || n, now() + interval '{end}', now(), 1, 1, 1, 1"
                    f" FROM generate_series(1, {count}) n"
                )
        return PostgresRateLimiter(engine)

    def test_keys_that_are_even_again_go_as_others_come(self, engine: Engine, known: PostgresRateLimiter) -> None:
        """In rounds of a bounded size; whoever still owes is remembered."""
        sizes = [len(keys(engine))]
        for turn in range(6):
            known.take([Take(f"new-{turn}-{number}", HOURLY) for number in range(SWEEP_EVERY)])
            sizes.append(len(keys(engine)))

        assert sizes[:3] == [2_100, 1_600, 1_100]
        assert {name.partition("-")[0] for name in keys(engine)} == {"owing", "new"}
        assert sizes[-1] == 100 + 6 * SWEEP_EVERY

    def test_few_requests_forget_nothing(self, engine: Engine, known: PostgresRateLimiter) -> None:
        """Most calls are one statement and no more."""
        known.take([Take("new", HOURLY)])

        assert len(keys(engine)) == 2_101

    def test_forgetting_waits_for_nobody(
        self, engine: Engine, second_engine: Engine, known: PostgresRateLimiter
    ) -> None:
        """A key that somebody else holds is left for the next time."""
        with second_engine.begin() as connection:
            connection.execute(text("SELECT * FROM rate_limits WHERE key = 'even-1' FOR UPDATE"))
            for turn in range(6):
                known.take([Take(f"new-{turn}-{number}", HOURLY) for number in range(SWEEP_EVERY)])

        assert {name for name in keys(engine) if name.startswith("even")} == {"even-1"}

    def test_the_table_costs_no_write_ahead_log(self, engine: Engine) -> None:
        """Nor a wait for the disk: what limits rates need not survive a crash."""
        with engine.connect() as connection:
            kind = connection.execute(
                text("SELECT relpersistence FROM pg_class WHERE relname = 'rate_limits'")
            ).scalar_one()

        assert kind in ("u", b"u")
