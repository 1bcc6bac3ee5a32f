"""Verification, and proofs for outsiders."""
