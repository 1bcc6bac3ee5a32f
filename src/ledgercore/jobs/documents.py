"""Jobs as JSON values, as they are stored and shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledgercore.jobs.jobs import Failure, Job
from ledgercore.jobs.ports import COUNTED, QueueCounts


def failure_document(failure: Failure) -> dict[str, Any]:
    """A failed attempt as JSON has it."""
    return {
        "attempt": failure.attempt,
        "at": failure.at.isoformat(),
        "reason": failure.reason,
        "details": dict(failure.details),
    }


def failure_of(document: Mapping[str, Any]) -> Failure:
    """A failed attempt from its document."""
    return Failure(
        attempt=document["attempt"],
        at=datetime.fromisoformat(document["at"]),
        reason=document["reason"],
        details=document["details"],
    )


def job_document(job: Job) -> dict[str, Any]:
    """A job as JSON has it; what it does not have is left out."""
    maybe = {
        "unique_key": job.unique_key,
        "leased_until": job.leased_until and job.leased_until.isoformat(),
        "finished_at": job.finished_at and job.finished_at.isoformat(),
        "correlation_id": job.correlation_id,
    }
    return {
        "id": str(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "priority": job.priority,
        "state": job.state.value,
        "arguments": dict(job.arguments),
        "run_at": job.run_at.isoformat(),
        "attempts": job.attempts,
        "enqueued_at": job.enqueued_at.isoformat(),
        "failures": [failure_document(failure) for failure in job.failures],
        **{name: value for name, value in maybe.items() if value is not None},
    }


def counts_document(counts: QueueCounts) -> dict[str, Any]:
    """How many jobs a queue has, as JSON has it."""
    oldest = {} if counts.oldest_ready_at is None else {"oldest_ready_at": counts.oldest_ready_at.isoformat()}
    return {"queue": counts.queue, **{state.value: counts.states.get(state, 0) for state in COUNTED}, **oldest}
