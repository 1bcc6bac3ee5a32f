"""Statements, their lines, and the matches that explain them.

All of it belongs to a ledger, so every key begins with one. Lines are what a bank has said and never change.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE statements (
        ledger_id        integer NOT NULL CONSTRAINT statements_ledger REFERENCES ledgers,
        id               uuid NOT NULL,
        account          text COLLATE "C" NOT NULL,
        digest           bytea NOT NULL,
        format           text NOT NULL,
        file_name        text NOT NULL,
        imported_at      timestamptz NOT NULL,
        bank_account     text,
        reference        text,
        number           text,
        currency         text NOT NULL,
        exponent         smallint NOT NULL CHECK (exponent BETWEEN 0 AND 18),
        opening_minor    numeric(38, 0) CHECK (opening_minor > -1e38 AND opening_minor < 1e38),
        opening_on       date,
        closing_minor    numeric(38, 0) CHECK (closing_minor > -1e38 AND closing_minor < 1e38),
        closing_on       date,
        difference_minor numeric(38, 0) CHECK (difference_minor > -1e38 AND difference_minor < 1e38),
        entries_count    integer NOT NULL CHECK (entries_count >= 0),
        pending_count    integer NOT NULL CHECK (pending_count >= 0),
        lines_added      integer NOT NULL CHECK (lines_added BETWEEN 0 AND entries_count),
        warnings         text[] NOT NULL,
        PRIMARY KEY (ledger_id, id),
        CONSTRAINT statements_digest UNIQUE (ledger_id, account, digest)
    )
    """,
    """
    CREATE TABLE statement_lines (
        ledger_id             integer NOT NULL,
        id                    uuid NOT NULL,
        account               text COLLATE "C" NOT NULL,
        number                bigint NOT NULL CHECK (number > 0),
        statement_id          uuid NOT NULL,
        identity              bytea NOT NULL CHECK (octet_length(identity) = 16),
        direction             text NOT NULL CHECK (direction IN ('CREDIT', 'DEBIT')),
        amount                numeric(38, 0) NOT NULL CHECK (amount >= 0 AND amount < 1e38),
        currency              text NOT NULL,
        exponent              smallint NOT NULL CHECK (exponent BETWEEN 0 AND 18),
        booked_on             date,
        value_on              date,
        text                  text NOT NULL,
        counterparty          text,
        counterparty_account  text,
        bank_id               text,
        "references"          text[] NOT NULL,
        structured_references text[] NOT NULL,
        is_reversal           boolean NOT NULL,
        PRIMARY KEY (ledger_id, id),
        CONSTRAINT statement_lines_number UNIQUE (ledger_id, account, number),
        CONSTRAINT statement_lines_identity UNIQUE (ledger_id, account, identity)
    )
    """,
    """
    CREATE TABLE matches (
        ledger_id                integer NOT NULL CONSTRAINT matches_ledger REFERENCES ledgers,
        id                       uuid NOT NULL,
        account                  text COLLATE "C" NOT NULL,
        stage                    text NOT NULL,
        made_at                  timestamptz NOT NULL,
        made_by                  text NOT NULL,
        why                      json NOT NULL,
        tolerance_minor          numeric(38, 0) NOT NULL CHECK (tolerance_minor > -1e38 AND tolerance_minor < 1e38),
        tolerance_account        text,
        tolerance_transaction_id uuid,
        undone_at                timestamptz,
        undone_by                text,
        PRIMARY KEY (ledger_id, id),
        CONSTRAINT matches_tolerance CHECK ((tolerance_minor = 0) = (tolerance_transaction_id IS NULL)),
        CONSTRAINT matches_undone CHECK ((undone_at IS NULL) = (undone_by IS NULL))
    )
    """,
    # What an undone match explained stands here no longer as explained, yet stays with the match.
    """
    CREATE TABLE match_parts (
        ledger_id    integer NOT NULL,
        match_id     uuid NOT NULL,
        side         text NOT NULL CHECK (side IN ('line', 'transaction')),
        item_id      uuid NOT NULL,
        account      text COLLATE "C" NOT NULL,
        signed_minor numeric(38, 0) NOT NULL
                     CHECK (signed_minor <> 0 AND signed_minor > -1e38 AND signed_minor < 1e38),
        stands       boolean NOT NULL,
        PRIMARY KEY (ledger_id, match_id, side, item_id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX statements_account ON statements (ledger_id, account, id)",
    "CREATE INDEX statement_lines_statement ON statement_lines (ledger_id, account, statement_id, number)",
    "CREATE INDEX matches_account ON matches (ledger_id, account, id)",
    "CREATE INDEX match_parts_standing ON match_parts (ledger_id, account, side, item_id) WHERE stands",
)

APPEND_ONLY = (
    """
    CREATE FUNCTION statement_lines_refuse_changes() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'statement lines are append-only'; END $$
    """,
    "CREATE TRIGGER statement_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_lines"
    " FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_refuse_changes()",
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*TABLES, *INDEXES, *APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything, what the banks said too."""
    for table in ("match_parts", "matches", "statement_lines", "statements"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION statement_lines_refuse_changes")
