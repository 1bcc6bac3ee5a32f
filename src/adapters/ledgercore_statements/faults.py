"""What is said of a file that cannot be read."""

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import MALFORMED_STATEMENT


def malformed(file_format: str, position: str, why: str) -> ValidationError:
    """The error that names the format, where in the file it stops making sense, and why.

    `position` is a line such as `line 7`, or an element such as `Ntry 3`.
    """
    return ValidationError(MALFORMED_STATEMENT, format=file_format, position=position, why=why)


def quoted(text: str) -> str:
    """A piece of the file as a reason quotes it: at most 60 characters of it, none of them a control character."""
    return repr(shortened(text))
