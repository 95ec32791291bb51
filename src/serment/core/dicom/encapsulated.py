"""Makes the DICOM header around a PDF that was handed over as it is, so that DICOM clients can
fetch it like any other instance.

The document's own bytes are not touched and not needed here. Source: DICOM PS3.3 A.45.1, C.24.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

from serment.core.dicom import uids
from serment.core.dicom.part10 import build_meta

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
DOCUMENT: Final = "00420011"

_SHORT: Final = Struct("<HH2sH")
_LONG: Final = Struct("<HH2sHI")


class Wrapping(NamedTuple):
    """What stands in front of the document, the head of its element, and what follows."""

    before: bytes
    element: bytes
    after: bytes


def wrap_pdf(attributes: Mapping[str, Any], size: int) -> Wrapping:
    """Return the bytes around a document of `size` bytes.

    Args: `attributes`: keyword to text; the three UIDs and the SOP Instance UID must be there,
    what else is missing stays empty.
    """
    texts = {name: str(attributes.get(name) or "") for name in _ELEMENTS.values()}
    texts |= _FIXED
    texts["ContentDate"], texts["ContentTime"] = texts["StudyDate"], texts["StudyTime"]
    texts["DocumentTitle"] = texts["SeriesDescription"]
    instance = str(attributes["SOPInstanceUID"])
    before = b"".join(
        _element(tag, texts[name])
        for tag, name in sorted(_ELEMENTS.items())
        if tag < (0x0042, 0x0011, "OB")
    )
    padding = size % 2
    element = _LONG.pack(0x0042, 0x0011, b"OB", 0, size + padding)
    after = b"\0" * padding + _element((0x0042, 0x0012, "LO"), "application/pdf")
    after += _SHORT.pack(0x0042, 0x0015, b"UL", 4) + size.to_bytes(4, "little")
    meta = build_meta(ENCAPSULATED_PDF, instance, uids.EXPLICIT_LITTLE)
    return Wrapping(meta + before, element, after)


def _element(tag: tuple[int, int, str], text: str) -> bytes:
    group, number, vr = tag
    kept = text.replace("\\", "/")[: _LIMITS.get(vr, 63)]
    value = kept.encode("utf-8", errors="replace")
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    return _SHORT.pack(group, number, vr.encode("ascii"), len(value)) + value


_LIMITS: Final = {"UI": 64, "ST": 1023, "SH": 15, "CS": 16}  # characters, room for padding left
_FIXED: Final = {
    "SpecificCharacterSet": "ISO_IR 192",
    "SOPClassUID": ENCAPSULATED_PDF,
    "ConversionType": "WSD",
    "BurnedInAnnotation": "YES",
    "SeriesNumber": "1",
    "InstanceNumber": "1",
}
_ELEMENTS: Final = {
    (0x0008, 0x0005, "CS"): "SpecificCharacterSet",
    (0x0008, 0x0016, "UI"): "SOPClassUID",
    (0x0008, 0x0018, "UI"): "SOPInstanceUID",
    (0x0008, 0x0020, "DA"): "StudyDate",
    (0x0008, 0x0023, "DA"): "ContentDate",
    (0x0008, 0x002A, "DT"): "AcquisitionDateTime",
    (0x0008, 0x0030, "TM"): "StudyTime",
    (0x0008, 0x0033, "TM"): "ContentTime",
    (0x0008, 0x0050, "SH"): "AccessionNumber",
    (0x0008, 0x0060, "CS"): "Modality",
    (0x0008, 0x0064, "CS"): "ConversionType",
    (0x0008, 0x0070, "LO"): "Manufacturer",
    (0x0008, 0x0090, "PN"): "ReferringPhysicianName",
    (0x0008, 0x103E, "LO"): "SeriesDescription",
    (0x0010, 0x0010, "PN"): "PatientName",
    (0x0010, 0x0020, "LO"): "PatientID",
    (0x0010, 0x0030, "DA"): "PatientBirthDate",
    (0x0010, 0x0040, "CS"): "PatientSex",
    (0x0020, 0x000D, "UI"): "StudyInstanceUID",
    (0x0020, 0x000E, "UI"): "SeriesInstanceUID",
    (0x0020, 0x0010, "SH"): "StudyID",
    (0x0020, 0x0011, "IS"): "SeriesNumber",
    (0x0020, 0x0013, "IS"): "InstanceNumber",
    (0x0028, 0x0301, "CS"): "BurnedInAnnotation",
    (0x0042, 0x0010, "ST"): "DocumentTitle",
}
