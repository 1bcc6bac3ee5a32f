"""Races: whoever comes at the same moment as others, exactly the right number succeed and nothing else happens."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from ledgercore.errors import ConflictError, LedgercoreError
from ledgercore.ledger.accounts import Limits, Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.holds import PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Posted, Refused
from ledgercore.ledger.queries import AccountBalance, AsOf
from ledgercore.ledger.transactions import Line, Transaction
from ledgercore.money import Money, known_currency
from ledgercore_postgres import PostgresStore

EUR = known_currency("EUR", 2)
CLIENTS = 8


@pytest.fixture
def clients(postgres_ledger: Ledger, client) -> list[Ledger]:
    """Eight clients of one ledger, each with connections of its own."""
    return [client() for _ in range(CLIENTS)]


def codes(outcomes) -> Counter:
    """How often each answer was given."""
    return Counter(
        outcome.reason.code if isinstance(outcome, Refused) else "replayed" if outcome.replayed else "done"
        for outcome in outcomes
    )


def refusable(call, *arguments):
    """A piece of work that answers with the code of its refusal, or `done`."""

    def run() -> str:
        try:
            call(*arguments)
        except LedgercoreError as error:
            return error.code
        return "done"

    return run


class TestDeadlocks:
    @pytest.mark.slow
    def test_opposite_directions_and_shuffled_lines_never_fail(
        self, clients: list[Ledger], at_once, sound, pay
    ) -> None:
        """Eight clients move money among four accounts in every direction: each call succeeds."""
        names = [f"assets:{letter}" for letter in "abcd"]

        def work(ledger: Ledger, number: int):
            source = random.Random(number)

            def run() -> int:
                done = 0
                for _ in range(25):
                    batch = []
                    for _ in range(source.randint(1, 6)):
                        ring = source.sample(names, 3)
                        lines = [
                            Line(Money(source.randint(1, 99), EUR), debit, credit)
                            for debit, credit in ((ring[0], ring[1]), (ring[0], ring[2]))
                        ]
                        source.shuffle(lines)
                        batch.append(Transaction(lines=lines))
                    done += sum(isinstance(outcome, Posted) for outcome in ledger.post_all(batch)) - len(batch)
                return done

            return run

        missing = at_once([work(ledger, number) for number, ledger in enumerate(clients)])

        assert missing == [0] * CLIENTS
        sound(clients[0])

    @pytest.mark.slow
    def test_large_and_small_batches_mix(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Batches that take turns and batches that do not share accounts without tripping over one another."""

        def work(ledger: Ledger, number: int):
            size = 300 if number % 2 else 3

            def run() -> int:
                source = random.Random(number)
                batches = [
                    [pay(*source.sample([f"assets:{n}" for n in range(30)], 2)) for _ in range(size)] for _ in range(5)
                ]
                return sum(isinstance(outcome, Posted) for batch in batches for outcome in ledger.post_all(batch))

            return run

        posted = at_once([work(ledger, number) for number, ledger in enumerate(clients)])

        assert posted == [15, 1500] * (CLIENTS // 2)
        sound(clients[0])


class TestLimits:
    def test_a_hot_account_is_never_overdrawn(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Eight clients drain an account that has enough for 50 of their 80 transfers: exactly 50 succeed."""
        clients[0].open_account("assets:purse", EUR, limits=Limits(minimum=0))
        clients[0].post(pay("assets:purse", "income:x", 5_000))

        answers = at_once(
            [
                lambda ledger=ledger: [ledger.post_all([pay("expenses:y", "assets:purse", 100)])[0] for _ in range(10)]
                for ledger in clients
            ]
        )

        assert codes(chain(*answers)) == {"done": 50, "insufficient_funds": 30}
        assert clients[0].balance("assets:purse").posted == Money(0, EUR)
        sound(clients[0])


class TestOnce:
    def test_one_key_by_eight_clients_posts_once(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """All get the same transaction; one of them posted it."""
        answers = at_once(
            [lambda ledger=ledger: ledger.post(pay("assets:a", "income:b", key="order-1")) for ledger in clients]
        )

        assert len({answer.id for answer in answers}) == 1
        assert codes(answers) == {"done": 1, "replayed": CLIENTS - 1}
        assert clients[0].balance("assets:a").posted == Money(100, EUR)
        sound(clients[0])

    def test_one_key_for_eight_intents_does_one_of_them(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Even where the commands share no account at all, the key is used once."""
        works = [
            lambda ledger=ledger, n=n: ledger.post_all([pay(f"assets:{n}", f"income:{n}", key="order-1")])[0]
            for n, ledger in enumerate(clients)
        ]

        answers = at_once(works)

        assert codes(answers) == {"done": 1, "idempotency_key_reused": CLIENTS - 1}
        assert len(clients[0].list_transactions().items) == 1
        sound(clients[0])

    def test_a_hold_is_captured_once(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Eight captures of one hold: one posts, seven are told that it is no longer open."""
        hold = clients[0].hold(debit="expenses:x", credit="assets:a", amount=Money(100, EUR))

        answers = at_once([refusable(ledger.capture, hold.id) for ledger in clients])

        assert Counter(answers) == {"done": 1, "hold_already_closed": CLIENTS - 1}
        assert clients[0].balance("expenses:x").posted == Money(100, EUR)
        sound(clients[0])

    def test_a_hold_is_captured_or_voided(self, clients: list[Ledger], at_once, sound) -> None:
        """Captures against voids: one of them wins, and the balance says which."""
        hold = clients[0].hold(debit="expenses:x", credit="assets:a", amount=Money(100, EUR))

        answers = at_once(
            [refusable(ledger.capture if n % 2 else ledger.void, hold.id) for n, ledger in enumerate(clients)]
        )

        assert Counter(answers)["done"] == 1
        balance = clients[0].balance("expenses:x")
        assert balance.posted == Money(100 if answers.index("done") % 2 else 0, EUR)
        assert not balance.pending_debits.minor
        sound(clients[0])

    def test_a_transaction_is_reversed_once(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Eight reversals of one transaction: one undoes it."""
        posted = clients[0].post(pay("assets:a", "income:b"))

        answers = at_once([refusable(ledger.reverse, posted.id) for ledger in clients])

        assert Counter(answers)["done"] == 1
        assert clients[0].balance("assets:a").posted == Money(0, EUR)
        sound(clients[0])

    def test_accounts_are_opened_once(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """All clients use the same new accounts for the first time at the same moment."""
        for number in range(5):
            at_once(
                [
                    lambda ledger=ledger, number=number: [
                        outcome.or_raise()
                        for outcome in ledger.post_all(
                            [pay(f"assets:{number}:{n}", f"income:{number}:{n}") for n in range(5)]
                        )
                    ]
                    for ledger in clients
                ]
            )

        assert len(clients[0].list_accounts(limit=1_000).items) == 50
        assert {balance.posted.minor for balance in clients[0].balances()} == {CLIENTS * 100}
        sound(clients[0])

    def test_a_ledger_is_created_once_and_with_its_settings(self, postgres_store: PostgresStore, at_once, pay) -> None:
        """Whoever loses the race finds the ledger complete: it opens accounts on first use at once."""
        settings = Settings(opening=Opening(on_first_use=True))

        def create() -> str:
            try:
                postgres_store.create("new", settings)
            except ConflictError as error:
                Ledger(postgres_store.journal("new")).post(pay("assets:a", "income:b"))
                return error.code
            return "created"

        answers = at_once([create] * CLIENTS)

        assert Counter(answers) == {"created": 1, "ledger_already_exists": CLIENTS - 1}


class TestRules:
    def test_nothing_lands_in_a_closed_period(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """While a period closes, postings into it come before or are refused."""
        day = datetime(2026, 1, 15, tzinfo=UTC)

        def post(ledger: Ledger):
            return lambda: [ledger.post_all([pay("assets:a", "income:b", effective_at=day)])[0] for _ in range(20)]

        def close():
            return [clients[0].close_period(day + timedelta(days=1))]

        answers = at_once([close, *(post(ledger) for ledger in clients[1:])])

        closing = answers[0][0].number
        numbers = [outcome.number for found in answers[1:] for outcome in found if isinstance(outcome, Posted)]
        assert all(number < closing for number in numbers)
        assert codes(chain(*answers[1:]))["period_closed"] == 20 * (CLIENTS - 1) - len(numbers)
        sound(clients[0])

    def test_new_settings_reach_clients_that_only_meet_refusals(self, clients: list[Ledger], pay) -> None:
        """A client whose commands are all refused still learns that the rules have changed."""
        strict, other = clients[:2]
        other.change_settings(Settings(opening=Opening(on_first_use=False)))
        strict.post_all([pay("assets:x", "income:y", key=None)])
        other.change_settings(Settings(opening=Opening(on_first_use=True)))

        outcome = strict.post_all([pay("assets:x", "income:y", key=None)])[0]

        assert isinstance(outcome, Posted)

    @pytest.mark.slow
    def test_an_answer_at_a_recorded_time_never_changes(self, clients: list[Ledger], at_once, sound, pay) -> None:
        """Readers note balances at the present recorded time while others post, and ask again afterwards."""
        clients[0].post(pay("assets:a", "income:b"))
        done = threading.Event()

        def post(ledger: Ledger):
            def run():
                for _ in range(40):
                    ledger.post_all([pay("assets:a", "income:b"), pay("assets:c", "income:b")])
                done.set()
                return []

            return run

        def read(ledger: Ledger):
            def run():
                seen: list[tuple[datetime, list[AccountBalance]]] = []
                while not done.is_set() or len(seen) < 5:
                    now = datetime.now(UTC)
                    seen.append((now, ledger.journal.balances(at=AsOf(recorded_at=now))))
                return seen

            return run

        notes = at_once([post(ledger) if n < 4 else read(ledger) for n, ledger in enumerate(clients)])

        for moment, then in chain(*notes):
            now = clients[0].journal.balances(at=AsOf(recorded_at=moment))
            assert now == then
            assert sum(balance.debits_minus_credits.minor for balance in then) == 0
        sound(clients[0])

    def test_due_holds_are_let_go_however_many(self, postgres_ledger: Ledger, clock, sound, pay) -> None:
        """More holds than one batch lets go of on the way expire first, and are counted."""
        lines = [Line(Money(1, EUR), "expenses:x", "assets:a")]
        expires_at = clock.now + timedelta(hours=1)
        postgres_ledger.post_all([PlaceHold(lines=lines, expires_at=expires_at) for _ in range(7_000)])
        clock.forward(hours=2)

        before = postgres_ledger.balance("assets:a")
        outcome = postgres_ledger.post(pay("assets:a", "income:b"))

        assert not before.pending_credits.minor
        assert outcome.number == postgres_ledger.state().number
        assert postgres_ledger.expire_holds() == 0
        sound(postgres_ledger)
