"""What a node's refusal of an association says of who is let in (PS3.8 Table 9-21)."""

from __future__ import annotations

import pytest
from tests.unit.network.speaking import ask, saying

from serment.adapters.network.probes import dicom
from serment.core.exposure.seen import NOT_NOW, Dicom

REJECT = b"\x03\0\0\0\0\x04\0"
ABORT = b"\x07\0\0\0\0\x04\0\0\0\0"


@pytest.mark.parametrize(
    ("answer", "refusal", "asked"),
    [
        (REJECT + bytes([2, 3, 2]), NOT_NOW, 2),  # local limit exceeded, transient
        (REJECT + bytes([1, 3, 2]), NOT_NOW, 2),  # the same of a node that calls it permanent
        (REJECT + bytes([1, 3, 1]), NOT_NOW, 2),  # temporary congestion
        (REJECT + bytes([2, 1, 1]), NOT_NOW, 2),
        (ABORT, NOT_NOW, 2),
        (REJECT + bytes([1, 1, 3]), "calling", 1),
    ],
)
def test_who_has_no_place_is_asked_once_more_and_says_nothing_of_strangers(
    answer: bytes, refusal: str, asked: int
) -> None:
    with saying(answer) as (port, told):
        heard = ask(dicom.PROBE, port)
    assert heard is not None
    assert heard.facts == Dicom(refusal=refusal)
    assert len(told) == asked
