"""Accounts: open them, list them, change them, and what they hold."""

from typing import Any, Final

from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, INVALID_ACCOUNT_PATH
from ledgercore.identity.access import LEDGER_POST, LEDGER_READ
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.applied_documents import opened_document, record_of
from ledgercore.ledger.command_documents import account_change_from, account_from
from ledgercore.ledger.documents import account_document, amount_text
from ledgercore.ledger.paths import check_path
from ledgercore.ledger.queries import AccountBalance, AsOf
from ledgercore.ledger.report_documents import entry_document
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, EFFECTIVE_AT, LIMIT, RECORDED_AT, checked_parameter, choice_parameter
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import accounts as schemas
from ledgercore_http.schemas.building import array, text
from ledgercore_http.schemas.values import AS_OF_REASONS, LIST_REASONS, PAGED, link

ROUTES = Routes("accounts", "A path, one currency, a normal balance, and limits; with balances and entries.")
PREFIX: Final = checked_parameter(
    "prefix",
    text(pattern="^([A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+){0,15})?$", maxLength=255),
    "At or below this path.",
    default="",
)
_ORDERS: Final = ("asc", "desc")


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/accounts",
    access=LEDGER_POST,
    body=Body(schema=schemas.ACCOUNT_ASKED, example=schemas.ACCOUNT_EXAMPLE),
    success=Success(
        status=201,
        schema=schemas.ACCOUNT_READ,
        example=schemas.OPENED_EXAMPLE,
        links={
            "get": link("get_account", path="account"),
            "change": link("change_account", path="account"),
            "balance": link("get_balance", path="account"),
            "entries": link("list_entries", path="account"),
        },
    ),
    reasons=schemas.OPENING_REASONS,
    named_by_key=True,
)
async def create_account(call: Call) -> Answer:
    """Open an account.

    Limits are in minor units. The answer is the account as it opened.
    """
    outcome = await call.post(await call.command(account_from))
    journal = (await call.book()).ledger.journal
    return call.applied(opened_document(await call.in_thread(record_of, journal, outcome)), outcome)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/accounts",
    access=LEDGER_READ,
    query=(PREFIX, CURSOR, LIMIT),
    success=Success(schema=array(schemas.ACCOUNT_READ), example=[schemas.ACCOUNT_READ_EXAMPLE], metadata=PAGED),
    reasons=(*LIST_REASONS, INVALID_ACCOUNT_PATH),
)
def list_accounts(call: Call) -> Answer:
    """List accounts by path, with their balances now."""
    query = call.query
    page = call.ledger.list_accounts(prefix=query["prefix"], cursor=query["cursor"], limit=query["limit"])
    return call.page(page, account_document)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/accounts/{path}",
    access=LEDGER_READ,
    success=Success(schema=schemas.ACCOUNT_READ, example=schemas.ACCOUNT_READ_EXAMPLE),
    reasons=(INVALID_ACCOUNT_PATH, ACCOUNT_NOT_FOUND),
)
async def get_account(call: Call) -> Answer:
    """Read an account, with its balances now."""
    return call.answer(account_document(await _account_now(call)))


@ROUTES.route(
    "PATCH",
    "/ledgers/{ledger}/accounts/{path}",
    access=LEDGER_POST,
    body=Body(schema=schemas.ACCOUNT_CHANGE_ASKED, example=schemas.ACCOUNT_CHANGE_EXAMPLE),
    success=Success(
        schema=schemas.ACCOUNT_READ, example={**schemas.ACCOUNT_READ_EXAMPLE, **schemas.ACCOUNT_CHANGE_EXAMPLE}
    ),
    reasons=schemas.CHANGING_ACCOUNT_REASONS,
    named_by_key=True,
)
async def change_account(call: Call) -> Answer:
    """Freeze, unfreeze or close an account, or give it other limits or metadata.

    `limits` replace both that it has; empty ones lift them. The answer is the account as it stands now.
    """
    path = _path(call)
    outcome = await call.post(await call.command(lambda document, _: account_change_from(document, path)))
    return call.applied(account_document(await _account_now(call)), outcome)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/accounts/{path}/balance",
    access=LEDGER_READ,
    query=(EFFECTIVE_AT, RECORDED_AT),
    success=Success(schema=schemas.BALANCE, example=schemas.BALANCE_EXAMPLE),
    reasons=(INVALID_ACCOUNT_PATH, ACCOUNT_NOT_FOUND, *AS_OF_REASONS),
)
async def get_balance(call: Call) -> Answer:
    """Read an account's balance, now or at a time.

    A time leaves out what is pending and available, which are known of the present alone.
    """
    at = AsOf(effective_at=call.query["effective_at"], recorded_at=call.query["recorded_at"])
    if at == AsOf():
        return call.answer(_balance_now(await _account_now(call)))
    path, journal = _path(call), (await call.book()).ledger.journal
    [balance] = await call.in_thread(lambda: journal.balances([path], at=at))
    return call.answer(_balance_at(balance))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/balances",
    access=LEDGER_READ,
    query=(PREFIX, EFFECTIVE_AT, RECORDED_AT),
    success=Success(schema=array(schemas.BALANCE_AT), example=[schemas.BALANCE_AT_EXAMPLE]),
    reasons=(INVALID_ACCOUNT_PATH, *AS_OF_REASONS),
)
def list_balances(call: Call) -> Answer:
    """List the posted balances of all accounts at or below a prefix, all from one moment."""
    return call.answer([_balance_at(balance) for balance in call.ledger.balances(**call.query)])


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/accounts/{path}/entries",
    access=LEDGER_READ,
    query=(
        choice_parameter("order", _ORDERS, "Oldest first, or newest first.", default="asc"),
        CURSOR,
        LIMIT,
    ),
    success=Success(schema=array(schemas.ENTRY), example=[schemas.ENTRY_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_ACCOUNT_PATH, ACCOUNT_NOT_FOUND, *LIST_REASONS),
)
def list_entries(call: Call) -> Answer:
    """List an account's entries in recorded order, each with the balance just after it."""
    query = call.query
    page = call.ledger.list_entries(
        _path(call), cursor=query["cursor"], limit=query["limit"], newest_first=query["order"] == "desc"
    )
    return call.page(page, entry_document)


def _path(call: Call) -> str:
    return check_path(call.path["path"])


async def _account_now(call: Call) -> Account:
    # Checked first: what is asked for together must not fail together.
    path = _path(call)
    return await (await call.book()).account(path)


def _balance_now(account: Account) -> dict[str, Any]:
    balance = account.balance
    posted, available = balance.posted, balance.available
    return {
        "account": account.path,
        "type": account.type.value,
        "currency": account.currency.code,
        "posted": amount_text(posted),
        "posted_minor": str(posted.minor),
        "pending_debits": amount_text(balance.pending_debits),
        "pending_credits": amount_text(balance.pending_credits),
        "available": amount_text(available),
        "available_minor": str(available.minor),
        "version": account.version,
    }


def _balance_at(balance: AccountBalance) -> dict[str, Any]:
    return {
        "account": balance.path,
        "type": balance.type.value,
        "currency": balance.currency.code,
        "posted": amount_text(balance.posted),
        "posted_minor": str(balance.posted.minor),
    }
