"""Events, webhooks and their deliveries in PostgreSQL."""
