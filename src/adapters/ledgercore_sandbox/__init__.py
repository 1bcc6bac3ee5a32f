"""Banks to try things on: real HTTP, made-up money, faults on request."""
