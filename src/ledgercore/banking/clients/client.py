"""What every client of a bank can do, as exchanges; which bank speaks which is data of the bank."""

from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from ledgercore.banking.exchange import Exchange
from ledgercore.banking.observations import AccountSeen, BalanceSeen, Permission, RowsPage, Tokens


@frozen(kw_only=True)
class Registration:
    """How we are known to a bank. `api_url` has no slash at its end; `redirect_url` is where users come back to.

    `token_url` is where codes become tokens; `{api_url}/oauth2/token` unless the bank has it elsewhere.
    """

    api_url: str
    authorize_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    token_url: str | None = None


class BankClient(Protocol):
    """Speaks one kind of bank's language.

    Refusals become errors from the catalog: `invalid_token` and `token_expired` for a token that is not taken,
    `consent_expired` when the user has to come back, `consent_pending` when the bank still waits for the user,
    `history_window_closed` for rows from too long ago, `account_not_found`, `bank_rate_limited` with `retry_after_ms`,
    `bank_refused` for whatever else it does not want, and `bank_api_error` for what the bank got wrong: statuses of
    500 and more, redirects, or answers that cannot be read.
    """

    def begin_consent(
        self, *, state: str, verifier: str, now: datetime, user_address: str | None = None
    ) -> Exchange[Permission]:
        """Ask for access; PKCE (RFC 7636) with S256. `state` and `verifier` are random, made by the caller.

        `user_address` is the IP address that the user comes from, which some banks want to know.
        """
        ...

    def finish_consent(self, *, code: str, verifier: str, extra: dict[str, str], now: datetime) -> Exchange[Tokens]:
        """Turn the code that the user came back with into tokens."""
        ...

    def refresh(self, tokens: Tokens, *, now: datetime) -> Exchange[Tokens]:
        """Tokens in place of old ones; the refresh token is used up. `consent_expired` when it is not taken."""
        ...

    def list_accounts(self, tokens: Tokens) -> Exchange[tuple[AccountSeen, ...]]:
        """Every account that the user lets us see."""
        ...

    def read_balance(self, tokens: Tokens, account: AccountSeen) -> Exchange[BalanceSeen]:
        """An account's balance at the bank now."""
        ...

    def list_rows(
        self, tokens: Tokens, account: AccountSeen, *, since: datetime | None, cursor: str | None
    ) -> Exchange[RowsPage]:
        """A page of transactions since a time, or after a cursor that an earlier page gave."""
        ...
