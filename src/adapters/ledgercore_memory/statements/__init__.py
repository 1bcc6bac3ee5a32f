"""Statements and matches in memory."""
