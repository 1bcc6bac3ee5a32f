"""The eight kinds of failure, and what each means for HTTP, retries, circuit breakers and jobs."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from attrs import frozen


class DeadLetter(Enum):
    """When a failed job is given up and kept for an operator."""

    AT_ONCE = "at_once"
    AFTER_RETRIES = "after_retries"


@frozen(kw_only=True)
class Policy:
    """What follows from a category, for every caller and every adapter alike.

    `retry_delay_ms` is the wait before the first retry; each further wait is `retry_factor` times the
    one before. Status codes are those of RFC 9110.
    """

    http_status: int
    retryable: bool
    breaks_circuit: bool
    retries_max: int
    retry_delay_ms: int
    retry_factor: int
    dead_letter: DeadLetter


class Category(Enum):
    """The kind of a failure; it alone decides status, retry, circuit breaking and dead letter."""

    VALIDATION = "validation"
    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    BUSINESS_RULE = "business_rule"
    EXTERNAL_DEPENDENCY = "external_dependency"
    SYSTEM = "system"

    @property
    def policy(self) -> Policy:
        """The row of this category in the policy table."""
        return POLICIES[self]

    @property
    def http_status(self) -> int:
        """The status of a response that reports a failure of this kind."""
        return self.policy.http_status

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed when it is sent again unchanged."""
        return self.policy.retryable

    @property
    def breaks_circuit(self) -> bool:
        """Whether a circuit breaker counts such a failure against the service called."""
        return self.policy.breaks_circuit

    @property
    def retries_max(self) -> int:
        """How many times to try again after the first attempt."""
        return self.policy.retries_max

    @property
    def retry_delay_ms(self) -> int:
        """Milliseconds to wait before the first retry."""
        return self.policy.retry_delay_ms

    @property
    def retry_factor(self) -> int:
        """By how much each wait is longer than the one before."""
        return self.policy.retry_factor

    @property
    def dead_letter(self) -> DeadLetter:
        """When a job that fails in this way is given up."""
        return self.policy.dead_letter


def _refusal(http_status: int) -> Policy:
    """Our answer is final: the same request would be refused again, so nobody should repeat it."""
    return Policy(
        http_status=http_status,
        retryable=False,
        breaks_circuit=False,
        retries_max=0,
        retry_delay_ms=0,
        retry_factor=1,
        dead_letter=DeadLetter.AT_ONCE,
    )


def _outage(http_status: int, *, retries_max: int, retry_delay_ms: int) -> Policy:
    """Something did not work this time; waits double so that a struggling service can recover."""
    return Policy(
        http_status=http_status,
        retryable=True,
        breaks_circuit=True,
        retries_max=retries_max,
        retry_delay_ms=retry_delay_ms,
        retry_factor=2,
        dead_letter=DeadLetter.AFTER_RETRIES,
    )


POLICIES: Final[Mapping[Category, Policy]] = {
    Category.VALIDATION: _refusal(400),
    Category.AUTHENTICATION: _refusal(401),
    Category.AUTHORIZATION: _refusal(403),
    Category.NOT_FOUND: _refusal(404),
    Category.CONFLICT: _refusal(409),
    Category.BUSINESS_RULE: _refusal(422),
    Category.EXTERNAL_DEPENDENCY: _outage(503, retries_max=3, retry_delay_ms=1000),
    Category.SYSTEM: _outage(500, retries_max=2, retry_delay_ms=500),
}
