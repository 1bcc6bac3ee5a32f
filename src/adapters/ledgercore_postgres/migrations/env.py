"""Runs migrations on the connection that the caller hands over; there is no `alembic.ini`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="ledgercore_schema", transaction_per_migration=False)
context.run_migrations()
