"""Events, webhooks and their deliveries in memory."""
