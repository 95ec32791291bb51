"""Every kind of entry reads as a sentence."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from serment.app.watch.sentences import SENTENCES, UNSAID, Sentence, describe
from serment.core.journal.entries import Entry, EventKind

T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
FIELDS = {"actor", "subject", "count", "what", "reason"}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_has_a_sentence_that_an_empty_entry_fills(kind: EventKind) -> None:
    sentence = describe(Entry(kind, T, "m", {}))
    assert set(sentence.values) == FIELDS
    assert str(sentence)
    for message in filter(None, SENTENCES[kind]):
        named = {field for _, field, _, _ in string.Formatter().parse(message) if field}
        assert named <= FIELDS


@pytest.mark.parametrize(
    ("kind", "details", "said"),
    [
        (
            EventKind.READ,
            {"patient": "p", "envelope": "e", "kind": "image", "objects": ["a", "b"], "count": 2},
            "m opened images of patient:p (2 objects)",
        ),
        (EventKind.READ, {"envelope": "e", "kind": "report"}, "m opened a report of envelope:e"),
        (EventKind.SEARCHED, {"count": 0}, "m searched and was shown 0 files"),
        (EventKind.FILED, {"filed": [["e", "p"]]}, "m filed an arrival with patient:p"),
        (
            EventKind.FILED,
            {"filed": [["e", "p"], ["f", "q"]]},
            "2 arrivals filed themselves in the session of m",
        ),
        (
            EventKind.RECEPTION_CLOSED,
            {"envelopes": {"e": {"objects": 3, "root": ""}, "f": {"objects": 4}, "g": 1}},
            "m sent 7 objects, sealed on arrival",
        ),
        (
            EventKind.REFUSED,
            {"peer": "192.0.2.7", "calling": "CT9", "count": 3, "reasons": {"a": 1, "b": 2}},
            "CT9 was refused 3 times: b",
        ),
        (EventKind.REFUSED, {"peer": "192.0.2.7", "reason": "no"}, "192.0.2.7 was refused: no"),
        (
            EventKind.OPENED,
            {"circles": ["secretariat"]},
            "m opened a session: without the key of images",
        ),
        (
            EventKind.OPENED,
            {"circles": ["secretariat", "north"]},
            "m opened a session: with the key of images",
        ),
        (
            EventKind.MEMBER_ADMITTED,
            {"member": "x"},
            "m admitted member:x after comparing the words",
        ),
        (EventKind.MEMBER_ADDED, {"login": "x"}, "m added the member x"),
        (
            EventKind.EXPIRED,
            {"count": 1},
            "1 entry reached the end of its retention and was emptied",
        ),
        (
            EventKind.REPAIRED,
            {"what": "unsigned-tail"},
            "The vault was repaired after a fault: the last entries had not been signed when it "
            "stopped",
        ),
    ],
)
def test_what_entries_say(kind: EventKind, details: dict[str, object], said: str) -> None:
    assert str(describe(Entry(kind, T, "m", details))) == said


def test_details_of_another_shape_read_as_unsaid() -> None:
    odd = {"count": "x", "envelopes": 7, "filed": "y", "reasons": [], "kind": 3, "patient": None}
    for kind in EventKind:
        sentence = describe(Entry(kind, T, "", odd))
        assert isinstance(sentence, Sentence)
        assert sentence.values["actor"] == UNSAID
