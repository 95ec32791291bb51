"""What an audit offers a DICOM node in one association: queries, retrieval, and objects of the kinds
that devices of a practice send. Of these the offer alone is made; what its answer means is X03's.

A node may take one kind of object only, and that only as its device writes it: so there are many, each in
the syntaxes that such devices use. Source: DICOM PS3.6 Annex A.
"""

from __future__ import annotations

from typing import Final

from serment.core.dicom import asking
from serment.core.dicom.known import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from serment.core.dicom.pdu import PresentationContext

_ASKED_IN: Final = (EXPLICIT_LITTLE, IMPLICIT_LITTLE)  # those that answers are read in
_SYNTAX: Final = "1.2.840.10008.1.2."
_SENT_IN: Final = (*_ASKED_IN, _SYNTAX + "4.50", _SYNTAX + "4.70")  # JPEG, and its lossless process
_FILMED_IN: Final = (_SYNTAX + "4.100", _SYNTAX + "4.102")  # MPEG-2, H.264
_OBJECTS: Final = "1.2.840.10008.5.1.4.1.1."
_STILL: Final = (
    *("1", "1.1", "1.2", "1.3"),  # radiography, mammography, intra-oral
    *("2", "2.1", "4", "4.1"),  # CT, MR, and enhanced
    *("6.1", "3.1"),  # ultrasound: one picture, several
    *("7", "7.4"),  # secondary capture
    *("12.1", "12.2", "13.1.2", "13.1.3"),  # angiography, fluoroscopy, head in 3D, tomosynthesis
    *("20", "128"),  # nuclear medicine, PET
    *("77.1.1", "77.1.2", "77.1.4"),  # endoscopy, microscopy, photographs
    *("77.1.5.1", "77.1.5.2", "77.1.5.4"),  # photographs of the eye, tomography of it
    *("88.11", "88.22", "88.33", "88.67"),  # reports, dose
    *("104.1", "104.2"),  # PDF, CDA
    *("481.1", "481.2", "481.3", "481.5"),  # radiotherapy: image, dose, structures, plan
    "9.1.1",  # ECG
    "11.1",  # how pictures are to be shown
)
_FILMED: Final = ("77.1.1.1", "77.1.4.1")  # endoscopy, photography
OFFERED: Final = (
    (asking.VERIFICATION, "echo"),
    (asking.STUDY_ROOT_FIND, "find"),
    (asking.PATIENT_ROOT_FIND, "find"),
    (asking.STUDY_ROOT_MOVE, "move"),
    (asking.PATIENT_ROOT_MOVE, "move"),
    (asking.STUDY_ROOT_GET, "get"),
    (asking.PATIENT_ROOT_GET, "get"),
    (asking.WORKLIST_FIND, "worklist"),
    *((_OBJECTS + kind, "store") for kind in (*_STILL, *_FILMED)),
)
_SYNTAXES: Final = {
    **{_OBJECTS + kind: _SENT_IN for kind in _STILL},
    **{_OBJECTS + kind: _FILMED_IN for kind in _FILMED},
}
CONTEXTS: Final = tuple(
    PresentationContext(2 * number + 1, uid, _SYNTAXES.get(uid, _ASKED_IN))
    for number, (uid, _) in enumerate(OFFERED)
)
