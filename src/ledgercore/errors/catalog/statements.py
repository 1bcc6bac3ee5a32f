"""Statement files and the reconciliation with them."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

MALFORMED_STATEMENT: Final = Reason(
    "malformed_statement",
    Category.VALIDATION,
    "The statement file cannot be read",
    description="Nothing of the file was stored; the details say where it stops making sense.",
)
UNKNOWN_STATEMENT_FORMAT: Final = Reason(
    "unknown_statement_format",
    Category.VALIDATION,
    "The format of the statement file is not known",
    description="Name the format, or the dialect of a CSV file; the details list them.",
)
