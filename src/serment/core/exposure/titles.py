"""The AE titles that anybody would try first: names of products and their factory settings.

Source: defaults of the products' own documentation and of the DICOM tools that name them; a title
is no secret (PS3.15 says nothing of it), so none of these is a password.
"""

from __future__ import annotations

from typing import Final

USUAL_TITLES: Final = (
    "ANY-SCP", "ORTHANC", "PACS", "DCM4CHEE", "CONQUESTSRV1", "STORESCP", "DCMQRSCP", "ARCHIVE",
    "SERVER", "PACS_SCP", "MAIN", "DICOM", "SCP", "STORE_SCP", "FINDSCP", "QRSCP", "QR_SCP",
    "MOVESCP", "WORKLIST", "MWL", "MWL_SCP", "WLMSCPFS", "OFFIS", "DCMTK", "PYNETDICOM", "AE_TITLE",
    "AETITLE", "AE", "DICOM_SCP", "DICOMSERVER", "IMAGESERVER", "CLEARCANVAS", "DICOOGLE",
    "OSIRIX", "HOROS", "WEASIS", "RADIANT", "MEDDREAM", "PACSONE", "SANTE", "SYNAPSE", "IMPAX",
    "CENTRICITY", "GEPACS", "ISITE", "INFINITT", "KODAK", "CARESTREAM", "AGFA", "SIEMENS",
    "PHILIPS", "GE", "VEPRO", "VIEWER", "WORKSTATION", "GATEWAY", "ROUTER", "TEST",
    "DEMO", "DEFAULT", "RIS", "PACS1", "PACSSERVER", "MYPACS", "RADIOLOGY", "STORE", "COMMON",
)  # fmt: skip
