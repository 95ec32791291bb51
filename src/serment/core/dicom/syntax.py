"""How the bytes of a data set are laid out under each transfer syntax, and what each VR is like.

It decides byte order, explicit or implicit VR, deflation and the width of length fields; reading
the elements is `walker`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from serment.core.dicom import uids
from serment.core.dicom.registry import ELEMENTS, REPEATING

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD

SHORT: Final = {
    code.encode("ascii"): code
    for code in (
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
        *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    )
}
"""VRs with a 16-bit length field in explicit VR (DICOM PS3.5 Table 7.1-2)."""

LONG: Final = {
    code.encode("ascii"): code
    for code in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
}
"""VRs with two reserved bytes and a 32-bit length field (DICOM PS3.5 Table 7.1-1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Syntax:
    """One way to lay out elements (DICOM PS3.5 section 7.1); compared by identity, for speed."""

    explicit: bool
    little: bool
    deflated: bool
    head: Struct  # explicit: group, element, VR, 16-bit length; implicit: group, element, length
    item: Struct  # group, element, 32-bit length
    long: Struct  # 32-bit length
    tag: Struct  # group, element


def _syntax(explicit: bool, little: bool, deflated: bool = False) -> Syntax:
    order = "<" if little else ">"
    head = Struct(order + ("HH2sH" if explicit else "HHI"))
    item, length, tag = Struct(order + "HHI"), Struct(order + "I"), Struct(order + "HH")
    return Syntax(explicit, little, deflated, head, item, length, tag)


IMPLICIT_LITTLE: Final = _syntax(explicit=False, little=True)
IMPLICIT_BIG: Final = _syntax(explicit=False, little=False)
EXPLICIT_LITTLE: Final = _syntax(explicit=True, little=True)
EXPLICIT_BIG: Final = _syntax(explicit=True, little=False)
DEFLATED_LITTLE: Final = _syntax(explicit=True, little=True, deflated=True)


def of(transfer_syntax: str) -> Syntax:
    """Return the layout of a transfer syntax; all that are not older are explicit little endian.

    Source: DICOM PS3.5 Annex A (A.4: every encapsulated syntax is explicit VR little endian).
    """
    if transfer_syntax == uids.EXPLICIT_LITTLE:
        return EXPLICIT_LITTLE
    if transfer_syntax == uids.IMPLICIT_LITTLE:
        return IMPLICIT_LITTLE
    if transfer_syntax == uids.EXPLICIT_BIG:
        return EXPLICIT_BIG
    if transfer_syntax in uids.DEFLATED:
        return DEFLATED_LITTLE
    return EXPLICIT_LITTLE


def in_order(explicit: bool, little: bool) -> Syntax:
    """Return the layout with this VR encoding and byte order."""
    if little:
        return EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
    return EXPLICIT_BIG if explicit else IMPLICIT_BIG


_AMBIGUOUS: Final = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}

_VRS: Final = {
    tag: _AMBIGUOUS.get(entry[0], entry[0])
    for tag, entry in ELEMENTS.items()
    if len(_AMBIGUOUS.get(entry[0], entry[0])) == 2
}


US_OR_SS: Final = frozenset(
    tag for tag, entry in ELEMENTS.items() if entry[0].startswith("US or SS")
)
"""Tags whose values are signed when the pixels are (DICOM PS3.5 section 7.1, note on implicit VR)."""


def _repeaters() -> dict[int, str]:
    found = {}
    for mask, entry in REPEATING.items():
        vr = _AMBIGUOUS.get(entry[0], entry[0])
        if mask[2:4] == "xx" and "x" not in mask[4:]:
            found[int(mask[:2] + "00" + mask[4:], 16)] = vr
    return found


_REPEATING: Final = _repeaters()


def vr_of(tag: int) -> str:
    """Return the VR the dictionary gives a tag; "UN" for private and unknown ones.

    Where it leaves a choice, the one that keeps the bytes as they are: US before SS, OW before OB
    (DICOM PS3.6; the repeating groups 50xx and 60xx included).
    """
    vr = _VRS.get(tag)
    if vr is not None:
        return vr
    if tag & 0xFFFF == 0:
        return "UL"  # group length, retired
    group = tag >> 16
    if not group & 1:
        return _REPEATING.get(tag & 0xFF00FFFF, "UN")
    if 0x10 <= tag & 0xFFFF <= 0xFF:
        return "LO"  # private creator
    return "UN"
