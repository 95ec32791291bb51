"""How an audit's facts are called for people: severities, kinds of machines, ways in, counts.

Gettext message ids; who shows them translates. The same words in the terminal, on the web, on paper
and in the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from serment.core.exposure.findings import Confidence, Outside, Place, Readable, Severity, Unit
from serment.core.exposure.text import clean
from serment.errors import N_

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: N_("Critical"),
    Severity.HIGH: N_("High"),
    Severity.MEDIUM: N_("Medium"),
    Severity.LOW: N_("Low"),
    Severity.INFO: N_("Note"),
}
TONES: Final[Mapping[Severity, str]] = {  # of colours, beside a word and a shape
    Severity.CRITICAL: "bad",
    Severity.HIGH: "bad",
    Severity.MEDIUM: "warn",
    Severity.LOW: "soft",
    Severity.INFO: "soft",
}
CONFIDENCES: Final[Mapping[Confidence, str]] = {
    Confidence.CONFIRMED: N_("shown by an answer"),
    Confidence.LIKELY: N_("told by several signs"),
    Confidence.POSSIBLE: N_("told by one sign only"),
}
UNITS: Final[Mapping[Unit, str]] = {
    Unit.PATIENTS: N_("patients readable: {count}"),
    Unit.STUDIES: N_("studies readable: {count}"),
    Unit.FILES: N_("files readable: {count}"),
    Unit.ROWS: N_("rows readable: {count}"),
}
OUTSIDES: Final[Mapping[Outside, str]] = {
    Outside.CONFIRMED: N_("reached from outside"),
    Outside.NOT_CHECKED: N_("not checked from outside"),
    Outside.CLOSED: N_("tried from outside: closed"),
    Outside.SHARED_ADDRESS: N_("shared address, not checked"),
}
COMMANDMENTS: Final[Mapping[int, str]] = {
    1: N_("keep only the data that care needs"),
    2: N_("restrict access and encrypt"),
    3: N_("keep the system secure"),
    4: N_("inform patients"),
    5: N_("keep the register of processing"),
    6: N_("exchange through secure messaging"),
    7: N_("leave no health file lying about"),
    8: N_("back up every week at least"),
    9: N_("choose and bind processors"),
    10: N_("notify breaches"),
}
ARTICLES: Final[Mapping[str, str]] = {
    "GDPR Art. 5(1)(f)": N_("GDPR Art. 5(1)(f), integrity and confidentiality"),
    "GDPR Art. 32(1)(a)": N_("GDPR Art. 32(1)(a), encryption"),
    "GDPR Art. 32(1)(b)": N_("GDPR Art. 32(1)(b), lasting confidentiality of systems"),
    "GDPR Art. 32(1)(d)": N_("GDPR Art. 32(1)(d), regular testing of security"),
    "CSP Art. L1110-4": N_("Public Health Code Art. L1110-4, medical secrecy"),
}


class Kind(StrEnum):
    """What a machine is to the practice, what weighs most first."""

    DICOM = "dicom"
    ARCHIVE = "archive"
    RECORDS = "records"
    DATABASE = "database"
    SHARE = "share"
    REMOTE = "remote"
    PRINTER = "printer"
    BOX = "box"
    WEB = "web"
    SERVER = "server"
    MACHINE = "machine"


KINDS: Final[Mapping[Kind, str]] = {
    Kind.DICOM: N_("Medical images (DICOM)"),
    Kind.ARCHIVE: N_("Images on the web"),
    Kind.RECORDS: N_("Medical records exchange"),
    Kind.DATABASE: N_("Database"),
    Kind.SHARE: N_("Shared files"),
    Kind.REMOTE: N_("Remote access"),
    Kind.PRINTER: N_("Printer"),
    Kind.BOX: N_("Internet box"),
    Kind.WEB: N_("Web page"),
    Kind.SERVER: N_("Server"),
    Kind.MACHINE: N_("Workstation or device"),
}

_HOST: Final = 80  # characters of an address with its link


def counted(readable: Readable) -> str:
    """A number as it is told: "7", and "50+" when there is more."""
    return f"{readable.count}{'+' if readable.capped else ''}"


def place_said(place: Place) -> str:
    """An address and its port, IPv6 in brackets."""
    said = clean(place.host, _HOST)
    host = f"[{said}]" if ":" in said else said
    return f"{host}:{place.port}" if place.port else host
