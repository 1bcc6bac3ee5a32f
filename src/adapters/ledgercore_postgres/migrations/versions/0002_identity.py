"""Identity: users, sessions, service tokens, memberships, the audit log, kept answers and rate limits.

None of it is part of a ledger, so none of the keys but those of memberships begin with one. Users are never
removed, and nothing goes away with anything else. Texts that are sorted by are ordered byte by byte, as the
core orders them. Rate limits are worth no write-ahead log: after a crash every account is even again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE users (
        id            uuid PRIMARY KEY,
        email         text COLLATE "C" NOT NULL CONSTRAINT users_email UNIQUE,
        full_name     text COLLATE "C" NOT NULL,
        role          text COLLATE "C" NOT NULL,
        status        text COLLATE "C" NOT NULL,
        password_hash text NOT NULL,
        inserted_at   timestamptz NOT NULL,
        updated_at    timestamptz NOT NULL,
        CONSTRAINT users_email_form CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 255),
        CONSTRAINT users_full_name CHECK (char_length(full_name) BETWEEN 1 AND 255),
        CONSTRAINT users_role CHECK (role IN ('user', 'support', 'admin')),
        CONSTRAINT users_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETED'))
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE sessions (
        id         uuid PRIMARY KEY,
        user_id    uuid NOT NULL CONSTRAINT sessions_user REFERENCES users,
        token_id   text NOT NULL,
        started_at timestamptz NOT NULL,
        rotated_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        CONSTRAINT sessions_times CHECK (started_at < expires_at)
    ) WITH (fillfactor = 60)
    """,
    """
    CREATE TABLE service_tokens (
        id           uuid PRIMARY KEY,
        owner_id     uuid NOT NULL CONSTRAINT service_tokens_owner REFERENCES users,
        name         text NOT NULL,
        shown        text NOT NULL,
        digest       bytea NOT NULL CONSTRAINT service_tokens_digest UNIQUE,
        scopes       text[] NOT NULL,
        ledgers      text[],
        issued_at    timestamptz NOT NULL,
        expires_at   timestamptz,
        revoked_at   timestamptz,
        last_used_at timestamptz,
        CONSTRAINT service_tokens_name CHECK (char_length(name) BETWEEN 1 AND 100),
        CONSTRAINT service_tokens_digest_length CHECK (octet_length(digest) = 32),
        CONSTRAINT service_tokens_scopes CHECK (
            cardinality(scopes) > 0 AND scopes <@ ARRAY[
                'ledger:read', 'ledger:write', 'ledger:manage', 'users:read', 'users:write', 'tokens:write',
                'audit:read', 'profile:read'
            ]
        )
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE memberships (
        ledger_id  integer NOT NULL CONSTRAINT memberships_ledger REFERENCES ledgers,
        user_id    uuid NOT NULL CONSTRAINT memberships_user REFERENCES users,
        access     text NOT NULL,
        granted_at timestamptz NOT NULL,
        PRIMARY KEY (ledger_id, user_id),
        CONSTRAINT memberships_access CHECK (access IN ('reader', 'writer', 'owner'))
    )
    """,
    """
    CREATE TABLE audit (
        number         bigint PRIMARY KEY,
        recorded_at    timestamptz NOT NULL CONSTRAINT audit_recorded_at UNIQUE,
        action         text NOT NULL GENERATED ALWAYS AS (body ->> 'action') STORED,
        actor          text NOT NULL GENERATED ALWAYS AS (body ->> 'actor') STORED,
        target         text GENERATED ALWAYS AS (body ->> 'target') STORED,
        correlation_id text GENERATED ALWAYS AS (body ->> 'correlation_id') STORED,
        body           json NOT NULL,
        root           bytea NOT NULL,
        head           bytea NOT NULL,
        CONSTRAINT audit_number CHECK (number > 0),
        CONSTRAINT audit_root CHECK (octet_length(root) = 32),
        CONSTRAINT audit_head CHECK (octet_length(head) = 32)
    )
    """,
    """
    CREATE TABLE answers (
        scope       text NOT NULL,
        key         text NOT NULL,
        fingerprint bytea NOT NULL,
        sealed      bytea,
        claimed_at  timestamptz NOT NULL,
        PRIMARY KEY (scope, key)
    )
    """,
    # Besides when a key is even again, its row says how it was judged last: under which weight in microseconds
    # and burst, when, how many were asked for and how many granted.
    """
    CREATE UNLOGGED TABLE rate_limits (
        key       text COLLATE "C" PRIMARY KEY,
        even_at   timestamptz NOT NULL,
        judged_at timestamptz NOT NULL,
        weight    bigint NOT NULL,
        burst     bigint NOT NULL,
        asked     bigint NOT NULL,
        granted   bigint NOT NULL,
        CONSTRAINT rate_limits_weight CHECK (weight > 0),
        CONSTRAINT rate_limits_granted CHECK (granted BETWEEN 0 AND least(asked, burst))
    ) WITH (fillfactor = 50)
    """,
)

INDEXES = (
    "CREATE INDEX users_inserted_at ON users (inserted_at, id)",
    "CREATE INDEX sessions_unrevoked ON sessions (user_id) WHERE revoked_at IS NULL",
    "CREATE INDEX service_tokens_owner ON service_tokens (owner_id, id)",
    "CREATE INDEX memberships_user ON memberships (user_id, ledger_id)",
    "CREATE INDEX audit_action ON audit (action, number)",
    "CREATE INDEX audit_actor ON audit (actor, number)",
    "CREATE INDEX audit_target ON audit (target, number) WHERE target IS NOT NULL",
    "CREATE INDEX audit_correlation_id ON audit (correlation_id, number) WHERE correlation_id IS NOT NULL",
    "CREATE INDEX answers_claimed_at ON answers (claimed_at)",
)

APPEND_ONLY = (
    """
    CREATE FUNCTION audit_refuses_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation', TABLE = 'audit';
    END $$
    """,
    """
    CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses_changes()
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*TABLES, *INDEXES, *APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything, the audit log too."""
    for table in ("rate_limits", "answers", "audit", "memberships", "service_tokens", "sessions", "users"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION audit_refuses_changes")
