"""The registry of problems over HTTP: the catalog, whole and by parts."""

import json

import pytest

from ledgercore.errors.catalog import CATALOG, HOLD_EXPIRED, RATE_LIMIT_EXCEEDED, reasons_of
from ledgercore.errors.category import Category

ENTRY_FIELDS = {
    "code", "type", "status", "title", "category", "retryable", "retry_delay_ms", "max_retry_attempts",
    "description", "examples",
}  # fmt: skip


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
def test_registry_is_the_catalog_with_its_counts(anonymous, prefix):
    data = anonymous.request("GET", f"{prefix}/problems").json()["data"]

    assert [entry["code"] for entry in data["problems"]] == list(CATALOG)
    assert data["categories"] == {category.value: len(reasons_of(category)) for category in Category}
    assert sum(data["categories"].values()) == len(CATALOG)


def test_every_reason_is_found_under_its_code(anonymous):
    for code, reason in CATALOG.items():
        entry = anonymous.get(f"/problems/{code}").json()["data"]

        assert entry.keys() == ENTRY_FIELDS
        assert (entry["code"], entry["type"]) == (code, reason.type_uri)
        assert (entry["status"], entry["title"]) == (reason.http_status, reason.title)
        [example] = entry["examples"]
        assert json.loads(example)["reason"] == code


def test_waits_are_told_of_those_that_may_be_repeated(anonymous):
    limited = anonymous.get(f"/problems/{RATE_LIMIT_EXCEEDED.code}").json()["data"]
    final = anonymous.get(f"/problems/{HOLD_EXPIRED.code}").json()["data"]

    assert (limited["retryable"], limited["retry_delay_ms"], limited["max_retry_attempts"]) == (True, 1000, 3)
    assert (final["retryable"], final["retry_delay_ms"], final["max_retry_attempts"]) == (False, 0, 0)


@pytest.mark.parametrize("category", Category, ids=lambda category: category.value)
def test_every_category_lists_its_reasons(anonymous, category):
    answer = anonymous.get(f"/problems/category/{category.value}")

    assert [entry["code"] for entry in answer.json()["data"]] == [reason.code for reason in reasons_of(category)]
    assert answer.json()["metadata"] == {
        "category": category.value,
        "total_errors": len(reasons_of(category)),
        "http_status": category.http_status,
    }


@pytest.mark.parametrize("reason", ["nothing_of_ours", "HOLD_EXPIRED", "hold-expired", "%00", "x" * 500, "ü"])
def test_unknown_reason_is_refused(anonymous, reason):
    assert told(anonymous.get(f"/problems/{reason}")) == (400, "invalid_reason_format")


@pytest.mark.parametrize(
    ("category", "code"),
    [
        ("weather", "invalid_category"),
        ("Conflict", "invalid_category_format"),
        ("not-found", "invalid_category_format"),
        ("%00", "invalid_category_format"),
        ("x" * 65, "invalid_category_format"),
    ],
)
def test_unknown_category_is_refused(anonymous, category, code):
    assert told(anonymous.get(f"/problems/category/{category}")) == (400, code)
