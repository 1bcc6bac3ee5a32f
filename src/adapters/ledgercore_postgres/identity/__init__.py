"""Identity in PostgreSQL: users, sessions, service tokens, memberships, the audit log and kept answers."""
