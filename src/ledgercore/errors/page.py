"""The page of the documentation that lists every reason, written from the catalog."""

from collections.abc import Iterable, Iterator

from ledgercore.errors.catalog import reasons_of
from ledgercore.errors.category import Category, DeadLetter, Policy
from ledgercore.errors.exceptions import EXCEPTIONS
from ledgercore.errors.reason import TYPE_URI_BASE

_HEAD = f"""# Errors

Every refusal and failure has a reason from this list. The HTTP API reports it as problem details
(RFC 9457) with the code in `code` and `reason`, and `{TYPE_URI_BASE}<code>` in `type`;
the library raises the exception of its category with `error.reason` and `error.details`.

The category decides the status, whether trying again makes sense, what a circuit breaker counts and
when a job is given up. A reason departs from its category only where its line below says so.
"""


def render_catalog() -> str:
    """Write the catalog as Markdown: the policy of each category, then a table of reasons for each."""
    sections = [_categories(), *map(_reasons, Category)]
    return "\n".join([_HEAD, *(line for section in sections for line in section)])


def _categories() -> Iterator[str]:
    yield from _table(
        ["Category", "Exception", "Status", "Retries", "Circuit breaker", "Dead letter", "Reasons"],
        (
            [
                f"[{each.value}](#{each.value})",
                f"`{EXCEPTIONS[each].__name__}`",
                str(each.http_status),
                _retries(each.policy),
                "counts it" if each.breaks_circuit else "ignores it",
                "at once" if each.dead_letter is DeadLetter.AT_ONCE else "after the retries",
                str(len(reasons_of(each))),
            ]
            for each in Category
        ),
    )


def _reasons(category: Category) -> Iterator[str]:
    yield f"## {category.value}\n"
    yield from _table(
        ["Code", "Title", "Status", "Retry", "What to do"],
        (
            [
                f"`{reason.code}`",
                reason.title,
                str(reason.http_status),
                "yes" if reason.retryable else "no",
                reason.description,
            ]
            for reason in reasons_of(category)
        ),
    )


def _retries(policy: Policy) -> str:
    if not policy.retryable:
        return "no"
    return f"{policy.retries_max}, after {policy.retry_delay_ms} ms, then ×{policy.retry_factor} each"  # noqa: RUF001


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""
