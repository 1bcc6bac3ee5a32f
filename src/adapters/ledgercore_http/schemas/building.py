"""Words to write schemas with, and the named ones that others refer to."""

from collections.abc import Mapping
from typing import Any, Final

from ledgercore_http.routes import JsonSchema

COMPONENTS: Final[dict[str, JsonSchema]] = {}
"""The schemas with a name, as the document lists them."""


def component(name: str, schema: JsonSchema) -> JsonSchema:
    """Give a schema a name, and get what refers to it."""
    COMPONENTS[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def record(
    required: Mapping[str, JsonSchema], optional: Mapping[str, JsonSchema] | None = None, *, description: str = ""
) -> dict[str, Any]:
    """An object with these fields and no others."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
    if not required:
        del schema["required"]
    if description:
        schema["description"] = description
    return schema


def asked(
    required: Mapping[str, JsonSchema], optional: Mapping[str, JsonSchema] | None = None, *, description: str = ""
) -> dict[str, Any]:
    """An object as requests send it: an optional field that is `null` counts as absent."""
    nullable = {name: or_null(schema) for name, schema in (optional or {}).items()}
    return record(required, nullable, description=description)


def needing(schema: JsonSchema, *names: str) -> dict[str, Any]:
    """The object of a request, with at least one of these fields."""
    return {**schema, "not": {"properties": {name: {"type": "null"} for name in names}}}


def or_null(schema: JsonSchema) -> JsonSchema:
    """The schema, or `null`."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: JsonSchema, **bounds: Any) -> dict[str, Any]:
    """An array of items."""
    return {"type": "array", "items": items, **bounds}


def text(description: str = "", **bounds: Any) -> dict[str, Any]:
    """A text."""
    return {"type": "string", **({"description": description} if description else {}), **bounds}


def one_of(values: Any, description: str = "") -> dict[str, Any]:
    """One of some texts."""
    return text(description, enum=[str(getattr(value, "value", value)) for value in values])


def whole(description: str = "", **bounds: Any) -> dict[str, Any]:
    """A whole number."""
    return {"type": "integer", **({"description": description} if description else {}), **bounds}


UUID: Final = text(format="uuid", pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
MOMENT: Final = text("An ISO 8601 time with its UTC offset.", format="date-time")
DECIMAL: Final = text("A decimal number with all decimals of its currency.", pattern=r"^-?[0-9]+(\.[0-9]+)?$")
MINOR: Final = text("Whole minor units; they may have 38 digits, so they are text.", pattern="^-?[0-9]{1,39}$")
ANY_OBJECT: Final[JsonSchema] = {"type": "object"}
BOOLEAN: Final[JsonSchema] = {"type": "boolean"}
CURSOR: Final = text("Leads to the next page; opaque.")
