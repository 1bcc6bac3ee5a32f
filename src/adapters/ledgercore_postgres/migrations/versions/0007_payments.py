"""Payments and what came back of them.

An amount is above zero; the direction says which way it goes. A completed payment, and no other, has its transaction
in the ledger, which is no other payment's; a failed one its reason. Nothing is ever removed.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES: tuple[str, ...] = (
    """
    CREATE TABLE payments (
        id                      uuid PRIMARY KEY,
        user_id                 uuid NOT NULL CONSTRAINT payments_user REFERENCES users,
        user_bank_account_id    uuid NOT NULL CONSTRAINT payments_account REFERENCES bank_accounts,
        minor                   numeric(38, 0) NOT NULL,
        currency                text COLLATE "C" NOT NULL,
        exponent                smallint NOT NULL,
        direction               text NOT NULL,
        payment_type            text NOT NULL,
        description             text COLLATE "C" NOT NULL,
        status                  text NOT NULL,
        failure                 text,
        posted_at               timestamptz,
        transaction_id          uuid CONSTRAINT payments_transaction UNIQUE,
        external_transaction_id text COLLATE "C",
        inserted_at             timestamptz NOT NULL,
        updated_at              timestamptz NOT NULL,
        CONSTRAINT payments_amount CHECK (minor > 0),
        CONSTRAINT payments_currency CHECK (currency ~ '^[A-Z][A-Z0-9]{2,11}$' AND exponent BETWEEN 0 AND 18),
        CONSTRAINT payments_direction CHECK (direction IN ('CREDIT', 'DEBIT')),
        CONSTRAINT payments_type CHECK (payment_type IN ('TRANSFER', 'PAYMENT', 'DEPOSIT', 'WITHDRAWAL')),
        CONSTRAINT payments_description CHECK (char_length(description) BETWEEN 1 AND 255),
        CONSTRAINT payments_status CHECK (status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')),
        CONSTRAINT payments_completed CHECK (
            (status = 'COMPLETED') = (posted_at IS NOT NULL) AND (status = 'COMPLETED') = (transaction_id IS NOT NULL)
        ),
        CONSTRAINT payments_failed CHECK ((status = 'FAILED') = (failure IS NOT NULL))
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE payment_returns (
        payment_id     uuid NOT NULL CONSTRAINT payment_returns_payment REFERENCES payments,
        number         integer NOT NULL,
        minor          numeric(38, 0) NOT NULL,
        currency       text COLLATE "C" NOT NULL,
        exponent       smallint NOT NULL,
        transaction_id uuid NOT NULL CONSTRAINT payment_returns_transaction UNIQUE,
        returned_at    timestamptz NOT NULL,
        PRIMARY KEY (payment_id, number),
        CONSTRAINT payment_returns_number CHECK (number > 0),
        CONSTRAINT payment_returns_amount CHECK (minor > 0)
    )
    """,
)

INDEXES: tuple[str, ...] = (
    "CREATE INDEX payments_inserted_at ON payments (inserted_at, id)",
    "CREATE INDEX payments_of_user ON payments (user_id, inserted_at, id)",
    "CREATE INDEX payments_status_of_user ON payments (user_id, status)",
    "CREATE INDEX payments_processing ON payments (id) WHERE status = 'PROCESSING'",
    "CREATE INDEX payments_spent ON payments (user_bank_account_id, posted_at) INCLUDE (minor)"
    " WHERE status = 'COMPLETED' AND direction = 'DEBIT'",
    "CREATE INDEX payments_look_alikes ON payments (user_id, minor, posted_at) WHERE status = 'COMPLETED'",
)

# What is final stays as it is, whoever asks: no transaction of the ledger loses the payment that it is.
FINAL: tuple[str, ...] = (
    """
    CREATE FUNCTION payments_refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the payment is final' USING ERRCODE = 'restrict_violation', TABLE = 'payments';
    END $$
    """,
    """
    CREATE TRIGGER payments_refuse_changes BEFORE UPDATE ON payments
    FOR EACH ROW WHEN (OLD.status IN ('COMPLETED', 'FAILED', 'CANCELLED'))
    EXECUTE FUNCTION payments_refuse_changes()
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*TABLES, *INDEXES, *FINAL):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything."""
    for table in ("payment_returns", "payments"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION payments_refuse_changes")
