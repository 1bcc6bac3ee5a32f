"""What goes over the wire, as JSON Schema (2020-12)."""
