"""What a password must be; how it is kept is the hasher's matter (`secrets`)."""

from typing import Final

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_PASSWORD_FORMAT, MISSING_FIELDS
from ledgercore.identity.users import Role

LENGTH_MIN: Final = {Role.USER: 8, Role.SUPPORT: 15, Role.ADMIN: 15}
LENGTH_MAX: Final = 255


def check_new_password(password: object, confirmation: object, *, role: Role, email: str) -> str:
    """A password that may be set, unchanged: never trimmed, no rules about its characters (NIST SP 800-63B).

    Raises `missing_fields` when it or its confirmation is missing, and `invalid_password_format`, with the
    length that the role requires, when it is too short or long, differs from its confirmation, or is the address.
    """
    missing = [
        name for name, value in (("password", password), ("password_confirmation", confirmation)) if value in (None, "")
    ]
    if missing:
        raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)
    if not isinstance(password, str) or _unstorable(password):
        raise _refused("text that UTF-8 can carry is expected", role)
    if not LENGTH_MIN[role] <= len(password) <= LENGTH_MAX:
        raise _refused("the length", role)
    if password != confirmation:
        raise _refused("it differs from its confirmation", role)
    if password.lower() in (email, email.partition("@")[0]):
        raise _refused("it is the email", role)
    return password


def _unstorable(password: str) -> bool:
    return "\x00" in password or any("\ud800" <= letter <= "\udfff" for letter in password)


def _refused(why: str, role: Role) -> ValidationError:
    return ValidationError(
        INVALID_PASSWORD_FORMAT, field="password", why=why, length_min=LENGTH_MIN[role], length_max=LENGTH_MAX
    )
