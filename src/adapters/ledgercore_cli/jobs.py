"""`ledgercore job`: background jobs, what waits and what was given up."""

import json

import click

from ledgercore.identity.audit import OPERATOR
from ledgercore.jobs.documents import counts_document, job_document
from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore.ledger.documents import id_from
from ledgercore_cli.parameters import paging_options
from ledgercore_cli.rendering import Column, Facts, Table, moment
from ledgercore_cli.session import Session, pass_session

_id_argument = click.argument("id_", metavar="ID")


@click.group()
def job() -> None:
    """List, show, retry and cancel background jobs.

    `ledgercore worker` does them. One that cannot be done is dead, and waits here for somebody to retry it.
    """


@job.command("list")
@click.option("--queue", metavar="NAME", help="Only jobs of this queue.")
@click.option("--kind", metavar="NAME", help="Only jobs of this kind.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs that stand so.")
@paging_options
@pass_session
def list_(
    session: Session, queue: str | None, kind: str | None, state: str | None, limit: int, cursor: str | None
) -> None:
    """List jobs, newest first."""
    wanted = JobFilter(queue=queue, kind=kind, state=None if state is None else JobState(state))
    with session.bank() as bank:
        page = bank.jobs.page(wanted, cursor=cursor, limit=limit)
    columns = (
        Column("id"), Column("kind"), Column("queue"), Column("state"), Column("attempts", right=True),
        Column("runs"), Column("failed with", folds=True),
    )  # fmt: skip
    rows = [
        (
            str(each.id), each.kind, each.queue, each.state.value, str(each.attempts), moment(each.run_at),
            each.failures[-1].reason if each.failures else "",
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [job_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no jobs"),
    )
    session.more(page.next_cursor)


@job.command()
@pass_session
def counts(session: Session) -> None:
    """Count the jobs of each queue that are not finished."""
    with session.bank() as bank:
        found = [(counts_document(each), each) for each in bank.jobs.counts()]
    columns = (
        Column("queue"), Column("waiting", right=True), Column("running", right=True), Column("dead", right=True),
        Column("oldest ready"),
    )  # fmt: skip
    rows = [
        (*(str(document[name]) for name in ("queue", "waiting", "running", "dead")), moment(each.oldest_ready_at))
        for document, each in found
    ]
    session.show({"items": [document for document, _ in found]}, Table(columns=columns, rows=rows, empty="no jobs"))


@job.command()
@_id_argument
@pass_session
def show(session: Session, id_: str) -> None:
    """Show a job, with what went wrong."""
    id = id_from(id_)
    assert id is not None
    with session.bank() as bank:
        _show(session, bank.jobs.get(id))


@job.command()
@_id_argument
@pass_session
def retry(session: Session, id_: str) -> None:
    """Let a dead job begin again, with all its attempts."""
    id = id_from(id_)
    assert id is not None
    with session.bank() as bank:
        _show(session, bank.jobs.retry(id, actor=OPERATOR))


@job.command()
@_id_argument
@pass_session
def cancel(session: Session, id_: str) -> None:
    """Have a waiting job never begin."""
    id = id_from(id_)
    assert id is not None
    with session.bank() as bank:
        _show(session, bank.jobs.cancel(id, actor=OPERATOR))


def _show(session: Session, found: Job) -> None:
    facts = [
        ("id", str(found.id)),
        ("kind", found.kind),
        ("queue", found.queue),
        ("priority", str(found.priority)),
        ("state", found.state.value),
        ("arguments", json.dumps(dict(found.arguments))),
        ("enqueued", moment(found.enqueued_at)),
        ("runs", moment(found.run_at)),
        ("attempts", str(found.attempts)),
        ("finished", moment(found.finished_at)),
        ("correlation", found.correlation_id or ""),
    ]
    columns = (Column("attempt", right=True), Column("at"), Column("reason"), Column("details", folds=True))
    failures = [
        (str(each.attempt), moment(each.at), each.reason, json.dumps(dict(each.details))) for each in found.failures
    ]
    noted = [Table(columns=columns, rows=failures)] if failures else []
    session.show(job_document(found), Facts(facts), *noted)
