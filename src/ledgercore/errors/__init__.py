"""What can go wrong: categories, reasons and the exceptions that carry them."""

from ledgercore.errors.category import Category, DeadLetter, Policy
from ledgercore.errors.details import JsonValue, shortened
from ledgercore.errors.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusinessRuleError,
    ConflictError,
    ExternalDependencyError,
    InternalError,
    LedgercoreError,
    NotFoundError,
    ValidationError,
    error_for,
)
from ledgercore.errors.problem import problem, retry_after_seconds
from ledgercore.errors.reason import Reason

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessRuleError",
    "Category",
    "ConflictError",
    "DeadLetter",
    "ExternalDependencyError",
    "InternalError",
    "JsonValue",
    "LedgercoreError",
    "NotFoundError",
    "Policy",
    "Reason",
    "ValidationError",
    "error_for",
    "problem",
    "retry_after_seconds",
    "shortened",
]
