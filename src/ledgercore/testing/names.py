"""Idempotency: one name for one intent, for ever."""

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from ledgercore.ledger.accounts import AccountStatus, Limits, Opening
from ledgercore.ledger.commands import (
    AnyCommand,
    BatchItem,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    OpenAccount,
    Reversal,
    Settings,
    identity_of_key,
)
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, Precondition, Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import (
    EUR,
    LedgerContract,
    StoppedClock,
    applied,
    day,
    eur,
    everything,
    key_id,
    posted,
    refusal,
    tell,
    told,
    usd,
)

HOLD, DUE, DONE = key_id(101), key_id(102), key_id(103)
LINE = Line(eur("5.00"), "assets:a", "assets:b")

COMMANDS: dict[str, Callable[..., AnyCommand]] = {
    "transaction": lambda **name: Transaction(lines=[LINE], metadata={"a": [1, True]}, **name),
    "compound": lambda **name: Transaction(
        lines=[debit("assets:a", eur("2.00")), credit("assets:b", eur("2.00"))], effective_at=day(5), **name
    ),
    "conditional": lambda **name: Transaction(lines=[LINE], preconditions=[Precondition("assets:a", 4000)], **name),
    "reversal": lambda **name: Reversal(transaction=DONE, amount=eur("1.00"), **name),
    "place": lambda **name: PlaceHold(lines=[LINE], metadata={"a": None}, **name),
    "replace": lambda **name: ReplaceHold(hold=DUE, **name),
    "change": lambda **name: ChangeHold(hold=HOLD, amount=eur("7.00"), **name),
    "capture": lambda **name: Capture(hold=HOLD, amount=eur("1.00"), **name),
    "void": lambda **name: VoidHold(hold=HOLD, **name),
    "capture group": lambda **name: CaptureGroup(group="g", **name),
    "void group": lambda **name: VoidGroup(group="g", **name),
    "open": lambda **name: OpenAccount(path="assets:c", currency=EUR, limits=Limits(minimum=0), **name),
    "change account": lambda **name: ChangeAccount(path="assets:a", limits=Limits(minimum=-(10**6)), **name),
    "close period": lambda **name: ClosePeriod(through=day(1), **name),
    "settings": lambda **name: ChangeSettings(
        settings=Settings(opening=Opening(on_first_use=True, limits=(("x", Limits(0, 9)),))), **name
    ),
}
REFUSED: dict[str, Callable[..., AnyCommand]] = {
    "transaction": lambda **name: transfer(debit="assets:a", credit="elsewhere", amount=eur("1.00"), **name),
    "reversal": lambda **name: Reversal(transaction=HOLD, **name),
    "place": lambda **name: PlaceHold(lines=[Line(usd("1.00"), "assets:a", "assets:b")], **name),
    "replace": lambda **name: ReplaceHold(hold=HOLD, **name),
    "change": lambda **name: ChangeHold(hold=DUE, amount=eur("7.00"), **name),
    "capture": lambda **name: Capture(hold=HOLD, amount=eur("99.00"), **name),
    "void": lambda **name: VoidHold(hold=DONE, **name),
    "capture group": lambda **name: CaptureGroup(group="none", **name),
    "void group": lambda **name: VoidGroup(group="none", **name),
    "open": lambda **name: OpenAccount(path="assets:a", currency=EUR, **name),
    "change account": lambda **name: ChangeAccount(path="assets:a", status=AccountStatus.CLOSED, **name),
    "close period": lambda **name: ClosePeriod(through=day(1), **name),
}


class NameContract(LedgerContract):
    """Same name and content, same answer; same name, other content, conflict."""

    @pytest.fixture
    def prepared(self, ledger: Ledger, clock: StoppedClock) -> Ledger:
        """A ledger in which each command of the table can be carried out."""
        tell(
            ledger,
            [
                transfer(debit="assets:a", credit="assets:b", amount=eur("40.00"), id=DONE),
                PlaceHold(lines=[LINE], id=HOLD, group="g"),
                PlaceHold(lines=[LINE], id=DUE, expires_at=clock.now.replace(hour=10)),
            ],
        )
        clock.forward(hours=2)
        ledger.expire_holds()
        return ledger

    @pytest.mark.parametrize("kind", COMMANDS)
    @pytest.mark.parametrize("name", [{"key": "k"}, {"id": key_id(1)}], ids=["key", "id"])
    def test_repeat_is_answered_and_not_done_again(
        self, prepared: Ledger, kind: str, name: dict[str, str | UUID]
    ) -> None:
        """Every kind of command is kept under its name: the first answer comes back, marked."""
        command = COMMANDS[kind](**name)
        first = applied(prepared, command)
        after, number = everything(prepared.journal), prepared.state().number

        again = applied(prepared, COMMANDS[kind](**name))

        assert (again.id, again.number, again.recorded_at) == (first.id, first.number, first.recorded_at)
        assert (type(again), first.replayed, again.replayed) == (type(first), False, True)
        assert (everything(prepared.journal), prepared.state().number) == (after, number)

    @pytest.mark.parametrize("kind", COMMANDS)
    def test_repeat_in_the_same_batch_is_answered(self, prepared: Ledger, kind: str) -> None:
        """The second of two equal commands in a batch is a replay of the first."""
        outcomes = prepared.post_all([COMMANDS[kind](key="k"), COMMANDS[kind](key="k")])

        first, again = outcomes
        assert (told(again), again.number) == (f"{told(first)} again", first.number)  # type: ignore[union-attr]

    @pytest.mark.parametrize("kind", REFUSED)
    def test_refusal_is_kept(self, prepared: Ledger, kind: str) -> None:
        """A refused command stays refused under its name, for the same reason with the same details."""
        prepared.close_period(day(2))
        before, number = everything(prepared.journal), prepared.state().number
        first = refusal(prepared, REFUSED[kind](key="k"))

        again, same_batch = prepared.post_all([REFUSED[kind](key="k")] * 2)

        assert (told(again), told(same_batch)) == (f"{told(first)} again", f"{told(first)} again")
        assert again.details == first.details  # type: ignore[union-attr]
        assert everything(prepared.journal) == before
        assert prepared.state().number == number + 1

    @pytest.mark.parametrize("kind", REFUSED)
    def test_refusal_without_a_name_leaves_no_trace(self, prepared: Ledger, kind: str) -> None:
        """There is nothing to keep it under."""
        prepared.close_period(day(2))
        number = prepared.state().number

        refusal(prepared, REFUSED[kind]())

        assert prepared.state().number == number

    @pytest.mark.parametrize("kind", COMMANDS)
    def test_name_of_one_kind_is_taken_for_all(self, prepared: Ledger, kind: str) -> None:
        """A name that a command of any kind used is refused to other commands."""
        applied(prepared, COMMANDS[kind](key="k"))
        before = everything(prepared.journal)

        refused = refusal(prepared, transfer(debit="assets:a", credit="assets:b", amount=eur("1.23"), key="k"))

        assert (refused.reason.code, refused.details["key"]) == ("idempotency_key_reused", "k")
        assert everything(prepared.journal) == before

    def test_content_is_compared_field_by_field(self, ledger: Ledger) -> None:
        """Whatever differs is other content, be it only the type of a value."""
        fields: dict[str, Any] = {
            "debit": "assets:a",
            "credit": "assets:b",
            "amount": eur("1.00"),
            "metadata": {"a": [1, {"b": "c"}]},
        }
        applied(ledger, transfer(**fields, key="k"))
        others: list[dict[str, Any]] = [
            {"debit": "assets:c"},
            {"credit": "assets:c"},
            {"amount": eur("1.01")},
            {"metadata": {"a": [1, {"b": "d"}]}},
            {"metadata": {"a": [True, {"b": "c"}]}},
            {"metadata": None},
            {"description": "x"},
            {"reference": "x"},
            {"effective_at": day(1)},
            {"preconditions": [Precondition("assets:a")]},
        ]

        words = tell(ledger, [transfer(**{**fields, **other}, key="k") for other in others])
        within = tell(
            ledger,
            [
                transfer(**fields, key="new"),
                *(transfer(**{**fields, **other}, key="new") for other in others),
            ],
        )

        assert words == ["idempotency_key_reused"] * len(others)
        assert within == ["posted", *words]
        assert posted(ledger, "assets:a") == "2.00"

    def test_spelling_does_not_matter(self, ledger: Ledger) -> None:
        """Equal values are equal content: key order, tuples for lists, other offsets of the same time."""
        zone = timezone(timedelta(hours=5, minutes=30))
        first = transfer(
            debit="assets:a", credit="assets:b", amount=eur("1.00"), metadata={"a": [1, 2], "b": 1}, description="",
            effective_at=day(1),
            key="k",
        )  # fmt: skip
        again = transfer(
            debit="assets:a", credit="assets:b", amount=eur("1.00"), metadata={"b": 1, "a": (1, 2)},
            effective_at=day(1).astimezone(zone), key="k",
        )  # fmt: skip

        assert tell(ledger, [first, again]) == ["posted", "posted again"]
        assert tell(ledger, [again]) == ["posted again"]

    def test_key_and_the_id_made_from_it_are_one_name(self, ledger: Ledger) -> None:
        """A key is an id in another spelling."""
        applied(ledger, transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), key="k"))

        same = transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), id=UUID(bytes=identity_of_key("k")))

        assert told(applied(ledger, same)) == "posted again"

    def test_id_of_what_the_ledger_named_itself_is_taken(self, ledger: Ledger) -> None:
        """A caller cannot pass a command off as one that carried no name."""
        outcome = ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        hold_id = ledger.hold(debit="assets:a", credit="assets:b", amount=eur("1.00")).id
        captured = ledger.capture(hold_id, effective_at=day(1))

        words = tell(
            ledger,
            [
                transfer(debit="assets:a", credit="assets:b", amount=eur("1.01"), id=outcome.id),
                PlaceHold(lines=[Line(eur("2.00"), "assets:a", "assets:b")], id=hold_id),
                transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), effective_at=day(1), id=captured.id),
            ],
        )

        assert words == ["idempotency_key_reused"] * 3

    def test_names_are_unique_in_their_ledger_only(self, ledger: Ledger, strict_ledger: Ledger) -> None:
        """Ledgers are closed in themselves: the same name may be used in each."""
        strict_ledger.open_account("assets:a", EUR)
        strict_ledger.open_account("assets:b", EUR)
        command = transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), id=key_id(1))

        assert [told(applied(each, command)) for each in (ledger, strict_ledger)] == ["posted", "posted"]

    def test_commands_without_a_name_are_done_again(self, ledger: Ledger) -> None:
        """What carries no name is a new intent each time."""
        command = transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))

        assert tell(ledger, [command, command]) == ["posted", "posted"]
        assert posted(ledger, "assets:a") == "2.00"

    def test_kept_refusal_outlives_its_cause(self, ledger: Ledger, wallet: str) -> None:
        """Money that came later does not bring a refused command back; a new name does."""
        spend: dict[str, Any] = {"debit": wallet, "credit": "income:sales", "amount": eur("150.00")}
        refusal(ledger, transfer(**spend, key="late"))
        ledger.transfer(debit="assets:bank", credit=wallet, amount=eur("50.00"))

        words = tell(ledger, [transfer(**spend, key=key) for key in ("late", "new")])

        assert words == ["insufficient_funds again", "posted"]

    def test_replayed_batch_changes_nothing(self, ledger: Ledger, wallet: str) -> None:
        """A whole batch sent twice answers twice alike."""
        batch: list[BatchItem] = [
            transfer(debit=wallet, credit="income:sales", amount=eur("60.00"), key="a"),
            transfer(debit=wallet, credit="income:sales", amount=eur("60.00"), key="b"),
            PlaceHold(lines=[Line(eur("10.00"), wallet, "income:sales")], key="c"),
        ]
        first = ledger.post_all(batch)
        after, number = everything(ledger.journal), ledger.state().number

        again = ledger.post_all(batch)

        assert [told(outcome) for outcome in again] == [f"{told(outcome)} again" for outcome in first]
        assert (everything(ledger.journal), ledger.state().number) == (after, number)
