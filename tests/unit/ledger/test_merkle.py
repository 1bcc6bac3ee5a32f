"""Merkle trees agree with the recursive definition of RFC 9162, section 2.1, written here once more."""

from hashlib import sha256

import pytest

from ledgercore.ledger.log.merkle import inclusion_path, leaf_hash, root_from, tree_root

COUNTS = range(1, 131)


def data(count: int) -> list[bytes]:
    return [bytes([number % 256]) * (number % 7) + str(number).encode() for number in range(count)]


def split(count: int) -> int:
    """The largest power of two below the count."""
    return 1 << (count - 1).bit_length() - 1


def tree_hash(entries: list[bytes]) -> bytes:
    """MTH(D[n]) of section 2.1.1."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    at = split(len(entries))
    return sha256(b"\x01" + tree_hash(entries[:at]) + tree_hash(entries[at:])).digest()


def audit_path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.3.1."""
    if len(entries) == 1:
        return []
    at = split(len(entries))
    if index < at:
        return [*audit_path(index, entries[:at]), tree_hash(entries[at:])]
    return [*audit_path(index - at, entries[at:]), tree_hash(entries[:at])]


def test_empty_tree_has_the_hash_of_nothing() -> None:
    """The RFC defines the root of no entries too."""
    assert tree_root([]) == tree_hash([])


@pytest.mark.parametrize("count", COUNTS)
def test_root_is_that_of_the_rfc(count: int) -> None:
    """Level by level or by recursion: the same tree."""
    entries = data(count)

    root = tree_root([leaf_hash(entry) for entry in entries])

    assert root == tree_hash(entries)


@pytest.mark.parametrize("count", COUNTS)
def test_path_is_that_of_the_rfc(count: int) -> None:
    """Each leaf's siblings, from the bottom up."""
    entries = data(count)
    leaves = [leaf_hash(entry) for entry in entries]

    paths = [[sibling for _, sibling in inclusion_path(leaves, index)] for index in range(count)]

    assert paths == [audit_path(index, entries) for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 64, 65, 100])
def test_path_leads_to_the_root_from_its_own_leaf_only(count: int) -> None:
    """A path shows that one leaf, and no other, is in the tree."""
    leaves = [leaf_hash(entry) for entry in data(count)]
    root = tree_root(leaves)

    led = [root_from(leaves[index], inclusion_path(leaves, index)) for index in range(count)]
    misled = [root_from(leaf_hash(b"another"), inclusion_path(leaves, index)) for index in range(count)]

    assert led == [root] * count
    assert root not in misled


def test_path_is_as_long_as_the_tree_is_high() -> None:
    """The size of a proof grows with the logarithm of the batch."""
    leaves = [leaf_hash(entry) for entry in data(1_000)]

    assert max(len(inclusion_path(leaves, index)) for index in range(1_000)) == 10


def test_leaf_is_never_an_inner_node() -> None:
    """Two prefixes keep a forger from passing an inner node off as a record."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(left + right) != tree_root([left, right])
