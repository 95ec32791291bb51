"""HL7 version 2 over MLLP: whether a listener acknowledges a message that says nothing.

The message has a header and no other segment, is of no kind that exists, and is marked as a test:
no patient, no result, nothing to file. Answers are read for their acknowledgement code only, also
where a block ends without its last byte, or the header names other separators than usual.
Source: HL7 version 2.5.1 sections 2.9.2 and 2.15.8 to 2.15.9, MLLP release 1.
"""

from __future__ import annotations

import contextlib
import re
from typing import Final

from serment.adapters.network.line import Gone, Line, Silent
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.seen import Answer, Messages

_START, _END = b"\x0b", b"\x1c"  # a carriage return after it, by the book
_LIMIT: Final = 16 * 1024  # bytes of an answer
_HEADER: Final = b"MSH|^~\\&|SERMENT-AUDIT|SERMENT-AUDIT|||||ZZZ^Z99|SERMENT-AUDIT|T|2.3"
_MESSAGE: Final = _START + _HEADER + b"\r" + _END + b"\r"
_SEPARATOR: Final = re.compile(rb"MSH([^\w\s])")  # of fields: HL7 2.5.1 section 2.5.4
# In a negative answer's own words: that nobody unknown is listened to.
_UNKNOWN_SENDER: Final = re.compile(
    rb"send(?:er|ing)|not (?:authori[sz]ed|allowed|permitted)|unauthori[sz]ed|denied|inconnu", re.I
)


def talk(call: Call) -> Heard | None:
    """Send the empty message and see whether it is acknowledged."""
    with call.line() as line:
        line.send(_MESSAGE)
        if line.exactly(4) != _START + b"MSH":
            return None
        call.understood()
        call.heard = Heard("mllp", facts=Messages(Answer.NOTHING))
        return Heard("mllp", facts=Messages(judge(b"MSH" + _block(line))))


def _block(line: Line) -> bytes:
    """What comes until the block's end, or until nothing more does."""
    said = b""
    with contextlib.suppress(Gone, Silent):
        while _END not in said and len(said) < _LIMIT and (piece := line.some()):
            said += piece
    return said.partition(_END)[0]


def judge(untrusted: bytes) -> Answer:
    """What an answer means: a refusal of who asks is a refusal, any other acknowledgement is one."""
    header, text = _SEPARATOR.search(untrusted), untrusted.replace(b"\n", b"\r")
    mark = re.escape(header[1] if header else b"|")
    found = re.search(rb"\rMSA" + mark + rb"(A[AER]|C[AER])\b([^\r]*)", text)
    if found is None:
        return Answer.NOTHING
    is_negative = not found[1].endswith(b"A")
    errors = b"".join(re.findall(rb"\rERR" + mark + rb"[^\r]*", text))
    if is_negative and _UNKNOWN_SENDER.search(found[2] + errors):
        return Answer.REFUSED
    return Answer.YES


PROBE = Probe(
    "mllp",
    talk,
    usual=frozenset({2575, 2576, 6661, 6662, 6663}),
    rank=40,
    begins=(_START + b"MSH",),
    wakes=_MESSAGE,
)
