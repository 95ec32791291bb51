"""Fictional archives on loopback, in a process of their own: `python archive.py '[SETTINGS, ...]'`.

Settings of each are JSON: "port", "patients", "studies" (of each patient), "called" and "calling" (titles
it insists on), "levels" (what it answers), "refuse" (a status for every query), "certificate",
"key", "oldest", "newest", "ciphers" and "authority" (TLS; the last makes it ask for a certificate), "most" (associations at a
time), "slow" (seconds before it answers a request for one), "stores" (a SOP class it takes, alone),
"wants" (a status for queries without date, name or identifier; 0 = it finds nothing). Names are put together at
run time, so that only this process holds them.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.presentation import (
    BasicWorklistManagementPresentationContexts,
    QueryRetrievePresentationContexts,
    VerificationPresentationContexts,
)

Settings = dict[str, Any]


def name_of(number: int) -> str:
    """A name that stands in no file: a root and a number, turned round."""
    return "ERTNALP"[::-1] + f"{number:03}^" + "EMEN"[::-1]


def answers(event: evt.Event, settings: Settings) -> Iterator[tuple[int, Dataset | None]]:
    if settings.get("refuse"):
        yield settings["refuse"], None
        return
    asked = event.identifier
    is_restricted = any(asked.get(each) for each in ("StudyDate", "PatientName", "PatientID"))
    if "wants" in settings and not is_restricted:
        yield settings["wants"], None
        return
    level = str(asked.get("QueryRetrieveLevel", "WORKLIST"))
    if level not in settings.get("levels", ["PATIENT", "STUDY", "WORKLIST"]):
        yield 0xA900, None
        return
    each = 1 if level == "PATIENT" else settings.get("studies", 1)
    for patient in range(settings["patients"]):
        for study in range(each):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            found = Dataset()
            found.PatientName = name_of(patient)
            found.PatientID = "DI"[::-1] + f"{patient:04}"
            found.StudyInstanceUID = f"2.25.{1 + patient}{study:03}"
            found.QueryRetrieveLevel = level
            yield 0xFF00, found


def think(event: evt.Event, settings: Settings) -> None:
    """As a server that looks up its caller's name first."""
    time.sleep(settings.get("slow", 0))


def start(settings: Settings) -> None:
    entity = AE(ae_title=settings.get("called", "ARCHIVE"))
    entity.maximum_associations = settings.get("most", 10)
    entity.require_called_aet = bool(settings.get("called"))
    entity.require_calling_aet = [settings["calling"]] if settings.get("calling") else []
    contexts = (
        *VerificationPresentationContexts,
        *QueryRetrievePresentationContexts,
        *BasicWorklistManagementPresentationContexts,
    )
    offered = (
        [settings["stores"]]
        if "stores" in settings
        else [each.abstract_syntax for each in contexts]
    )
    for sop_class in offered:
        entity.add_supported_context(sop_class, settings.get("syntaxes", ALL_TRANSFER_SYNTAXES))
    context = None
    if settings.get("certificate"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings["certificate"], settings["key"])
        if settings.get("newest"):
            context.maximum_version = ssl.TLSVersion[settings["newest"]]
        if settings.get("oldest"):
            context.minimum_version = ssl.TLSVersion[settings["oldest"]]
        if settings.get("ciphers"):
            context.set_ciphers(settings["ciphers"])
        if settings.get("authority"):
            context.load_verify_locations(settings["authority"])
            context.verify_mode = ssl.CERT_REQUIRED
    entity.start_server(
        (settings.get("host", "127.0.0.1"), settings["port"]),
        block=False,
        evt_handlers=[
            (evt.EVT_C_FIND, answers, [settings]),
            (evt.EVT_REQUESTED, think, [settings]),
        ],
        ssl_context=context,
    )


def main() -> None:
    for settings in json.loads(sys.argv[1]):
        start(settings)
    threading.Event().wait()  # the servers' own threads would not keep it


if __name__ == "__main__":
    main()
