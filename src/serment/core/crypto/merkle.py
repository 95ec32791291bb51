"""The tree over a log: its root, and proofs that an entry is in it or that it only grew.

Works on leaf hashes; what a leaf holds is decided in `core.journal`.

Source: RFC 6962 section 2.1, RFC 9162 sections 2.1.3 and 2.1.4 (SHA-256).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from serment.errors import N_, FormatError

HASH_BYTES = 32


def leaf_hash(*data: bytes) -> bytes:
    """Return SHA-256(0x00 || data), of pieces one after the other."""
    return hashlib.sha256(b"".join((b"\x00", *data))).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes; of no leaf, SHA-256 of nothing."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


@dataclass(slots=True)
class Frontier:
    """All that must be kept to append to a tree: its size and the roots of its full subtrees.

    `peaks` are 32-byte hashes, largest subtree first, one per set bit of `size`.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def copy(self) -> Frontier:
        """Return an independent frontier at the same size."""
        return Frontier(self.size, list(self.peaks))

    def encode(self) -> bytes:
        """Return the size (8 bytes, big endian) and the peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def decode(cls, raw: bytes) -> Frontier:
        """Parse what `encode` wrote; `FormatError` when the length does not fit the size."""
        size, rest = int.from_bytes(raw[:8], "big"), raw[8:]
        if len(raw) < 8 or len(rest) != size.bit_count() * HASH_BYTES:
            raise FormatError(N_("the state of the journal's tree is damaged"))
        return cls(size, [rest[i : i + HASH_BYTES] for i in range(0, len(rest), HASH_BYTES)])


def _split(size: int) -> int:
    """Return the largest power of two below size (size >= 2)."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root of the first `size` leaves.

    Source: RFC 6962 section 2.1.1 (PATH).
    """
    if not 0 <= index < size <= len(leaves):
        raise FormatError(
            N_("there is no entry {index} in a tree of {size}"), index=index, size=size
        )
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(root(leaves[middle:stop]))
            stop = middle
        else:
            proof.append(root(leaves[start:middle]))
            start = middle
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Whether `leaf` is entry `index` of the tree of `size` with that root.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size or not _are_hashes(*proof, leaf):
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and node == expected_root


def consistency_proof(leaves: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Return the hashes that show the first `old` leaves to be a beginning of the first `new`.

    Source: RFC 6962 section 2.1.2 (SUBPROOF). Empty when `old` is 0 or equal to `new`.
    """
    if not 0 <= old <= new <= len(leaves):
        raise FormatError(N_("a tree of {new} has no beginning of {old}"), new=new, old=old)
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, stop, whole = 0, new, True
    while old < stop:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(root(leaves[middle:stop]))
            stop = middle
        else:
            proof.append(root(leaves[start:middle]))
            start, whole = middle, False
    if not whole:
        proof.append(root(leaves[start:stop]))
    return proof[::-1]


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the tree of `new` with `new_root` only appended to the tree of `old`.

    Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 <= old <= new or not _are_hashes(*proof, old_root, new_root):
        return False
    if old == 0 and old_root != root(()):
        return False
    if old in (0, new):
        return not proof and (old < new or old_root == new_root)
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    return bool(hashes) and _climb(old, new, hashes) == (old_root, new_root)


def _climb(old: int, new: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the roots of both trees that the proof leads to; None when it has another length."""
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for node in hashes[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, node)
        position, last = position >> 1, last >> 1
    return (first, second) if last == 0 else None
