"""Jobs, waiting, running and finished."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    # A row changes three or four times in its short life, so there is room for that beside it, and what is left
    # of the earlier ones is cleared away often.
    """
    CREATE TABLE jobs (
        id             uuid PRIMARY KEY,
        kind           text COLLATE "C" NOT NULL,
        arguments      json NOT NULL,
        queue          text COLLATE "C" NOT NULL,
        priority       smallint NOT NULL,
        state          text NOT NULL,
        run_at         timestamptz NOT NULL,
        attempts       integer NOT NULL,
        enqueued_at    timestamptz NOT NULL,
        unique_key     text COLLATE "C",
        leased_until   timestamptz,
        finished_at    timestamptz,
        failures       json NOT NULL,
        correlation_id text,
        suspect        boolean NOT NULL,
        CONSTRAINT jobs_priority CHECK (priority BETWEEN 0 AND 9),
        CONSTRAINT jobs_attempts CHECK (attempts >= 0),
        CONSTRAINT jobs_state CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
        CONSTRAINT jobs_lease CHECK ((state = 'running') = (leased_until IS NOT NULL)),
        CONSTRAINT jobs_finished CHECK ((state IN ('done', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)
    """,
)

INDEXES = (
    "CREATE INDEX jobs_ready ON jobs (queue, priority, run_at, id) WHERE state = 'waiting'",
    "CREATE INDEX jobs_leased ON jobs (queue, leased_until) WHERE state = 'running'",
    "CREATE INDEX jobs_dead ON jobs (queue, id) WHERE state = 'dead'",
    "CREATE INDEX jobs_gone ON jobs (finished_at) WHERE state IN ('done', 'cancelled')",
    "CREATE INDEX jobs_unique ON jobs (kind, unique_key, enqueued_at) WHERE unique_key IS NOT NULL",
)

SCOPES = (
    "ALTER TABLE service_tokens DROP CONSTRAINT service_tokens_scopes",
    """
    ALTER TABLE service_tokens ADD CONSTRAINT service_tokens_scopes CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY[
            'ledger:read', 'ledger:write', 'ledger:manage', 'users:read', 'users:write', 'tokens:write',
            'audit:read', 'profile:read', 'payments:read', 'payments:write', 'banking:read', 'banking:write',
            'jobs:read', 'jobs:write', 'webhooks:write'
        ]
    )
    """,
)
"""What the service tokens of the bank may be good for, beside those of the ledger."""


LEDGER_SCOPES = (
    "ALTER TABLE service_tokens DROP CONSTRAINT service_tokens_scopes",
    """
    ALTER TABLE service_tokens ADD CONSTRAINT service_tokens_scopes CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY[
            'ledger:read', 'ledger:write', 'ledger:manage', 'users:read', 'users:write', 'tokens:write',
            'audit:read', 'profile:read'
        ]
    )
    """,
)


def upgrade() -> None:
    """Create everything, and let service tokens be good for more."""
    for statement in (*TABLES, *INDEXES, *SCOPES):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything; refused while a service token is good for what the bank does."""
    for statement in ("DROP TABLE jobs", *LEDGER_SCOPES):
        op.execute(statement)
