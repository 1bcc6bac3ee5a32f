"""Opening and changing accounts, closing periods, and the ledger's own settings."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledgercore.errors import BusinessRuleError, ConflictError, ValidationError
from ledgercore.errors.catalog import (
    ACCOUNT_ALREADY_EXISTS,
    ACCOUNT_CLOSED,
    ACCOUNT_NOT_EMPTY,
    INVALID_ACCOUNT_TYPE,
    PERIOD_ALREADY_CLOSED,
)
from ledgercore.ledger.accounts import AccountState, AccountStatus, AccountType, Opening, limits_of
from ledgercore.ledger.commands import ChangeAccount, ChangeSettings, ClosePeriod, OpenAccount, Settings
from ledgercore.ledger.log.records import ACCOUNT_CHANGED, ACCOUNT_OPENED, PERIOD_CLOSED, SETTINGS_CHANGED, Record
from ledgercore.ledger.rules.run import Run, limits_body, opening_body
from ledgercore.money import Currency, format_amount


def open_account(run: Run, command: OpenAccount, identity: bytes) -> Record:
    """Open an account that is not there yet."""
    if command.path in run.working.accounts:
        raise ConflictError(ACCOUNT_ALREADY_EXISTS, account=command.path)
    type_ = command.type or run.working.settings.opening.type_of(command.path)
    if type_ is None:
        raise ValidationError(
            INVALID_ACCOUNT_TYPE, field="type", account=command.path, allowed=[member.value for member in AccountType],
            why="no opening rule of the ledger gives this path a type",
        )  # fmt: skip
    state = AccountState(
        number=0,
        path=command.path,
        currency=command.currency,
        type=type_,
        opened_at=run.now,
        limits=command.limits,
        metadata=command.metadata,
    )
    run.working.accounts[command.path] = state
    run.opened.append(state)
    return run.write(ACCOUNT_OPENED, identity, metadata=command.metadata, body=opening_body(state))


def change_account(run: Run, command: ChangeAccount, identity: bytes) -> Record:
    """Give an account another status or other limits; a closed account stays closed."""
    state = run.posting.state_of(command.path)
    if state.status is AccountStatus.CLOSED:
        raise BusinessRuleError(ACCOUNT_CLOSED, account=state.path)
    if command.status is AccountStatus.CLOSED and (state.balance or state.pending_debits or state.pending_credits):
        raise BusinessRuleError(
            ACCOUNT_NOT_EMPTY, account=state.path, balance=format_amount(state.balance, state.currency),
            pending_debits=format_amount(state.pending_debits, state.currency),
            pending_credits=format_amount(state.pending_credits, state.currency), currency=state.currency.code,
        )  # fmt: skip
    state.status = command.status or state.status
    state.limits = command.limits or state.limits
    state.metadata = command.metadata or state.metadata
    state.mark_guarded()
    state.changed = True
    body = {"account": state.path, "status": state.status.value, **limits_body(state)}
    return run.write(ACCOUNT_CHANGED, identity, metadata=command.metadata, body=body)


def close_period(run: Run, command: ClosePeriod, identity: bytes) -> Record:
    """Move the lock date forward; it never moves back."""
    closed = run.working.closed_through
    if closed is not None and command.through <= closed:
        raise BusinessRuleError(PERIOD_ALREADY_CLOSED, through=command.through, closed_through=closed)
    run.working.closed_through = command.through
    return run.write(PERIOD_CLOSED, identity, body={"through": command.through.isoformat()})


def change_settings(run: Run, command: ChangeSettings, identity: bytes) -> Record:
    """Replace the ledger's settings."""
    run.working.settings = command.settings
    return run.write(SETTINGS_CHANGED, identity, body=settings_body(command.settings))


def settings_body(settings: Settings) -> dict[str, Any]:
    """A ledger's settings as the log says them."""
    opening = settings.opening
    return {
        "on_first_use": opening.on_first_use,
        "types": [[prefix, type_.value] for prefix, type_ in opening.types],
        "limits": [[prefix, _text(limits.minimum), _text(limits.maximum)] for prefix, limits in opening.limits],
        "assets": [[asset.code, asset.exponent] for asset in settings.assets],
    }


def settings_of(body: Mapping[str, Any]) -> Settings:
    """Read settings back from what `settings_body` wrote."""
    return Settings(
        opening=Opening(
            on_first_use=body["on_first_use"],
            types=tuple((prefix, AccountType(name)) for prefix, name in body["types"]),
            limits=tuple((prefix, limits_of(least, most)) for prefix, least, most in body["limits"]),
        ),
        assets=tuple(Currency(code, exponent) for code, exponent in body["assets"]),
    )


def _text(minor: int | None) -> str | None:
    return None if minor is None else str(minor)


RULES: Final[Mapping[type, Callable[[Run, Any, bytes], Record]]] = {
    OpenAccount: open_account,
    ChangeAccount: change_account,
    ClosePeriod: close_period,
    ChangeSettings: change_settings,
}
