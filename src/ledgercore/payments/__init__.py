"""Payments: life cycle, limits, and the posting that a completed one is."""
