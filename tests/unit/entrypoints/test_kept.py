"""What is kept in memory: bounded, by circle, and gone when a circle closes."""

from __future__ import annotations

from serment.entrypoints.kept import Kept


def test_kept_until_the_circle_closes() -> None:
    kept = Kept()
    kept.put("care", ("a", "h"), b"1", kept.turn())
    kept.put("other", ("a", "h"), b"2", kept.turn())
    assert kept.get("care", ("a", "h")) == b"1"
    assert kept.get("care", ("a", "g")) is None
    kept.close("care")
    assert kept.get("care", ("a", "h")) is None
    assert kept.get("other", ("a", "h")) == b"2"
    assert kept.size_bytes() == 1


def test_what_was_read_before_a_circle_closed_does_not_go_in() -> None:
    kept = Kept()
    turn = kept.turn()
    kept.close("care")
    kept.put("care", ("a", "h"), b"1", turn)
    assert kept.get("care", ("a", "h")) is None
    assert kept.size_bytes() == 0


def test_what_was_used_longest_ago_goes_first() -> None:
    kept = Kept(limit_bytes=30)
    for name in "abc":
        kept.put("care", (name,), b"x" * 10, kept.turn())
    assert kept.get("care", ("a",))
    kept.put("care", ("d",), b"x" * 10, kept.turn())
    assert kept.get("care", ("b",)) is None
    assert [kept.get("care", (name,)) is not None for name in "acd"] == [True] * 3
    kept.put("care", ("a",), b"x" * 5, kept.turn())
    assert kept.size_bytes() == 25
    kept.put("care", ("large",), b"x" * 31, kept.turn())
    assert kept.get("care", ("large",)) is None
    assert kept.size_bytes() == 25
