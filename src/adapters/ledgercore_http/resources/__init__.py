"""The resources: one module each, with its part of the table of routes."""
