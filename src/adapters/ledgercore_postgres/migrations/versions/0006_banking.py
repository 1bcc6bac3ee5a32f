"""Banks, logins, accounts and what banks told of them.

Nothing of it is a balance: what is in an account, its ledger account knows. Secrets (of clients, tokens, and what a
connection that is being made needs) are sealed for the row and column that they are in. Rows keep what the bank said
before; nothing but a connection that was made, or was not made in time, is ever removed.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES: tuple[str, ...] = (
    """
    CREATE TABLE banks (
        id                   uuid PRIMARY KEY,
        name                 text COLLATE "C" NOT NULL CONSTRAINT banks_name UNIQUE,
        country              text COLLATE "C" NOT NULL,
        code                 text COLLATE "C" NOT NULL CONSTRAINT banks_code UNIQUE,
        status               text NOT NULL,
        integration          text NOT NULL,
        logo_url             text,
        api_url              text,
        authorize_url        text,
        token_url            text,
        client_id            text,
        sealed_client_secret bytea,
        inserted_at          timestamptz NOT NULL,
        updated_at           timestamptz NOT NULL,
        CONSTRAINT banks_name_form CHECK (char_length(name) BETWEEN 2 AND 100),
        CONSTRAINT banks_country CHECK (country ~ '^[A-Z]{2,3}$'),
        CONSTRAINT banks_code_form CHECK (code ~ '^[A-Z0-9_]{3,32}$'),
        CONSTRAINT banks_status CHECK (status IN ('ACTIVE', 'INACTIVE')),
        CONSTRAINT banks_integration CHECK (
            integration = 'none'
            OR integration IN ('monzo', 'berlin_group')
            AND api_url IS NOT NULL AND authorize_url IS NOT NULL AND client_id IS NOT NULL
        )
    )
    """,
    """
    CREATE TABLE bank_branches (
        id             uuid PRIMARY KEY,
        bank_id        uuid NOT NULL CONSTRAINT bank_branches_bank REFERENCES banks,
        name           text COLLATE "C" NOT NULL,
        country        text COLLATE "C" NOT NULL,
        iban           text COLLATE "C" CONSTRAINT bank_branches_iban UNIQUE,
        swift_code     text COLLATE "C" CONSTRAINT bank_branches_swift_code UNIQUE,
        routing_number text COLLATE "C",
        inserted_at    timestamptz NOT NULL,
        updated_at     timestamptz NOT NULL,
        CONSTRAINT bank_branches_name CHECK (char_length(name) BETWEEN 2 AND 100),
        CONSTRAINT bank_branches_country CHECK (country ~ '^[A-Z]{2,3}$'),
        CONSTRAINT bank_branches_iban_form CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$'),
        CONSTRAINT bank_branches_swift_code_form CHECK (swift_code ~ '^[A-Z]{6}[A-Z0-9]{5}$'),
        CONSTRAINT bank_branches_routing_number CHECK (routing_number ~ '^[0-9]{9}$')
    )
    """,
    # A run that is not through has an id and began; whoever holds its lease goes on with it.
    """
    CREATE TABLE bank_logins (
        id                     uuid PRIMARY KEY,
        user_id                uuid NOT NULL CONSTRAINT bank_logins_user REFERENCES users,
        bank_branch_id         uuid NOT NULL CONSTRAINT bank_logins_branch REFERENCES bank_branches,
        username               text COLLATE "C" NOT NULL,
        status                 text NOT NULL,
        status_reason          text,
        sync_frequency_seconds integer NOT NULL,
        sealed_tokens          bytea,
        tokens_version         integer NOT NULL,
        token_expires_at       timestamptz,
        consent_expires_at     timestamptz,
        last_sync_at           timestamptz,
        next_sync_at           timestamptz,
        last_run_at            timestamptz,
        run_id                 uuid,
        run_started_at         timestamptz,
        run_leased_until       timestamptz,
        inserted_at            timestamptz NOT NULL,
        updated_at             timestamptz NOT NULL,
        CONSTRAINT bank_logins_once UNIQUE (user_id, bank_branch_id, username),
        CONSTRAINT bank_logins_username CHECK (username ~ '^[A-Za-z0-9]{3,50}$'),
        CONSTRAINT bank_logins_status CHECK (status IN ('ACTIVE', 'INACTIVE', 'ERROR')),
        CONSTRAINT bank_logins_sync_frequency CHECK (sync_frequency_seconds BETWEEN 300 AND 86400),
        CONSTRAINT bank_logins_tokens_version CHECK (tokens_version >= 0),
        CONSTRAINT bank_logins_run CHECK (
            (run_id IS NULL) = (run_started_at IS NULL) AND (run_id IS NULL) = (run_leased_until IS NULL)
        )
    ) WITH (fillfactor = 60)
    """,
    # Connections that are being made: only the digest of the state is kept, so that reading it lets nobody in.
    """
    CREATE TABLE bank_consents (
        state_digest  bytea PRIMARY KEY,
        bank_login_id uuid NOT NULL CONSTRAINT bank_consents_login REFERENCES bank_logins,
        sealed        bytea NOT NULL,
        expires_at    timestamptz NOT NULL,
        CONSTRAINT bank_consents_state_digest CHECK (octet_length(state_digest) = 32)
    )
    """,
    """
    CREATE TABLE bank_accounts (
        id                  uuid PRIMARY KEY,
        user_id             uuid NOT NULL CONSTRAINT bank_accounts_user REFERENCES users,
        user_bank_login_id  uuid NOT NULL CONSTRAINT bank_accounts_login REFERENCES bank_logins,
        currency            text COLLATE "C" NOT NULL,
        account_type        text NOT NULL,
        account_name        text NOT NULL,
        status              text NOT NULL,
        last_four           text,
        external_account_id text COLLATE "C",
        iban                text COLLATE "C",
        credit_limit_minor  numeric(38, 0) NOT NULL,
        last_sync_at        timestamptz,
        sync_cursor         text,
        inserted_at         timestamptz NOT NULL,
        updated_at          timestamptz NOT NULL,
        CONSTRAINT bank_accounts_external_id UNIQUE (user_bank_login_id, external_account_id),
        CONSTRAINT bank_accounts_currency CHECK (currency ~ '^[A-Z]{3}$'),
        CONSTRAINT bank_accounts_type CHECK (account_type IN ('CHECKING', 'SAVINGS', 'CREDIT', 'INVESTMENT')),
        CONSTRAINT bank_accounts_name CHECK (char_length(account_name) BETWEEN 1 AND 100),
        CONSTRAINT bank_accounts_status CHECK (status IN ('ACTIVE', 'INACTIVE', 'FROZEN', 'SUSPENDED', 'CLOSED')),
        CONSTRAINT bank_accounts_last_four CHECK (last_four ~ '^[0-9]{4}$'),
        CONSTRAINT bank_accounts_credit_limit CHECK (
            credit_limit_minor = 0 OR credit_limit_minor > 0 AND account_type = 'CREDIT'
        )
    ) WITH (fillfactor = 60)
    """,
    # What the bank says of a row now and said before is in `body`; the columns are what rows are found and added up by.
    """
    CREATE TABLE bank_rows (
        id             uuid PRIMARY KEY,
        account_id     uuid NOT NULL CONSTRAINT bank_rows_account REFERENCES bank_accounts,
        external_id    text COLLATE "C",
        fingerprint    bytea NOT NULL,
        state          text NOT NULL,
        signed_minor   numeric(38, 0) NOT NULL,
        created_at     timestamptz NOT NULL,
        transaction_id uuid,
        payment_id     uuid,
        listing_id     uuid NOT NULL,
        body           json NOT NULL,
        CONSTRAINT bank_rows_external_id UNIQUE (account_id, external_id),
        CONSTRAINT bank_rows_fingerprint CHECK (octet_length(fingerprint) = 32),
        CONSTRAINT bank_rows_state CHECK (state IN ('PENDING', 'BOOKED', 'DECLINED', 'DROPPED')),
        CONSTRAINT bank_rows_transaction CHECK (transaction_id IS NULL OR state = 'BOOKED'),
        CONSTRAINT bank_rows_payment CHECK (payment_id IS NULL OR transaction_id IS NOT NULL)
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE bank_findings (
        id          uuid PRIMARY KEY,
        account_id  uuid NOT NULL CONSTRAINT bank_findings_account REFERENCES bank_accounts,
        kind        text COLLATE "C" NOT NULL,
        details     json NOT NULL,
        found_at    timestamptz NOT NULL,
        seen_at     timestamptz NOT NULL,
        resolved_at timestamptz
    ) WITH (fillfactor = 80)
    """,
)

INDEXES: tuple[str, ...] = (
    "CREATE INDEX bank_branches_bank_id ON bank_branches (bank_id, id)",
    "CREATE INDEX bank_logins_next_sync_at ON bank_logins (next_sync_at) WHERE next_sync_at IS NOT NULL",
    "CREATE INDEX bank_consents_login_id ON bank_consents (bank_login_id)",
    "CREATE INDEX bank_accounts_user_id ON bank_accounts (user_id, id)",
    "CREATE INDEX bank_rows_fingerprint ON bank_rows (account_id, fingerprint) WHERE external_id IS NULL",
    "CREATE INDEX bank_rows_pending ON bank_rows (account_id) WHERE state = 'PENDING'",
    "CREATE INDEX bank_rows_account_id ON bank_rows (account_id, id)",
    "CREATE INDEX bank_rows_unnamed ON bank_rows (account_id, created_at) WHERE external_id IS NULL",
    "CREATE UNIQUE INDEX bank_rows_payment_id ON bank_rows (payment_id) WHERE payment_id IS NOT NULL",
    "CREATE INDEX bank_findings_account_id ON bank_findings (account_id, id)",
    "CREATE UNIQUE INDEX bank_findings_difference ON bank_findings (account_id)"
    " WHERE kind = 'balance_difference' AND resolved_at IS NULL",
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything, what banks have told too."""
    for table in (
        "bank_findings", "bank_rows", "bank_accounts", "bank_consents", "bank_logins", "bank_branches", "banks",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
