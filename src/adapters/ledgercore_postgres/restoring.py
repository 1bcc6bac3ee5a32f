"""Putting a batch of an exported ledger back, byte for byte."""

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.log.records import ACCOUNT_CHANGED, ACCOUNT_OPENED
from ledgercore.ledger.log.restoring import apply_checked, check_batch
from ledgercore.ledger.rules.account_rules import settings_body
from ledgercore.ledger.rules.working_set import paths_of_hold
from ledgercore.ledger.texts import encode_json
from ledgercore_postgres import loading, writing
from ledgercore_postgres.appending import Head, enter, read_head, store_states


def restore_batch(cursor: Cursor[Any], ledger_id: int, entry: LogEntry, rows: Sequence[bytes]) -> None:
    """Append the rows as they are, and the accounts and holds that follow from them."""
    enter(cursor, ledger_id, alone=True)
    head = read_head(cursor, ledger_id, lock=True)
    records = check_batch(entry, rows, batch=head.batch, number=head.number, head=head.head)
    projection = _load(cursor, ledger_id, head, records)
    holds_before = dict(projection.holds)
    apply_checked(projection, entry, records)
    changed = [state for state in projection.accounts.values() if state.changed]
    opened = [state for state in changed if state.number > head.accounts_count]
    there_before = [state for state in changed if state.number <= head.accounts_count]
    told = {row.body["account"] for record in records for row in record if row.kind == ACCOUNT_CHANGED and row.body}
    writing.copy_rows(cursor, ledger_id, rows)
    if opened:
        writing.insert_accounts(cursor, ledger_id, opened)
    store_states(
        cursor,
        ledger_id,
        balances=writing.balances_of(there_before) if there_before else None,
        rules_changed=[state for state in there_before if state.path in told],
        holds=[hold for id_, hold in projection.holds.items() if holds_before.get(id_) is not hold],
    )
    writing.append_log(
        cursor,
        ledger_id,
        entry,
        accounts_count=head.accounts_count + len(opened),
        closed_through=projection.closed_through,
        settings=encode_json(settings_body(projection.settings)).decode(),
    )


def _load(cursor: Cursor[Any], ledger_id: int, head: Head, records: Sequence[Sequence[JournalRow]]) -> Projection:
    """Where the ledger stands, as far as the batch touches it."""
    projection = Projection()
    projection.settings, projection.closed_through = head.settings, head.closed_through
    projection.next_account = head.accounts_count + 1
    subjects = {row.subject for record in records for row in record if row.subject is not None}
    for hold in loading.load_holds(cursor, ledger_id, subjects, ()):
        projection.holds[hold.id] = hold
    paths = {
        line[side]
        for record in records
        for row in record
        if row.body is not None and row.kind != ACCOUNT_OPENED
        for line in (row.body.get("lines") or ())
        for side in ("debit", "credit")
        if line[side] is not None
    }
    paths |= {row.body["account"] for record in records for row in record if row.kind == ACCOUNT_CHANGED and row.body}
    paths |= {path for hold in projection.holds.values() for path in paths_of_hold(hold)}
    states: dict[int, AccountState] = {
        state.number: state for state in loading.lock_accounts(cursor, ledger_id, paths).values()
    }
    for state in loading.accounts_of(cursor, ledger_id, records, states.values()).values():
        projection.accounts[state.number] = projection.by_path[state.path] = state
    return projection
