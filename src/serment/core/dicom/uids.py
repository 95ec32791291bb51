"""Which UIDs Serment accepts and what kind of object each stands for.

The lists come from pydicom's copy of the registry (DICOM PS3.6 Annex A), retired entries
included, because what is on a practice's shelves is old. Who may send what is not decided here.
"""

from __future__ import annotations

import re
from typing import Final

from serment.core.dicom.known import EXPLICIT_LITTLE as EXPLICIT_LITTLE
from serment.core.dicom.known import IMPLEMENTATION_CLASS_UID as IMPLEMENTATION_CLASS_UID
from serment.core.dicom.known import IMPLEMENTATION_VERSION_NAME as IMPLEMENTATION_VERSION_NAME
from serment.core.dicom.known import IMPLICIT_LITTLE as IMPLICIT_LITTLE
from serment.core.dicom.registry import UIDS

EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED_LITTLE: Final = "1.2.840.10008.1.2.1.99"

ANY_PICTURE: Final = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture Image Storage
NO_INSTANCE: Final = "2.25.0"  # of what is made to be decoded only

NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED_LITTLE})
"""Transfer syntaxes whose pixel data is not encapsulated (PS3.5 Annex A.1 to A.5)."""

DEFLATED: Final = frozenset({DEFLATED_LITTLE, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
"""Transfer syntaxes whose whole data set is deflated (PS3.5 A.5, A.7 and A.12)."""

# PS3.5 9.1 forbids leading zeros in a component; devices write them all the same.
_WELL_FORMED: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+", re.ASCII)


def _storage_classes() -> frozenset[str]:
    found = set()
    for uid, (name, kind, _info, _retired, _keyword) in UIDS.items():
        if kind == "SOP Class" and uid.startswith("1.2.840.10008.5.1.") and "Storage" in name:
            found.add(uid)
    return frozenset(found)


STORAGE_CLASSES: Final = _storage_classes()
"""Every SOP class of the Storage Service (PS3.4 Annex B), retired and trial ones included."""

TRANSFER_SYNTAXES: Final = frozenset(
    uid for uid, entry in UIDS.items() if entry[1] == "Transfer Syntax"
)
"""Every transfer syntax of PS3.5 Annex A, retired ones included."""

_COMPOSITE: Final = "1.2.840.10008.5.1.4.1.1."
_REPORTS: Final = "1.2.840.10008.5.1.4.1.1.88."
_DOCUMENTS: Final = "1.2.840.10008.5.1.4.1.1.104."


def kind_of(sop_class: str) -> str:
    """Return "report" for structured reports, "document" for encapsulated ones, else "image".

    Source: DICOM PS3.4 Table B.5-1.
    """
    if sop_class.startswith(_REPORTS):
        return "report"
    if sop_class.startswith(_DOCUMENTS):
        return "document"
    return "image"


def is_storage_class(uid: str) -> bool:
    """Whether objects of this class can be stored.

    Classes registered after the list was made share the prefix of the composite objects, so a
    newer modality is not turned away (DICOM PS3.6 Annex A).
    """
    return uid in STORAGE_CLASSES or (uid.startswith(_COMPOSITE) and is_uid(uid))


def is_uid(value: str) -> bool:
    """Whether it looks like a UID: digits and dots, at most 64 (DICOM PS3.5 section 9.1)."""
    return len(value) <= 64 and _WELL_FORMED.fullmatch(value) is not None


def new_uid(random_id: str) -> str:
    """Return a UID made from a random id of 32 hexadecimal digits (DICOM PS3.5 section B.2)."""
    return f"2.25.{int(random_id, 16)}"
