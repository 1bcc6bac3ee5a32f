"""Who asks, and what they may: users, sessions, service tokens, memberships of ledgers, and the audit log."""
