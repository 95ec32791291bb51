"""Contexts give exactly the documented bytes, and no two contexts the same."""

from __future__ import annotations

from serment.core.crypto.context import Context, encode_fields


def test_a_context_gives_the_documented_bytes():
    context = Context("v1", "circle-seed", "circle:é", "member:7", 258)
    assert context.encode() == (
        b"serment/v1"
        b"\0\0\0\x02v1"
        b"\0\0\0\x0bcircle-seed"
        b"\0\0\0\x09circle:\xc3\xa9"
        b"\0\0\0\x08member:7"
        b"\0\0\0\0\0\0\x01\x02"
    )


def test_moving_a_boundary_changes_the_bytes():
    assert encode_fields("ab", "c") != encode_fields("a", "bc")
    assert encode_fields("a", "") != encode_fields("a")
    assert Context("a", "b", "c", "d").encode() != Context("a", "b", "d", "c").encode()
    assert Context("a", "b", "c", "d", 1).encode() != Context("a", "b", "c", "d", 2).encode()
