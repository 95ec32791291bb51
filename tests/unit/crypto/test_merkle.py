"""The tree of RFC 6962: its published roots, and proofs that prove only what is true."""

from __future__ import annotations

import pytest

from serment.core.crypto import merkle
from serment.core.crypto.merkle import Frontier
from serment.errors import FormatError

# The leaves and roots that Certificate Transparency implementations share as test data.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
MANY = [merkle.leaf_hash(bytes([i])) for i in range(34)]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


def test_a_node_cannot_pass_for_a_leaf():
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != merkle.node_hash(LEAVES[0], LEAVES[1])


def test_every_inclusion_is_proved_and_nothing_else():
    for size in range(1, len(MANY)):
        root = merkle.root(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(MANY, index, size)
            assert merkle.verify_inclusion(MANY[index], index, size, proof, root)
            other = MANY[(index + 1) % len(MANY)]
            assert not merkle.verify_inclusion(other, index, size, proof, root)
            assert not merkle.verify_inclusion(MANY[index], index, size, [*proof, root], root)
            assert not merkle.verify_inclusion(MANY[index], index, size, proof, MANY[0][::-1])
            assert not merkle.verify_inclusion(MANY[index], size, size, proof, root)
            if proof:
                assert not merkle.verify_inclusion(MANY[index], index, size, proof[:-1], root)
                assert not merkle.verify_inclusion(MANY[index], index ^ 1, size, proof, root)


def test_every_growth_is_proved_and_no_rewriting():
    roots = [merkle.root(MANY[:size]) for size in range(len(MANY) + 1)]
    for new in range(len(MANY) + 1):
        for old in range(new + 1):
            proof = merkle.consistency_proof(MANY, old, new)
            assert merkle.verify_consistency(old, new, proof, roots[old], roots[new])
            # An empty tree is the beginning of any other.
            forged = merkle.verify_consistency(old, new, proof, roots[old], MANY[0][::-1])
            assert forged == (old == 0 < new)
            assert not merkle.verify_consistency(old, new, proof, MANY[0][::-1], roots[new])
            assert not merkle.verify_consistency(
                old, new, [*proof, MANY[0]], roots[old], roots[new]
            )
            assert not merkle.verify_consistency(old, new, proof, b"", roots[new])
            if proof:
                shorter = merkle.verify_consistency(old, new, proof[:-1], roots[old], roots[new])
                assert not shorter
            if old < new:
                assert not merkle.verify_consistency(new, old, proof, roots[new], roots[old])


def test_a_rewritten_beginning_has_no_proof():
    rewritten = [MANY[0], MANY[2], MANY[1], *MANY[3:]]
    for old in range(2, 20):
        proof = merkle.consistency_proof(rewritten, old, 30)
        assert not merkle.verify_consistency(
            old, 30, proof, merkle.root(MANY[:old]), merkle.root(rewritten[:30])
        ), old


def test_the_frontier_grows_as_the_tree_and_survives_being_kept():
    frontier = Frontier()
    for size in range(len(MANY)):
        assert frontier.size == size
        assert frontier.root() == merkle.root(MANY[:size])
        assert len(frontier.peaks) == size.bit_count()
        assert Frontier.decode(frontier.encode()) == frontier
        frontier.append(MANY[size])


def test_a_copy_of_the_frontier_is_its_own():
    frontier = Frontier()
    frontier.append(MANY[0])
    copy = frontier.copy()
    copy.append(MANY[1])
    assert frontier.root() == MANY[0]
    assert copy.root() == merkle.node_hash(MANY[0], MANY[1])


@pytest.mark.parametrize(
    "raw", [b"", bytes(7), bytes(9), bytes(7) + b"\1", bytes(7) + b"\3" + bytes(65)]
)
def test_a_damaged_frontier_is_refused(raw):
    with pytest.raises(FormatError, match="damaged"):
        Frontier.decode(raw)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 99)])
def test_there_is_no_proof_of_what_is_not_there(index, size):
    with pytest.raises(FormatError):
        merkle.inclusion_proof(MANY, index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3), (0, 99)])
def test_there_is_no_consistency_with_what_is_not_there(old, new):
    with pytest.raises(FormatError):
        merkle.consistency_proof(MANY, old, new)
    assert not merkle.verify_consistency(4, 3, [], MANY[0], MANY[0])
    assert not merkle.verify_consistency(-1, 3, [], MANY[0], MANY[0])
