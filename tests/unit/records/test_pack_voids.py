"""A void has no digest: whatever becomes of it, the records around it are found."""

from __future__ import annotations

import hashlib

import pytest

from serment.core.records.pack import (
    BLOCK,
    HEAD_SIZE,
    Gap,
    ParsedRecord,
    build_around,
    build_filling,
    build_void,
    parse_head,
    scan,
)


def found(data: bytes) -> tuple[list[int], list[Gap]]:
    """Where the records start that are found, and the gaps."""
    items = list(scan(lambda at, size: bytes(data[at : at + size]), len(data)))
    records = [item.start for item in items if isinstance(item, ParsedRecord)]
    return records, [item for item in items if isinstance(item, Gap)]


def record(number: int, size: int, digest: bytes) -> bytes:
    head, tail = build_around(f"{number:032x}", "e" * 32, size, digest, b"i", b"c")
    return head + bytes(size) + tail


def pack(*sizes: int) -> bytes:
    data = b""
    for number, size in enumerate(sizes):
        data += record(number, size, hashlib.sha256(bytes(size)).digest())
        data += build_filling(len(data))
    return data


@pytest.mark.parametrize(
    "end", [1, 152, BLOCK - 65, BLOCK - 64, BLOCK - 63, BLOCK - 1, 3 * BLOCK + 7]
)
def test_a_filling_ends_at_a_block_and_holds_nothing(end: int) -> None:
    filling = build_filling(end)
    assert (end + len(filling)) % BLOCK == 0
    assert HEAD_SIZE <= len(filling) < BLOCK + HEAD_SIZE
    head = parse_head(filling[:HEAD_SIZE])
    assert head.void
    assert head.total == len(filling)
    assert not any(filling[HEAD_SIZE:])


def test_what_ends_at_a_block_needs_none() -> None:
    assert build_filling(0) == build_filling(BLOCK) == b""


def test_no_flipped_bit_of_a_void_hides_a_record() -> None:
    data = pack(100, 5000, 10, 700)
    starts, gaps = found(data)
    assert (len(starts), gaps) == (4, [])
    head = next(
        at for at in range(len(data)) if data[at : at + HEAD_SIZE] == build_void(BLOCK - 254)
    )
    seen = set()
    for bit in range(8 * HEAD_SIZE):
        changed = bytearray(data)
        changed[head + bit // 8] ^= 1 << bit % 8
        records, gaps = found(changed)
        assert records == starts, bit
        if gaps:
            seen.add(bit // 8)
            assert gaps[0].end - gaps[0].start >= HEAD_SIZE, bit
    ids = set(range(16, 48))  # of a void: nobody asks for them
    assert seen == set(range(HEAD_SIZE)) - ids


def test_a_void_in_which_a_record_starts_is_not_believed() -> None:
    data = pack(100, 100, 100)
    lying = data[:BLOCK] + build_void(BLOCK) + data[BLOCK + HEAD_SIZE :]
    assert found(lying)[0] == [0, 2 * BLOCK]
    lying = data[:254] + build_void(len(data) - 254) + data[254 + HEAD_SIZE :]
    assert found(lying) == ([0, BLOCK, 2 * BLOCK], [Gap(254, BLOCK)])


def test_records_with_other_age_files_stay_covered() -> None:
    """Recovery writes a void over them, and changes no more than the head of the first."""
    ours, other = hashlib.sha256(bytes(100)).digest(), bytes(32)
    first, *torn, last = (record(n, 100, ours if n in (0, 3) else other) for n in range(4))
    hole = b"".join(torn)
    covered = first + build_void(len(hole)) + hole[HEAD_SIZE:] + last
    assert found(covered) == ([0, len(first + hole)], [])


def test_many_voids_in_front_of_a_gap_are_walked_once() -> None:
    data = b"".join(build_void(HEAD_SIZE) for _ in range(2000)) + bytes(500)
    read = 0

    def counted(at: int, size: int) -> bytes:
        nonlocal read
        read += len(data[at : at + size])
        return data[at : at + size]

    assert list(scan(counted, len(data))) == [Gap(2000 * HEAD_SIZE, len(data))]
    assert read < 3 * len(data)
