"""Statements and matches in PostgreSQL."""
