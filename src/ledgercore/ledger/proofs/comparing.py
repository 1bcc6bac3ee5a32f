"""Comparing what a store keeps beside the log with what follows from the log."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.holds import Hold
from ledgercore.ledger.log.chain import GENESIS, LogEntry
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.ports import JournalReader
from ledgercore.ledger.proofs.laws import ACCOUNTS, HEAD, HOLDS, SETTINGS, UNREADABLE, Divergence, diverges
from ledgercore.ledger.queries import LedgerState
from ledgercore.ledger.rules.working_set import paths_of_hold
from ledgercore.ledger.texts import encode_json

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_ACCOUNT_FIELDS: Final = (
    "path", "currency", "type", "status", "limits", "balance", "pending_debits", "pending_credits", "version",
    "latest_effective_at", "opened_at", "metadata",
)  # fmt: skip
_HOLD_FIELDS: Final = tuple(field.name for field in attrs.fields(Hold))


def account_faults(projection: Projection, journal: JournalReader) -> Iterator[Divergence]:
    """Each difference between the stored accounts and those that follow."""
    stored = ((state.number, state) for state in journal.stored_accounts())
    yield from _compare(ACCOUNTS, "account", projection.accounts, stored, _account_values)


def hold_faults(projection: Projection, journal: JournalReader) -> Iterator[Divergence]:
    """Each difference between the stored holds and those that follow, and the accounts they are found by."""
    stored = ((hold.id, hold) for hold in journal.stored_holds())
    yield from _compare(HOLDS, "hold", projection.holds, stored, _hold_values)
    found_by = {hold.id: tuple(sorted(paths_of_hold(hold))) for hold in projection.holds.values()}
    yield from _compare(HOLDS, "hold", found_by, journal.stored_hold_accounts(), lambda paths: [("accounts", paths)])


def head_faults(projection: Projection, last: LogEntry | None, state: LedgerState) -> Iterator[Divergence]:
    """Each difference between the stored head and the end of the log."""
    expected = (
        ("number", 0 if last is None else last.last_number, state.number),
        ("batch", 0 if last is None else last.batch, state.batch),
        ("head", (GENESIS if last is None else last.head).hex(), state.head.hex()),
        ("recorded_at", None if last is None else last.recorded_at, state.recorded_at),
        ("closed_through", projection.closed_through, state.closed_through),
        ("accounts_count", len(projection.accounts), state.accounts_count),
    )
    for name, follows, stored in expected:
        if follows != stored:
            yield diverges(HEAD, name, None, follows, stored)
    if projection.settings != state.settings:
        for field in attrs.fields(type(state.settings)):
            follows, stored = getattr(projection.settings, field.name), getattr(state.settings, field.name)
            if follows != stored:
                yield diverges(SETTINGS, field.name, None, follows, stored)


def _compare(
    area: str,
    what: str,
    expected: Mapping[_Key, _Value],
    stored: Iterable[tuple[_Key, _Value]],
    values_of: Callable[[_Value], Sequence[tuple[str, Any]]],
) -> Iterator[Divergence]:
    seen = set()
    try:
        for key, value in stored:
            seen.add(key)
            follows = expected.get(key)
            if follows is None:
                yield diverges(area, f"{what} {key}", None, None, "one that no record made")
                continue
            for (name, wanted), (_, found) in zip(values_of(follows), values_of(value), strict=True):
                if wanted != found:
                    yield diverges(area, f"{name} of {what} {_name(follows, key)}", None, wanted, found)
    except UNREADABLE as error:
        # What is stored is none of the values that the core knows.
        yield diverges(area, f"{what} after the first {len(seen)}", None, f"{what}s that can be read", error)
        return
    for key in expected.keys() - seen:
        yield diverges(area, f"{what} {_name(expected[key], key)}", None, f"the {what}", None)


def _account_values(state: AccountState) -> Sequence[tuple[str, Any]]:
    return [(name, _comparable(name, getattr(state, name))) for name in _ACCOUNT_FIELDS]


def _hold_values(hold: Hold) -> Sequence[tuple[str, Any]]:
    return [(name, _comparable(name, getattr(hold, name))) for name in _HOLD_FIELDS]


def _comparable(name: str, value: Any) -> Any:
    # Python takes `True` and `1` for equal; JSON does not.
    return encode_json(value).decode() if name == "metadata" else value


def _name(value: object, key: object) -> str:
    return value.path if isinstance(value, AccountState) else str(key)
