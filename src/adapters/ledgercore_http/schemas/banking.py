"""Banks, logins and accounts in the document."""

from typing import Final

from ledgercore.banking.accounts import AccountStatus, AccountType
from ledgercore.banking.banks import BankStatus, Integration
from ledgercore.banking.findings import KINDS
from ledgercore.banking.logins import LoginStatus
from ledgercore.statements.statements import Direction
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    DECIMAL,
    MOMENT,
    UUID,
    asked,
    component,
    needing,
    one_of,
    or_null,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.identity import TIME, USER_ID

BANK_ID: Final = "01970000-0000-7000-8000-000000000041"
BRANCH_ID: Final = "01970000-0000-7000-8000-000000000042"
LOGIN_ID: Final = "01970000-0000-7000-8000-000000000043"
BANK_ACCOUNT_ID: Final = "01970000-0000-7000-8000-000000000044"
FINDING_ID: Final = "01970000-0000-7000-8000-000000000045"
_SYNC_JOB_ID: Final = "01970000-0000-7000-8000-000000000046"
_TRANSACTION_ID: Final = "01970000-0000-7000-8000-000000000047"
_NAME: Final = text("2 to 100 characters.", minLength=2, maxLength=100, pattern="^[^\\u0000-\\u001f\\u007f]+$")
_COUNTRY: Final = text("2 or 3 capital letters.", pattern="^[A-Z]{2,3}$")
_CODE: Final = text("3 to 32 capital letters, digits and underscores.", pattern="^[A-Z0-9_]{3,32}$")
_ADDRESS: Final = text("An https address of a public host.", minLength=8, maxLength=2_000)
_BANK: Final[dict[str, JsonSchema]] = {
    "status": one_of(BankStatus),
    "integration": one_of(Integration, "Whose language the bank speaks."),
    "logo_url": text("An http(s) address.", minLength=8, maxLength=2_000),
    "api_url": _ADDRESS,
    "authorize_url": text("Where users go to let us in.", minLength=8, maxLength=2_000),
    "token_url": text("Where codes become tokens, if not below `api_url`.", minLength=8, maxLength=2_000),
    "client_id": text("What the bank knows us as.", minLength=1, maxLength=200),
    "client_secret": text("Kept sealed and never shown.", minLength=1, maxLength=1_000),
}
BANK_ASKED: Final = component("BankAsked", asked({"name": _NAME, "country": _COUNTRY, "code": _CODE}, _BANK))
BANK_ASKED_EXAMPLE: Final = {
    "name": "Monzo",
    "country": "GB",
    "code": "MONZO_GB",
    "integration": "monzo",
    "api_url": "https://api.monzo.com",
    "authorize_url": "https://auth.monzo.com",
    "client_id": "oauth2client_0000",
    "client_secret": "what-the-bank-has-given-us",
}
_BANK_CHANGES: Final = {"name": _NAME, "country": _COUNTRY, "code": _CODE, **_BANK}
BANK_CHANGE: Final = component("BankChange", needing(asked({}, _BANK_CHANGES), *_BANK_CHANGES))
BANK_CHANGE_EXAMPLE: Final = {"status": "INACTIVE"}
BANK: Final = component(
    "Bank",
    record(
        {
            "id": UUID,
            "name": text(),
            "country": text(),
            "code": text(),
            "status": one_of(BankStatus),
            "integration": one_of(Integration),
            **{name: or_null(text()) for name in ("logo_url", "api_url", "authorize_url", "token_url", "client_id")},
            "has_client_secret": BOOLEAN,
            "inserted_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
)
BANK_EXAMPLE: Final = {
    "id": BANK_ID,
    **{name: value for name, value in BANK_ASKED_EXAMPLE.items() if name != "client_secret"},
    "status": "ACTIVE",
    "logo_url": None,
    "token_url": None,
    "has_client_secret": True,
    "inserted_at": TIME,
    "updated_at": TIME,
}
BRANCH_ASKED: Final = component(
    "BranchAsked",
    asked(
        {"name": _NAME, "country": _COUNTRY},
        {
            "iban": text("Checked by its length and check digits.", minLength=5, maxLength=60),
            "swift_code": text("A BIC of 11 characters.", minLength=8, maxLength=20),
            "routing_number": text("9 digits with a check digit.", minLength=9, maxLength=20),
        },
    ),
)
BRANCH_ASKED_EXAMPLE: Final = {"name": "Moorgate", "country": "GB"}
BRANCH: Final = component(
    "Branch",
    record(
        {
            "id": UUID,
            "bank_id": UUID,
            "name": text(),
            "country": text(),
            **{name: or_null(text()) for name in ("iban", "swift_code", "routing_number")},
            "inserted_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
)
BRANCH_EXAMPLE: Final = {
    "id": BRANCH_ID,
    "bank_id": BANK_ID,
    **BRANCH_ASKED_EXAMPLE,
    "iban": None,
    "swift_code": None,
    "routing_number": None,
    "inserted_at": TIME,
    "updated_at": TIME,
}
_LOGIN: Final = {
    "id": UUID,
    "user_id": UUID,
    "bank_branch_id": UUID,
    "username": text(),
    "status": one_of(LoginStatus),
    "status_reason": or_null(text("A code of the error catalog: why we are not let in.")),
    "sync_frequency": whole("Seconds between synchronisations."),
    "consent_expires_at": or_null(MOMENT),
    "last_sync_at": or_null(MOMENT),
    "next_sync_at": or_null(MOMENT),
    "inserted_at": MOMENT,
    "updated_at": MOMENT,
}
LOGIN: Final = component("BankLogin", record(_LOGIN))
LOGIN_EXAMPLE: Final = {
    "id": LOGIN_ID,
    "user_id": USER_ID,
    "bank_branch_id": BRANCH_ID,
    "username": "alice01",
    "status": "ACTIVE",
    "status_reason": None,
    "sync_frequency": 3600,
    "consent_expires_at": "2026-05-31T09:00:00+00:00",
    "last_sync_at": TIME,
    "next_sync_at": "2026-03-02T10:00:00+00:00",
    "inserted_at": TIME,
    "updated_at": TIME,
}
LOGIN_ASKED: Final = component(
    "BankLoginAsked",
    asked(
        {
            "bank_branch_id": UUID,
            "username": text("3 to 50 letters and digits.", pattern="^[A-Za-z0-9]{3,50}$"),
        },
        {"sync_frequency": whole("Seconds between synchronisations.", minimum=300, maximum=86_400)},
    ),
)
LOGIN_ASKED_EXAMPLE: Final = {"bank_branch_id": BRANCH_ID, "username": "alice01", "sync_frequency": 3600}
BEGUN: Final = component(
    "BankLoginBegun",
    record({**_LOGIN, "authorization_url": text("Where the user has to go, within ten minutes.")}),
)
BEGUN_EXAMPLE: Final = {
    **LOGIN_EXAMPLE,
    "status": "INACTIVE",
    "consent_expires_at": None,
    "last_sync_at": None,
    "next_sync_at": None,
    "authorization_url": "https://auth.monzo.com?response_type=code&client_id=oauth2client_0000&state=8oV1",
}
BROUGHT: Final = component(
    "BankLoginBrought",
    asked(
        {"state": text("As it was in the authorization URL; good once.", minLength=1, maxLength=500)},
        {
            "code": text("What the bank lets us in with.", minLength=1, maxLength=4_096),
            "error": text("The bank's code for not letting us in.", minLength=1, maxLength=100),
        },
    ),
)
BROUGHT_EXAMPLE: Final = {"state": "8oV1", "code": "oauth2-code"}
SYNC_ASKED: Final = component("BankSyncAsked", record({"job_id": UUID}))
SYNC_ASKED_EXAMPLE: Final = {"job_id": _SYNC_JOB_ID}
HEARD: Final = component(
    "MonzoWebhook",
    {
        **record({"type": text()}),
        "additionalProperties": True,
        "description": "It is not signed: nothing of it is believed but that there is something to look for.",
    },
)
HEARD_EXAMPLE: Final = {"type": "transaction.created", "data": {"id": "tx_0000", "account_id": "acc_0000"}}
TAKEN: Final = record({"received": {"const": True}})
TAKEN_EXAMPLE: Final = {"received": True}

_ACCOUNT_NAME: Final = text("1 to 100 characters.", minLength=1, maxLength=100)
_STATUS: Final = one_of(AccountStatus)
ACCOUNT_ASKED: Final = component(
    "BankAccountAsked",
    asked(
        {
            "user_bank_login_id": UUID,
            "currency": text("A code of ISO 4217.", pattern="^[A-Za-z]{3}$"),
            "account_type": one_of(AccountType),
            "account_name": _ACCOUNT_NAME,
        },
        {
            "last_four": text("4 digits.", pattern="^[0-9]{4}$"),
            "external_account_id": text("The bank's name of it.", pattern="^[A-Za-z0-9]{1,50}$"),
            "iban": text("Checked by its length and check digits.", minLength=5, maxLength=60),
        },
    ),
)
ACCOUNT_ASKED_EXAMPLE: Final = {
    "user_bank_login_id": LOGIN_ID,
    "currency": "GBP",
    "account_type": "CHECKING",
    "account_name": "Household",
    "last_four": "4321",
}
_ACCOUNT_CHANGES: Final[dict[str, JsonSchema]] = {
    "account_name": _ACCOUNT_NAME,
    "status": _STATUS,
    "credit_limit": text("For admins, and CREDIT accounts.", pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$"),
}
ACCOUNT_CHANGE: Final = component("BankAccountChange", needing(asked({}, _ACCOUNT_CHANGES), *_ACCOUNT_CHANGES))
ACCOUNT_CHANGE_EXAMPLE: Final = {"account_name": "Holidays"}
ACCOUNT: Final = component(
    "BankAccount",
    record(
        {
            "id": UUID,
            "user_id": UUID,
            "user_bank_login_id": UUID,
            "account_name": text(),
            "account_type": one_of(AccountType),
            "status": _STATUS,
            "currency": text(),
            "balance": DECIMAL,
            "credit_limit": DECIMAL,
            **{name: or_null(text()) for name in ("last_four", "iban", "external_account_id")},
            "last_sync_at": or_null(MOMENT),
            "inserted_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
)
ACCOUNT_EXAMPLE: Final = {
    "id": BANK_ACCOUNT_ID,
    "user_id": USER_ID,
    "user_bank_login_id": LOGIN_ID,
    "account_name": "Household",
    "account_type": "CHECKING",
    "status": "ACTIVE",
    "currency": "GBP",
    "balance": "1250.00",
    "credit_limit": "0.00",
    "last_four": "4321",
    "iban": None,
    "external_account_id": None,
    "last_sync_at": None,
    "inserted_at": TIME,
    "updated_at": TIME,
}
ENTRY: Final = component(
    "BankAccountTransaction",
    record(
        {
            "id": UUID,
            "amount": DECIMAL,
            "currency": text(),
            "direction": one_of(Direction),
            "description": or_null(text()),
            "balance": text("What was in the account just after it.", pattern=r"^-?[0-9]+(\.[0-9]+)?$"),
            "posted_at": MOMENT,
            "recorded_at": MOMENT,
        }
    ),
)
ENTRY_EXAMPLE: Final = {
    "id": _TRANSACTION_ID,
    "amount": "12.50",
    "currency": "GBP",
    "direction": "DEBIT",
    "description": "Corner Bakery",
    "balance": "1250.00",
    "posted_at": TIME,
    "recorded_at": TIME,
}
FINDING: Final = component(
    "BankFinding",
    record(
        {
            "id": UUID,
            "account_id": UUID,
            "kind": one_of(KINDS),
            "details": ANY_OBJECT,
            "found_at": MOMENT,
            "seen_at": MOMENT,
            "resolved_at": or_null(MOMENT),
        },
        description="Something that does not agree between the bank and the ledger; it is never corrected by itself.",
    ),
)
FINDING_EXAMPLE: Final = {
    "id": FINDING_ID,
    "account_id": BANK_ACCOUNT_ID,
    "kind": "balance_difference",
    "details": {"difference_minor": "100", "bank_minor": "125100", "expected_minor": "125000"},
    "found_at": TIME,
    "seen_at": TIME,
    "resolved_at": None,
}
