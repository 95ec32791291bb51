"""An acknowledgement is read however a listener frames it and whatever separates its fields."""

from __future__ import annotations

import pytest
from tests.unit.network.speaking import heard

from serment.adapters.network.probes import mllp
from serment.core.exposure.seen import Answer, Messages

YES, NO, NOTHING = Answer.YES, Answer.REFUSED, Answer.NOTHING
ACK = b"\x0bMSH|^~\\&|ENGINE|CABINET|||20261122||ACK|1|T|2.3\rMSA|AA|1\r"
REFUSING = ACK.replace(b"AA|1", b"AR|1|unknown sending application")


def other(said: bytes, mark: bytes) -> bytes:
    return said.replace(b"|", mark)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (ACK + b"\x1c\r", YES),
        (ACK + b"\x1c", YES),
        (ACK + b"\x1c\n", YES),
        (ACK, YES),  # broken off after it was said
        (other(ACK, b"#") + b"\x1c\r", YES),
        (other(ACK, b"*") + b"\x1c\r", YES),
        (other(REFUSING, b"#") + b"\x1c\r", NO),
        (other(REFUSING, b"#") + b"ERR#x", NO),
        (ACK.replace(b"MSA|AA", b"MSA#AA") + b"\x1c\r", NOTHING),
        (ACK[:40], NOTHING),
        (b"\x0bMSH\r\x1c\r", NOTHING),
    ],
)
def test_what_an_answer_means(said: bytes, meaning: Answer) -> None:
    found = heard(mllp.PROBE, said)
    assert found is not None
    assert (found.protocol, found.facts) == ("mllp", Messages(meaning))
