"""One exception class per category; the reason says which cause, the details say which values."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from ledgercore.errors.category import Category
from ledgercore.errors.details import JsonValue, json_details, shown
from ledgercore.errors.reason import Reason


class LedgercoreError(Exception):
    """A refusal or failure with a reason from the catalog.

    Details are turned into JSON values (identifiers, moments and exact numbers become text), and those
    with a sensitive key are left out. Raises `TypeError` when the reason belongs to another category
    than the class.
    """

    category: ClassVar[Category | None] = None

    reason: Reason
    details: Mapping[str, JsonValue]

    def __init__(self, reason: Reason, /, **details: object) -> None:
        if self.category is not None and reason.category is not self.category:
            raise TypeError(f"{type(self).__name__} cannot report {reason.code}, a {reason.category.value}")
        super().__init__()
        self.reason = reason
        self.details = json_details(details)

    @property
    def code(self) -> str:
        """The code of the reason, such as `hold_expired`."""
        return self.reason.code

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed when it is sent again unchanged."""
        return self.reason.retryable

    def __str__(self) -> str:
        # Written when somebody reads it: a batch may refuse many thousands that nobody prints.
        listed = ", ".join(f"{key}={shown(value)}" for key, value in self.details.items())
        return f"{self.reason.title}: {listed}" if listed else self.reason.title

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.reason.code} {dict(self.details)!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class without its reason, so an error could not leave its process.
        return _rebuild, (type(self), self.reason, dict(self.details)), self.__dict__

    @classmethod
    def of(cls, reason: Reason, details: Mapping[str, object]) -> Self:
        """Make an error from details whose names are not known beforehand."""
        return cls(reason, **details)


class ValidationError(LedgercoreError):
    """What was sent cannot be read or is not allowed in itself; mend the request."""

    category = Category.VALIDATION


class AuthenticationError(LedgercoreError):
    """Who is asking could not be established."""

    category = Category.AUTHENTICATION


class AuthorizationError(LedgercoreError):
    """Who is asking is known and may not do this."""

    category = Category.AUTHORIZATION


class NotFoundError(LedgercoreError):
    """What is asked for does not exist, or not for the one who asks."""

    category = Category.NOT_FOUND


class ConflictError(LedgercoreError):
    """The request contradicts what was stored before."""

    category = Category.CONFLICT


class BusinessRuleError(LedgercoreError):
    """The request is well formed, but a rule about money or time forbids it."""

    category = Category.BUSINESS_RULE


class ExternalDependencyError(LedgercoreError):
    """Something that we depend on failed or did not answer; try again later."""

    category = Category.EXTERNAL_DEPENDENCY


class InternalError(LedgercoreError):
    """The fault is on our side; an operator has to look at it."""

    category = Category.SYSTEM


EXCEPTIONS: Final[Mapping[Category, type[LedgercoreError]]] = {
    Category.VALIDATION: ValidationError,
    Category.AUTHENTICATION: AuthenticationError,
    Category.AUTHORIZATION: AuthorizationError,
    Category.NOT_FOUND: NotFoundError,
    Category.CONFLICT: ConflictError,
    Category.BUSINESS_RULE: BusinessRuleError,
    Category.EXTERNAL_DEPENDENCY: ExternalDependencyError,
    Category.SYSTEM: InternalError,
}


def error_for(reason: Reason, details: Mapping[str, object] | None = None) -> LedgercoreError:
    """Make the exception of the reason's category, for a caller that got the reason as a value."""
    return EXCEPTIONS[reason.category].of(reason, details or {})


def _rebuild(cls: type[LedgercoreError], reason: Reason, details: Mapping[str, object]) -> LedgercoreError:
    return cls.of(reason, details)
