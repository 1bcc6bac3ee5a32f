"""Service tokens, members of ledgers and the audit log in the document."""

from typing import Final

from ledgercore.identity.audit import ACTIONS
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.service_token_administration import LEDGERS_MAX
from ledgercore.identity.service_tokens import NAME_LENGTH_MAX, Scope
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    MOMENT,
    UUID,
    array,
    asked,
    component,
    one_of,
    or_null,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.identity import TIME, USER_ID, trimmed
from ledgercore_http.schemas.ledgers import SETTINGS_ASKED

TOKEN_ID: Final = "01970000-0000-7000-8000-000000000003"
LEDGER: Final = "shop-4q7m2kd9xa"
_LEDGER_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
_KEY: Final = "lc_live_7Qm2Kd9xA4tY8wR3vB6nC1zF5hJ0sLpE2TqW9u"
_SERVICE_TOKEN: Final = {
    "id": UUID,
    "owner_id": UUID,
    "name": text(),
    "shown": text("How the key begins."),
    "scopes": array(one_of(Scope)),
    "issued_at": MOMENT,
}
_SERVICE_TOKEN_MAYBE: Final = {
    "ledgers": array(text(), description="The only ledgers that it opens."),
    "expires_at": MOMENT,
    "revoked_at": MOMENT,
    "last_used_at": MOMENT,
}
SERVICE_TOKEN: Final = component("ServiceToken", record(_SERVICE_TOKEN, _SERVICE_TOKEN_MAYBE))
SERVICE_TOKEN_EXAMPLE: Final = {
    "id": TOKEN_ID,
    "owner_id": USER_ID,
    "name": "nightly posting",
    "shown": _KEY[:12],
    "scopes": ["ledger:read", "ledger:write"],
    "issued_at": TIME,
    "expires_at": "2027-03-02T09:00:00+00:00",
}
ISSUED_TOKEN: Final = component(
    "IssuedServiceToken",
    record({**_SERVICE_TOKEN, "key": text("The bearer token itself; shown this once.")}, _SERVICE_TOKEN_MAYBE),
)
ISSUED_TOKEN_EXAMPLE: Final = {**SERVICE_TOKEN_EXAMPLE, "key": _KEY}
SERVICE_TOKEN_ASKED: Final = component(
    "NewServiceToken",
    asked(
        {"name": trimmed(NAME_LENGTH_MAX, "What it is for."), "scopes": array(one_of(Scope), minItems=1)},
        {
            "ledgers": array(
                text(pattern=_LEDGER_NAME),
                minItems=1,
                maxItems=LEDGERS_MAX,
                description="All of its owner's if left out.",
            ),
            "expires_at": text("A time to come; if left out, it is good until it is revoked.", format="date-time"),
            "owner_id": text("Only admins name somebody else.", format="uuid", pattern=UUID["pattern"]),
        },
    ),
)
SERVICE_TOKEN_ASKED_EXAMPLE: Final = {"name": "nightly posting", "scopes": ["ledger:read", "ledger:write"]}

ACCESS: Final = one_of(LedgerAccess)
LEDGER_ASKED: Final = component(
    "NewLedger",
    asked(
        {
            "name": text(
                "Users get ten random characters after it; admins may use 63 characters.",
                pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,51}$",
            )
        },
        {"settings": SETTINGS_ASKED},
    ),
)
LEDGER_ASKED_EXAMPLE: Final = {"name": "shop", "settings": {"on_first_use": True}}
LEDGER_OF: Final = component("LedgerOf", record({"ledger": text()}, {"access": ACCESS}))
LEDGER_OF_EXAMPLE: Final = {"ledger": LEDGER, "access": "owner"}
MEMBER: Final = component("Member", record({"ledger": text(), "user_id": UUID, "access": ACCESS, "granted_at": MOMENT}))
MEMBER_EXAMPLE: Final = {
    "ledger": LEDGER,
    "user_id": USER_ID,
    "access": "writer",
    "granted_at": TIME,
}
MEMBER_ASKED: Final = component("MemberGrant", record({"access": ACCESS}))
MEMBER_ASKED_EXAMPLE: Final = {"access": "writer"}

_HASH: Final = text(pattern="^[0-9a-f]{64}$")
AUDIT_ENTRY: Final = component(
    "AuditEntry",
    record(
        {
            "id": UUID,
            "number": whole(minimum=1),
            "at": MOMENT,
            "action": one_of(ACTIONS),
            "actor": text("`user:<id>`, `token:<id>`, `operator` or `anonymous`."),
            "source": or_null(text("The client's address.")),
            "correlation_id": or_null(text()),
            "target": or_null(text("What it was done to, such as `user:<id>`.")),
            "details": ANY_OBJECT,
            "root": _HASH,
            "head": _HASH,
        },
        description="What happened, and its place in the chain that no later change leaves whole.",
    ),
)
AUDIT_ENTRY_EXAMPLE: Final = {
    "id": "01970000-0000-7000-8000-000000000004",
    "number": 17,
    "at": TIME,
    "action": "user_login",
    "actor": f"user:{USER_ID}",
    "source": "192.0.2.7",
    "correlation_id": "4f0c1bd5a7e84d31b7a50c1f6f3ad2a1",
    "target": f"user:{USER_ID}",
    "details": {"session_id": "01970000-0000-7000-8000-000000000005"},
    "root": "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592",
    "head": "7d793037a0760186574b0282f2f435e77d793037a0760186574b0282f2f435e7",
}
AUDIT_VERIFIED: Final = record(
    {"sound": BOOLEAN, "first_broken": or_null(whole("The number of the first entry that is not what was recorded."))}
)
AUDIT_VERIFIED_EXAMPLE: Final = {"sound": True, "first_broken": None}
