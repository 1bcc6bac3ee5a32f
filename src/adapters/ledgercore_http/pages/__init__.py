"""The documentation pages and everything that they load, served by us alone."""
