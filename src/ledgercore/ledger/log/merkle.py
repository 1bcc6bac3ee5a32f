"""Merkle trees as RFC 9162 (Certificate Transparency 2.0, section 2.1) defines them, on SHA-256."""

from collections.abc import Sequence
from hashlib import sha256

Digest = bytes


def leaf_hash(data: bytes) -> Digest:
    """The hash of a leaf: a zero byte keeps it apart from inner nodes."""
    return sha256(b"\x00" + data).digest()


def tree_root(leaves: Sequence[Digest]) -> Digest:
    """The root over leaf hashes, level by level; an odd last node moves up as it is.

    That gives the tree of RFC 9162, which splits at the largest power of two below the count.
    """
    if not leaves:
        return sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def inclusion_path(leaves: Sequence[Digest], index: int) -> list[tuple[bool, Digest]]:
    """The siblings from a leaf up to the root; true where the sibling stands on the left."""
    path = []
    level = list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append((sibling < index, level[sibling]))
        level = _next_level(level)
        index //= 2
    return path


def root_from(leaf: Digest, path: Sequence[tuple[bool, Digest]]) -> Digest:
    """The root that a leaf and its path lead to."""
    node = leaf
    for on_the_left, sibling in path:
        pair = sibling + node if on_the_left else node + sibling
        node = sha256(b"\x01" + pair).digest()
    return node


def _next_level(level: list[Digest]) -> list[Digest]:
    paired = len(level) & ~1
    above = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(level[0:paired:2], level[1:paired:2], strict=True)
    ]
    if paired != len(level):
        above.append(level[-1])
    return above
