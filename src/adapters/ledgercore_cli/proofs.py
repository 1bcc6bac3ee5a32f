"""`ledgercore verify` and `ledgercore proof`: derive everything again, and convince outsiders."""

import json
from typing import IO, Any
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.errors.details import shown
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.proofs.checking import check_head, read_document
from ledgercore.ledger.proofs.laws import AREAS, UNREADABLE
from ledgercore.ledger.proofs.proving import head_statement, prove, prove_consistency, prove_record
from ledgercore.ledger.proofs.verification import Verification
from ledgercore.ledger.proofs.verification import verify as verify_journal
from ledgercore_cli.exit_codes import DIVERGED
from ledgercore_cli.parameters import ID
from ledgercore_cli.proof_check import check_file, head_from
from ledgercore_cli.rendering import Column, Facts, Table, Text
from ledgercore_cli.session import Session, pass_session

_FILE = click.File("rb")
_out = click.option("--out", type=click.File("w", encoding="utf-8"), default="-", metavar="FILE", help="Write here.")


@click.command()
@click.option(
    "--head",
    "heads",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="A statement kept from `proof head`: its head must still be in the log.",
)
@pass_session
@click.pass_context
def verify(ctx: click.Context, session: Session, heads: tuple[IO[bytes], ...]) -> None:
    """Derive everything from the log and compare.

    Balances, holds, keys, running balances and the chain of hashes are derived again from the log;
    the first divergence of each kind is named. Exit status 6 when there is one.
    """
    kept = dict(check_head(read_document(file.read())) for file in heads)
    with session.ledger() as books, session.progress("verifying", total=_records_count(books)) as advance:
        done = 0

        def progress(records: int, _: int) -> None:
            nonlocal done
            advance(records - done)
            done = records

        found = verify_journal(books.journal, kept_heads=kept, progress=progress)
    session.show(_verification_document(found), _verification_table(found), Text(_verdict(found)))
    if not found.sound:
        ctx.exit(DIVERGED)


@click.group()
def proof() -> None:
    """Make and check proofs for outsiders.

    Whoever keeps a head (`proof head`) can check later, offline, that a record was there and that
    nothing before it was changed since.
    """


@proof.command()
@click.argument("id_", metavar="ID", type=ID, required=False)
@click.option("--key", metavar="TEXT", help="The transaction posted under this key, instead of an ID.")
@click.option("--number", type=int, metavar="N", help="The record with this number, whatever its kind.")
@click.option("--since-head", "since", metavar="HEX", help="Also show that the log continues this older head.")
@click.option("--paths/--no-paths", default=True, help="Prove the accounts' paths too, or only their numbers.")
@_out
@pass_session
def make(
    session: Session,
    id_: UUID | None,
    key: str | None,
    number: int | None,
    since: str | None,
    paths: bool,
    out: IO[str],
) -> None:
    """Make a proof that a transaction is in the ledger."""
    if sum(name is not None for name in (id_, key, number)) != 1:
        raise ValidationError(INVALID_ARGUMENT, field="id", why="give an ID, --key or --number, one of them")
    since_head = None if since is None else head_from(since)
    with session.ledger() as books:
        if number is not None:
            document = prove_record(books.journal, number, since=since_head, paths=paths)
        else:
            wanted = id_ or UUID(bytes=identity_of_key(key or ""))
            document = prove(books.journal, wanted, since=since_head, paths=paths)
    _write(out, document)


@proof.command()
@click.argument("file", type=_FILE)
@click.option("--head", metavar="HEX|FILE", help="A head that you trust, or the file with its statement.")
@pass_session
def check(session: Session, file: IO[bytes], head: str | None) -> None:
    """Check a proof offline, from its file alone."""
    found = check_file(file.read(), trusted_head=None if head is None else head_from(head))
    facts = {name: value for name, value in found.items() if name not in ("holds", "verdict", "record")}
    facts |= {name: value for name, value in found.get("record", {}).items() if name != "lines"}
    lines = found.get("record", {}).get("lines", ())
    views = [Facts((name, _text(value)) for name, value in facts.items())]
    session.show(found, *views, *([_lines(lines)] if lines else []), Text(f"the proof holds: {found['verdict']}"))


@proof.command()
@_out
@pass_session
def head(session: Session, out: IO[str]) -> None:
    """Print the ledger's head: keep it elsewhere, and nobody can rewrite what is before it."""
    with session.ledger() as books:
        document = head_statement(books.journal)
    _write(out, document)


@proof.command()
@click.argument("older", metavar="OLDER_HEAD")
@click.argument("newer", metavar="[NEWER_HEAD]", required=False)
@_out
@pass_session
def consistency(session: Session, older: str, newer: str | None, out: IO[str]) -> None:
    """Prove that a head, by default the present one, continues an older head."""
    with session.ledger() as books:
        document = prove_consistency(books.journal, head_from(older), None if newer is None else head_from(newer))
    _write(out, document)


def _records_count(books: Ledger) -> int | None:
    try:
        return books.state().number
    except UNREADABLE:
        # Settings that cannot be read are for the verification to name.
        return None


def _verification_document(found: Verification) -> dict[str, Any]:
    return {
        "ledger": found.ledger,
        "sound": found.sound,
        "records": found.records,
        "batches": found.batches,
        "accounts": found.accounts,
        "holds": found.holds,
        "head": found.head.hex(),
        "areas": {area: _area_document(found, area) for area in AREAS},
    }


def _area_document(found: Verification, area: str) -> dict[str, Any]:
    divergence = found.divergences.get(area)
    if divergence is None:
        return {"sound": True}
    return {
        "sound": False,
        "where": divergence.where,
        "number": divergence.number,
        "expected": divergence.expected,
        "found": divergence.found,
    }


def _verification_table(found: Verification) -> Table:
    rows = []
    for area, law in AREAS.items():
        divergence = found.divergences.get(area)
        if divergence is None:
            rows.append((area, "ok", law))
        else:
            at = "" if divergence.number is None else f" at record {divergence.number}"
            told = f"{divergence.where}{at}: expected {shown(divergence.expected)}, found {shown(divergence.found)}"
            rows.append((area, "DIVERGES", told))
    return Table(columns=(Column("area"), Column("result"), Column("what holds, or the first divergence")), rows=rows)


def _verdict(found: Verification) -> str:
    counted = (
        f"{found.records:,} records in {found.batches:,} batches, {found.accounts:,} accounts, {found.holds:,} holds"
    )
    result = "everything follows from the log" if found.sound else f"diverges in {', '.join(found.divergences)}"
    return f"{found.ledger}: {counted}: {result}\nhead {found.head.hex()}"


def _lines(lines: Any) -> Table:
    rows = []
    for line in lines:
        amount = f"{line['amount']} {line['currency']}" if "amount" in line else line["amount_minor"]
        rows.append([_account(line, "debit"), _account(line, "credit"), amount])
    return Table(columns=(Column("debit"), Column("credit"), Column("amount", right=True)), rows=rows)


def _account(line: dict[str, Any], side: str) -> str:
    number = line.get(f"{side}_account")
    return "" if number is None else str(line.get(side, f"account {number}"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write(out: IO[str], document: dict[str, Any]) -> None:
    out.write(json.dumps(document, indent=2) + "\n")
