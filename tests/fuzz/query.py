"""Fuzz target: what stands in a QIDO-RS address or in the search field is understood or refused."""

from __future__ import annotations

import contextlib
from urllib.parse import parse_qsl

from serment.core.dicom.query import Query, fold, parse_qido, parse_text
from serment.errors import UsageError


def fuzz_one(data: bytes) -> None:
    text = data.decode("utf-8", errors="replace")
    assert fold(fold(text)) == fold(text)
    with contextlib.suppress(UsageError):
        check(parse_text(text))
    with contextlib.suppress(UsageError):
        check(parse_qido(parse_qsl(text, keep_blank_values=True)))


def check(query: Query) -> None:
    for one in query.alternatives():
        matches = one.matches()
        assert matches["name"] is None or matches["name"] == fold(matches["name"])
        assert one.word is None
        assert len(repr(one)) < 200  # tells nothing of what is searched


def seeds() -> list[bytes]:
    return [
        b"PatientName=LEF%C3%88VRE*&00080020=20240101-20240131&includefield=all&limit=25&offset=0",
        b"StudyInstanceUID=1.2.3,1.2.4&ModalitiesInStudy=CT%5CMR&fuzzymatching=true",
        'LEFÈVRE* date:2024-01-01..2024-02 modality:CT id:"A 1" 1.2.840.1.5'.encode(),
        b"name:DUPONT^JEAN birth:31/01/1980 accession:A1 study:1.2 series:1.3 instance:1.4",
    ]
