"""Jobs that keep the rest in order."""

from datetime import timedelta

import pytest

from ledgercore.jobs import upkeep
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.jobs.upkeep import EXPIRE_HOLDS, KEPT_FOR, PRUNE_JOBS, SCHEDULES, Upkeep
from ledgercore.ledger.ledger import Ledger
from ledgercore.testing.jobs_ready import enqueued, kept, sheep
from ledgercore.testing.ledgers import OPENING, eur, posted


@pytest.fixture
def keeper(jobs, runner):
    """A runner of the upkeep."""
    return runner(*Upkeep(jobs).handlers)


def test_holds_of_every_ledger_expire(jobs, keeper, memory_store, clock, monkeypatch):
    """However many ledgers there are; holds that last stay."""
    monkeypatch.setattr(upkeep, "LEDGERS_MAX", 2)
    ledgers = [Ledger(memory_store.create(f"books-{n}", OPENING)) for n in range(5)]
    soon, late = clock.now + timedelta(minutes=1), clock.now + timedelta(days=1)
    for ledger in ledgers:
        for expires_at in (soon, late):
            ledger.hold(debit="assets:a", credit="assets:b", amount=eur("5.00"), expires_at=expires_at)
    clock.forward(minutes=2)

    enqueued(jobs, NewJob(kind=EXPIRE_HOLDS))
    [ran] = keeper.drain()

    assert ran.outcome == "success"
    assert [len(list(ledger.list_holds().items)) for ledger in ledgers] == [2] * 5
    assert [sum(hold.status == "open" for hold in ledger.list_holds().items) for ledger in ledgers] == [1] * 5
    assert [posted(ledger, "assets:a") for ledger in ledgers] == ["0.00"] * 5


def test_old_jobs_are_forgotten(jobs, keeper, administration, clock, monkeypatch):
    """All that are older than a week, in units of work that are not too long."""
    monkeypatch.setattr(upkeep, "PRUNED_MAX", 2)
    enqueued(jobs, *(NewJob(kind=PRUNE_JOBS) for _ in range(5)))
    keeper.drain()
    clock.forward(days=KEPT_FOR.days, seconds=1)
    [waiting] = enqueued(jobs, sheep("default"))

    [pruning] = enqueued(jobs, NewJob(kind=PRUNE_JOBS))
    keeper.drain()

    assert {job.id: job.state for job in kept(jobs, "default")} == {
        waiting.id: JobState.WAITING, pruning.id: JobState.DONE
    }  # fmt: skip


def test_slot_of_a_schedule_is_enqueued_once(jobs, clock):
    """However many workers enqueue it, and however late."""
    minute, _ = SCHEDULES
    slot = clock.now.replace(second=0, microsecond=0)

    first = enqueued(jobs, minute.at(slot))
    clock.forward(hours=1)
    again = enqueued(jobs, minute.at(slot), minute.at(slot + timedelta(minutes=1)))

    assert again[0] == first[0]
    assert [job.run_at for job in kept(jobs, "default")] == [slot, slot + timedelta(minutes=1)]
