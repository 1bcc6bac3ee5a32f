"""The registry of problems: every reason for which a request is refused or fails, from the catalog."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    CATALOG,
    INVALID_CATEGORY,
    INVALID_CATEGORY_FORMAT,
    INVALID_REASON_FORMAT,
    reasons_of,
)
from ledgercore.errors.category import Category
from ledgercore.identity.access import PUBLIC
from ledgercore_http.answers import Answer, success
from ledgercore_http.call import Call
from ledgercore_http.openapi import example_problem
from ledgercore_http.routes import Routes, Success
from ledgercore_http.schemas import service as schemas
from ledgercore_http.schemas.building import array

ROUTES = Routes("problems", "Every reason that answers may have, and what to do about it.")
ENTRIES: Final[Mapping[str, dict[str, Any]]] = {
    code: schemas.entry_document(reason, json.dumps(example_problem(reason))) for code, reason in CATALOG.items()
}
_CATEGORY: Final = re.compile(r"[a-z_]{1,64}")


@ROUTES.route(
    "GET",
    "/problems",
    access=PUBLIC,
    success=Success(
        schema=schemas.PROBLEMS,
        example={
            "problems": [schemas.ENTRY_EXAMPLE],
            "categories": {category.value: len(reasons_of(category)) for category in Category},
        },
    ),
)
async def list_problems(call: Call) -> Answer:
    """List all reasons, and how many each category has."""
    counts = {category.value: len(reasons_of(category)) for category in Category}
    return call.answer({"problems": list(ENTRIES.values()), "categories": counts})


@ROUTES.route(
    "GET",
    "/problems/{reason}",
    access=PUBLIC,
    success=Success(schema=schemas.ENTRY, example=schemas.ENTRY_EXAMPLE),
    reasons=(INVALID_REASON_FORMAT,),
)
async def get_problem(call: Call) -> Answer:
    """Show a reason by its code."""
    code = call.path["reason"]
    entry = ENTRIES.get(code)
    if entry is None:
        raise ValidationError(INVALID_REASON_FORMAT, field="reason", value=shortened(code))
    return call.answer(entry)


@ROUTES.route(
    "GET",
    "/problems/category/{category}",
    access=PUBLIC,
    success=Success(schema=array(schemas.ENTRY), example=[schemas.ENTRY_EXAMPLE], metadata=schemas.CATEGORY_METADATA),
    reasons=(INVALID_CATEGORY, INVALID_CATEGORY_FORMAT),
)
async def list_problems_of_category(call: Call) -> Answer:
    """List the reasons of a category."""
    name = call.path["category"]
    if not _CATEGORY.fullmatch(name):
        raise ValidationError(INVALID_CATEGORY_FORMAT, field="category", value=shortened(name))
    category = next((each for each in Category if each.value == name), None)
    if category is None:
        allowed = [each.value for each in Category]
        raise ValidationError(INVALID_CATEGORY, field="category", value=name, allowed=allowed)
    entries = [ENTRIES[reason.code] for reason in reasons_of(category)]
    metadata = {"category": name, "total_errors": len(entries), "http_status": category.http_status}
    return success(entries, at=call.service.clock(), metadata=metadata)
