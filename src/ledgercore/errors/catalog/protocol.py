"""Requests that HTTP itself or the server's limits refuse (RFC 9110, RFC 6585)."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

MALFORMED_REQUEST: Final = Reason(
    "malformed_request",
    Category.VALIDATION,
    "Malformed request",
    description="Send a request that HTTP and the stated content type allow.",
)
METHOD_NOT_ALLOWED: Final = Reason(
    "method_not_allowed",
    Category.VALIDATION,
    "Method not allowed",
    status=405,
    description="Use one of the methods in the `Allow` header.",
)
NOT_ACCEPTABLE: Final = Reason(
    "not_acceptable",
    Category.VALIDATION,
    "No acceptable representation",
    status=406,
    description="Accept `application/json`.",
)
PAYLOAD_TOO_LARGE: Final = Reason(
    "payload_too_large",
    Category.VALIDATION,
    "Payload too large",
    status=413,
    description="Send a smaller body, or split it into several requests.",
)
URI_TOO_LONG: Final = Reason(
    "uri_too_long",
    Category.VALIDATION,
    "URI too long",
    status=414,
    description="Shorten the query, or send the values in a body.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Reason(
    "unsupported_media_type",
    Category.VALIDATION,
    "Unsupported media type",
    status=415,
    description="Send a content type that the route documents, in UTF-8.",
)
REQUEST_HEADER_FIELDS_TOO_LARGE: Final = Reason(
    "request_header_fields_too_large",
    Category.VALIDATION,
    "Request header fields too large",
    status=431,
    description="Send fewer or shorter header fields.",
)
UNSUPPORTED_API_VERSION: Final = Reason(
    "unsupported_api_version",
    Category.VALIDATION,
    "Unsupported API version",
    description="Ask for a version that the details list.",
)

NOT_FOUND: Final = Reason(
    "not_found",
    Category.NOT_FOUND,
    "Route not found",
    description="Check the path; the OpenAPI document lists all routes.",
)

# The rule is ours, yet time alone lifts it; a breaker must not count it as an outage.
RATE_LIMIT_EXCEEDED: Final = Reason(
    "rate_limit_exceeded",
    Category.BUSINESS_RULE,
    "Rate limit exceeded",
    status=429,
    retryable=True,
    description="Wait as long as `Retry-After` says, then send the request again.",
)

SERVICE_OVERLOADED: Final = Reason(
    "service_overloaded",
    Category.EXTERNAL_DEPENDENCY,
    "The service is overloaded",
    description="Wait as long as `Retry-After` says, then send the request again.",
)
REQUEST_TIMEOUT: Final = Reason(
    "request_timeout",
    Category.VALIDATION,
    "The request took too long to arrive",
    status=408,
    description="Send the whole request without long pauses.",
)
