"""Fictional patients' DICOM objects for the demonstration, the tests and the bench: values in, Part 10 bytes out.

Nothing here is taken from a person. Who the patients are and which studies they have is decided
by the caller; the same values always give the same bytes.
"""

from serment.core.dicom.fictional.images import ct_slice, mr_slice, radiograph, rehead, ultrasound
from serment.core.dicom.fictional.people import FictionalPatient, FictionalStudy, Place, uid
from serment.core.dicom.fictional.reports import pdf_document, text_report

__all__ = [
    "FictionalPatient",
    "FictionalStudy",
    "Place",
    "ct_slice",
    "mr_slice",
    "pdf_document",
    "radiograph",
    "rehead",
    "text_report",
    "uid",
    "ultrasound",
]
