"""HL7 version 2 over MLLP: whether a listener acknowledges a message that says nothing.

The message has a header and no other segment, is of no kind that exists, and is marked as a test:
no patient, no result, nothing to file. Answers are read for their acknowledgement code only.
Source: HL7 version 2.5.1 sections 2.9.2 and 2.15.8 to 2.15.9, MLLP release 1.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.seen import Answer, Messages

_START, _END = b"\x0b", b"\x1c\r"
_LIMIT: Final = 16 * 1024  # bytes of an answer
_HEADER: Final = b"MSH|^~\\&|SERMENT-AUDIT|SERMENT-AUDIT|||||ZZZ^Z99|SERMENT-AUDIT|T|2.3"
_MESSAGE: Final = _START + _HEADER + b"\r" + _END
_ACKNOWLEDGED: Final = re.compile(rb"\rMSA\|(A[AER]|C[AER])\b([^\r]*)")
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
        return Heard("mllp", facts=Messages(judge(line.until(_END, _LIMIT))))


def judge(untrusted: bytes) -> Answer:
    """What an answer means: a refusal of who asks is a refusal, any other acknowledgement is one."""
    found = _ACKNOWLEDGED.search(untrusted.replace(b"\n", b"\r"))
    if found is None:
        return Answer.NOTHING
    is_negative = not found[1].endswith(b"A")
    errors = b"".join(re.findall(rb"\rERR\|[^\r]*", untrusted.replace(b"\n", b"\r")))
    if is_negative and _UNKNOWN_SENDER.search(found[2] + errors):
        return Answer.REFUSED
    return Answer.YES


PROBE = Probe(
    "mllp",
    talk,
    usual=frozenset({2575, 2576, 6661, 6662, 6663}),
    rank=40,
    begins=(_START + b"MSH|",),
    wakes=_MESSAGE,
)
