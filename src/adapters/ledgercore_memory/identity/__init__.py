"""Identity in memory: users, sessions, service tokens, memberships, the audit log and kept answers."""
