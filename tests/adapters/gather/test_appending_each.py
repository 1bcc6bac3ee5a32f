"""Posts that share a batch do not share one another's failures, and none is repeated that may be stored."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledgercore.errors import ExternalDependencyError, InternalError, LedgercoreError, NotFoundError, ValidationError
from ledgercore.errors.catalog import (
    BATCH_TOO_LARGE,
    COMMIT_OUTCOME_UNKNOWN,
    DATABASE_ERROR,
    DATABASE_UNAVAILABLE,
    INVALID_ARGUMENT,
    LEDGER_NOT_FOUND,
    TOO_MUCH_CONTENTION,
)
from ledgercore.ledger.commands import BATCH_MAX, BatchItem, Group
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Posted
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.money import Money, known_currency
from ledgercore_gather import Failed, GatheredJournal, append_each
from ledgercore_memory import MemoryJournal

EUR = known_currency("EUR", 2)


class Spoiled:
    """A journal that keeps what it is given, and raises as soon as something in the batch is marked for it."""

    def __init__(self, journal: Journal, errors: Mapping[str, Exception]) -> None:
        self.journal = journal
        self.errors = errors
        self.batches: list[list[str | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)

    def append(self, batch: Sequence[Any], *, atomic: bool = False) -> Sequence[Any]:
        self.batches.append([item.key for item in batch])
        for item in batch:
            if item.key in self.errors:
                raise self.errors[item.key]
        return self.journal.append(batch, atomic=atomic)


def pay(key: str | None, minor: int = 100) -> Transaction:
    return transfer(debit="assets:a", credit="income:b", amount=Money(minor, EUR), key=key)


def told(answers: Sequence[Any]) -> list[str]:
    return [word(answer.error) if isinstance(answer, Failed) else word(answer) for answer in answers]


def word(answer: object) -> str:
    return answer.code if isinstance(answer, LedgercoreError) else type(answer).__name__


@pytest.mark.parametrize(
    "error",
    [ValidationError(INVALID_ARGUMENT, field="x"), InternalError(DATABASE_ERROR, sqlstate="XX000")],
    ids=lambda error: error.code,
)
@pytest.mark.parametrize("spoiled", [["k0"], ["k6"], ["k2", "k3"], [f"k{number}" for number in range(7)]], ids=repr)
def test_an_item_that_spoils_the_batch_fails_alone(memory_ledger: Ledger, error, spoiled: list[str]) -> None:
    """All others are posted, each once and in order."""
    journal = Spoiled(memory_ledger.journal, dict.fromkeys(spoiled, error))
    keys = [f"k{number}" for number in range(7)]

    answers = append_each(journal)([pay(key) for key in keys])

    posted = [transaction.key for transaction in reversed(memory_ledger.list_transactions().items)]
    assert told(answers) == [error.code if key in spoiled else "Posted" for key in keys]
    assert posted == [key for key in keys if key not in spoiled]


def test_finding_what_spoils_a_batch_takes_few_attempts(memory_ledger: Ledger) -> None:
    """One bad item among a thousand must not cost a thousand commits."""
    journal = Spoiled(memory_ledger.journal, {"k600": InternalError(DATABASE_ERROR)})

    answers = append_each(journal)([pay(f"k{number}") for number in range(1_000)])

    assert told(answers).count("Posted") == 999
    assert len(journal.batches) <= 21


@pytest.mark.parametrize(
    "error",
    [
        ExternalDependencyError(COMMIT_OUTCOME_UNKNOWN),
        ExternalDependencyError(DATABASE_UNAVAILABLE),
        ExternalDependencyError(TOO_MUCH_CONTENTION),
        NotFoundError(LEDGER_NOT_FOUND),
    ],
    ids=lambda error: error.code,
)
def test_what_may_have_been_stored_is_not_repeated(memory_ledger: Ledger, error: LedgercoreError) -> None:
    """Everybody hears of it, and whoever has a key may repeat."""
    journal = Spoiled(memory_ledger.journal, {"k1": error})

    answers = append_each(journal)([pay("k0"), pay("k1"), pay(None)])

    assert told(answers) == [error.code] * 3
    assert journal.batches == [["k0", "k1", None]]


def test_a_bug_fails_for_all_and_is_not_repeated(memory_ledger: Ledger) -> None:
    """Nobody knows how far it came."""
    journal = Spoiled(memory_ledger.journal, {"k1": ZeroDivisionError()})

    answers = append_each(journal)([pay("k0"), pay("k1")])

    assert told(answers) == ["ZeroDivisionError"] * 2
    assert len(journal.batches) == 1


def test_what_was_stored_before_the_database_went_away_is_answered(memory_ledger: Ledger) -> None:
    """Halves are commits of their own: the failure of a later one takes nothing back.

    The first item that is marked decides what a batch raises.
    """
    errors = {"k1": InternalError(DATABASE_ERROR), "k3": ExternalDependencyError(DATABASE_UNAVAILABLE)}
    journal = Spoiled(memory_ledger.journal, errors)

    answers = append_each(journal)([pay(f"k{number}") for number in range(4)])

    assert told(answers) == ["Posted", "database_error", "database_unavailable", "database_unavailable"]


class TestSizes:
    def test_groups_weigh_what_is_in_them(self, memory_ledger: Ledger) -> None:
        """Gathered batches never hold more commands than a journal takes."""
        sizes: list[int] = []

        class Counting(Spoiled):
            def append(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> Sequence[Any]:
                sizes.append(sum(len(item.commands) if isinstance(item, Group) else 1 for item in batch))
                return [None] * len(batch)

        third = Group([pay(None)] * (BATCH_MAX // 3))

        answers = append_each(Counting(memory_ledger.journal, {}))([third, pay(None), third, third, third, pay(None)])

        assert len(answers) == 6
        assert sum(sizes) == 4 * (BATCH_MAX // 3) + 2
        assert max(sizes) <= BATCH_MAX
        assert len(sizes) == 2

    def test_a_group_beyond_the_limit_fails_alone(self, memory_ledger: Ledger) -> None:
        """As it would by itself."""
        huge = Group([pay(None)] * (BATCH_MAX + 1))

        answers = append_each(memory_ledger.journal)([pay("k0"), huge, pay("k1")])

        assert told(answers) == ["Posted", BATCH_TOO_LARGE.code, "Posted"]

    def test_batches_and_atomic_ones_go_straight_through(self, memory_ledger: Ledger, executor) -> None:
        """Only single items are gathered; after closing the rest still works."""
        journal = Spoiled(memory_ledger.journal, {})
        gathered = GatheredJournal(journal, executor=executor)
        gathered.close()

        straight = [
            gathered.append([pay("k0"), pay("k1")]),
            gathered.append([pay("k2")], atomic=True),
            gathered.append([]),
        ]
        with pytest.raises(ExternalDependencyError) as caught:
            gathered.append([pay("k3")])

        assert [told(outcomes) for outcomes in straight] == [["Posted"] * 2, ["Posted"], []]
        assert caught.value.code == "service_overloaded"
        assert journal.batches == [["k0", "k1"], ["k2"], []]


def test_settings_reach_the_gatherer(memory_ledger: Ledger, executor: ThreadPoolExecutor) -> None:
    """Bounds of the batch and of the queue are the caller's to choose."""
    for settings in ({"batch_max": 0}, {"queue_max": 0}):
        with pytest.raises(InternalError):
            GatheredJournal(memory_ledger.journal, executor=executor, **settings)


def test_a_ledger_is_used_as_ever(memory_ledger: Ledger, executor: ThreadPoolExecutor) -> None:
    """The verbs raise refusals to their caller, and answers are the journal's; the end of the block closes."""
    assert isinstance(memory_ledger.journal, MemoryJournal)
    with GatheredJournal(memory_ledger.journal, executor=executor) as journal:
        ledger = Ledger(journal)
        outcome = ledger.post(pay("k0"))
        with pytest.raises(LedgercoreError) as caught:
            ledger.post(pay("k0", 5))
    with pytest.raises(ExternalDependencyError):
        ledger.post(pay("after the end"))

    assert isinstance(outcome, Posted)
    assert caught.value.code == "idempotency_key_reused"
    assert ledger.balance("assets:a") == memory_ledger.balance("assets:a")
