"""Taking back what a block has done."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undone_after_error(holder: object, *names: str) -> Iterator[None]:
    """Give attributes back what they were when the block fails; what lists and dictionaries hold must be frozen."""
    kept = {name: copy.copy(getattr(holder, name)) for name in names}
    try:
        yield
    except BaseException:
        for name, value in kept.items():
            setattr(holder, name, value)
        raise
