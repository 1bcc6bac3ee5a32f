"""Files in and out: CSV, NDJSON, hledger, beancount."""
