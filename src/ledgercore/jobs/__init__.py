"""Background jobs: queues, attempts, retries by the error catalog, and dead letters."""
