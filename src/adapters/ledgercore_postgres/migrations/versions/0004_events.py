"""Events, webhooks and their deliveries, and the webhooks of others that have come in.

Owners of events are not foreign keys: checking them would wait for whoever holds a user's row, and those may be
waiting for their turn to publish. Deliveries go away with their endpoint, and nothing else does.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE events (
        number      bigint PRIMARY KEY,
        id          uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        type        text COLLATE "C" NOT NULL,
        version     integer NOT NULL,
        subject     text COLLATE "C" NOT NULL,
        owner_id    uuid,
        data        json NOT NULL,
        CONSTRAINT events_number CHECK (number > 0),
        CONSTRAINT events_version CHECK (version > 0)
    )
    """,
    """
    CREATE TABLE webhook_endpoints (
        id              uuid PRIMARY KEY,
        owner_id        uuid NOT NULL CONSTRAINT webhook_endpoints_owner REFERENCES users,
        url             text NOT NULL,
        types           text[] NOT NULL,
        ledger          text,
        after_number    bigint NOT NULL,
        replays         integer NOT NULL,
        secret          bytea NOT NULL,
        previous_secret bytea,
        previous_until  timestamptz,
        status          text NOT NULL,
        disabled_reason text,
        failing         boolean NOT NULL,
        created_at      timestamptz NOT NULL,
        updated_at      timestamptz NOT NULL,
        CONSTRAINT webhook_endpoints_url CHECK (char_length(url) BETWEEN 1 AND 2000),
        CONSTRAINT webhook_endpoints_numbers CHECK (after_number >= 0 AND replays >= 0),
        CONSTRAINT webhook_endpoints_previous CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
        CONSTRAINT webhook_endpoints_status CHECK (
            status = 'active' AND disabled_reason IS NULL OR status = 'disabled' AND disabled_reason IS NOT NULL
        )
    ) WITH (fillfactor = 60)
    """,
    # The body is kept as it is signed: every attempt sends the same bytes.
    """
    CREATE TABLE webhook_deliveries (
        id              uuid PRIMARY KEY,
        endpoint_id     uuid NOT NULL CONSTRAINT webhook_deliveries_endpoint
                        REFERENCES webhook_endpoints ON DELETE CASCADE,
        replay          integer NOT NULL,
        event_number    bigint NOT NULL,
        event_id        uuid NOT NULL,
        event_type      text NOT NULL,
        body            text NOT NULL,
        status          text NOT NULL,
        attempts        json NOT NULL,
        next_attempt_at timestamptz,
        created_at      timestamptz NOT NULL,
        CONSTRAINT webhook_deliveries_once UNIQUE (endpoint_id, replay, event_number),
        CONSTRAINT webhook_deliveries_status CHECK (status IN ('pending', 'delivered', 'dead')),
        CONSTRAINT webhook_deliveries_next CHECK (status = 'pending' OR next_attempt_at IS NULL)
    ) WITH (fillfactor = 60)
    """,
    """
    CREATE TABLE webhooks_received (
        provider    text NOT NULL,
        id          text NOT NULL,
        sent_at     timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        body        json NOT NULL,
        PRIMARY KEY (provider, id),
        CONSTRAINT webhooks_received_id CHECK (char_length(id) BETWEEN 1 AND 255)
    )
    """,
)

INDEXES = (
    "CREATE INDEX events_owner ON events (owner_id, number)",
    "CREATE INDEX events_type ON events (type, number)",
    "CREATE INDEX webhook_endpoints_owner_id ON webhook_endpoints (owner_id, id)",
    "CREATE INDEX webhook_endpoints_active ON webhook_endpoints (id) WHERE status = 'active'",
    "CREATE INDEX webhook_deliveries_endpoint_id ON webhook_deliveries (endpoint_id, id)",
)

APPEND_ONLY = (
    """
    CREATE FUNCTION events_refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'restrict_violation', TABLE = 'events';
    END $$
    """,
    """
    CREATE TRIGGER events_refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_changes()
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*TABLES, *INDEXES, *APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything, the events too."""
    for table in ("webhooks_received", "webhook_deliveries", "webhook_endpoints", "events"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION events_refuse_changes")
