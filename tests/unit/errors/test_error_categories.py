"""What each category means for HTTP, retries, breakers and jobs."""

import pytest

from ledgercore.errors import Category, DeadLetter

POLICY = [
    ("validation", 400, False, False, 0, 0),
    ("not_found", 404, False, False, 0, 0),
    ("authentication", 401, False, False, 0, 0),
    ("authorization", 403, False, False, 0, 0),
    ("conflict", 409, False, False, 0, 0),
    ("business_rule", 422, False, False, 0, 0),
    ("external_dependency", 503, True, True, 3, 1000),
    ("system", 500, True, True, 2, 500),
]


@pytest.mark.parametrize(("name", "status", "retryable", "breaks", "retries", "delay_ms"), POLICY)
def test_category_decides_how_to_react(
    name: str, status: int, retryable: bool, breaks: bool, retries: int, delay_ms: int
) -> None:
    """Status, retry, circuit breaker and first delay are the category's."""
    category = Category(name)

    policy = (
        category.http_status,
        category.retryable,
        category.breaks_circuit,
        category.retries_max,
        category.retry_delay_ms,
    )

    assert policy == (status, retryable, breaks, retries, delay_ms)


def test_every_category_has_a_policy() -> None:
    """The table above leaves none out."""
    assert {row[0] for row in POLICY} == {category.value for category in Category}


@pytest.mark.parametrize("category", Category)
def test_only_retryable_failures_wait_for_the_dead_letters(category: Category) -> None:
    """A job that can never succeed is given up at once; the others after their retries."""
    expected = DeadLetter.AFTER_RETRIES if category.retryable else DeadLetter.AT_ONCE

    assert category.dead_letter is expected


@pytest.mark.parametrize("category", Category)
def test_waits_grow_only_where_there_are_retries(category: Category) -> None:
    """An outage doubles each wait, a refusal has none."""
    assert category.retry_factor == (2 if category.retryable else 1)
