"""The DICOM conformance statement says what the program does: lists, limits, parameters, statuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom.charset import python_encoding
from pydicom.uid import UID

from serment.core.dicom import criteria, json, media, multipart, query, uids
from serment.core.dicom.dimse import VERIFICATION, Status
from serment.core.dicom.headers import CLINICAL, IDENTITY
from serment.core.dicom.pdu import Rejection
from serment.entrypoints import bodies
from serment.entrypoints.dicomweb import frames, pictures, qido
from serment.entrypoints.dicomweb.app import GETS, POSTS
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.intake.server import IntakeLimits

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs" / "dicom-conformance.md").read_text(encoding="utf-8")
MAIN, APPENDICES = TEXT.split("## Appendix A.")
APPENDIX_A, APPENDIX_B = APPENDICES.split("## Appendix B.")


def table(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| ([0-9.]+) \| (.+) \|$", text, flags=re.MULTILINE))


def section(number: str) -> str:
    found = re.search(rf"^#+ {re.escape(number)}\.? .*?(?=^##)", MAIN, re.MULTILINE | re.DOTALL)
    assert found, number
    return found[0]


def test_sop_classes_and_transfer_syntaxes() -> None:
    classes, syntaxes = table(APPENDIX_A), table(APPENDIX_B)
    assert set(classes) == {*uids.STORAGE_CLASSES, VERIFICATION}
    assert set(syntaxes) == set(uids.TRANSFER_SYNTAXES)
    assert {uid: UID(uid).name for uid in classes} == classes
    assert {uid: UID(uid).name for uid in syntaxes} == syntaxes
    assert f"all {len(uids.STORAGE_CLASSES)} storage" in APPENDIX_A
    assert f"All {len(uids.TRANSFER_SYNTAXES)} that" in APPENDIX_B


def test_implementation_names() -> None:
    assert f"`{uids.IMPLEMENTATION_CLASS_UID}`" in MAIN
    assert f"`{uids.IMPLEMENTATION_VERSION_NAME}`" in MAIN


LIMITS = Limits()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("2.2", f"{LIMITS.unit_bytes} bytes of P-DATA-TF"),
        ("2.2", f"at most {LIMITS.request_bytes} bytes"),
        ("2.2", f"complete within {LIMITS.association_seconds} s"),
        ("2.2", f"{LIMITS.associations}; {LIMITS.associations_per_address} of one address"),
        ("2.2", f"{LIMITS.associations_of_strangers} of addresses that are no device's"),
        ("2.2", f"{LIMITS.idle_seconds} s; within a unit {LIMITS.unit_seconds} s"),
        ("2.2", f"slower than {LIMITS.slowest_rate} bytes/s"),
        ("2.3", f"may have {LIMITS.object_bytes} bytes"),
        ("2.3", "within 4194304 bytes"),
        ("3.3", f"At most {IntakeLimits().parts} parts"),
        ("3.3", f"{multipart.MAX_PART_HEADERS} bytes of headers"),
        ("3.3", f"{multipart.MAX_PREAMBLE} bytes in front"),
        ("3.3", f"{bodies.SILENCE_SECONDS:.0f} s without a byte"),
        ("3.3", f"slower than {bodies.SLOWEST} bytes/s"),
        ("3.4", f"at most {criteria.MAX_UIDS} separated"),
        ("3.4", f"numbers up to {query.MAX_PAGE}"),
        ("3.4", f"at most {qido.DEFAULT_LIMIT} results"),
        ("3.4", f"{criteria.MAX_VALUE} characters and {criteria.MAX_WILDCARDS} wildcards"),
        ("3.4", f'"{qido.MORE}"'),
        ("3.5", f"{pictures.THUMBNAIL_PIXELS} pixels"),
        ("3.5", f"At most {frames.FRAMES_AT_ONCE} a request"),
        ("3.5", f"up to {pictures.MAX_SIDE}"),
        ("3.5", f"At most {pictures.PICTURES_AT_ONCE} pictures"),
        ("3.5", f"above {json.BULK_FROM} bytes, texts above {json.BULK_TEXT_FROM} bytes"),
    ],
)
def test_limits(where: str, said: str) -> None:
    assert said in " ".join(section(where).split())


def test_statuses() -> None:
    assert set(re.findall(r"^\| ([0-9A-F]{4}) \|", section("2.3"), flags=re.MULTILINE)) == {
        f"{status:04X}" for status in Status
    }
    said = section("2.2")
    for result, source, reason in (each.value for each in Rejection):
        if (result, source) == (1, 1):
            assert re.search(rf"reason (\d, )*{reason}", said) or f" or {reason}" in said


def test_search_parameters() -> None:
    said = section("3.4")
    named = set(re.findall(r"`([A-Za-z]+)`", said.split("Keywords or")[0]))
    known = {*query._ATTRIBUTES, *query._PAGING, *query._ACCEPTED, "includefield"}
    assert known <= named
    assert named - known <= {"all", "true", "D", "PatientName"}
    index = {*IDENTITY, *CLINICAL} - {*qido.STUDY, *qido.STUDY_IF_KNOWN, *qido.INSTANCE}
    unnamed = {word for word in index if word not in said}
    assert unnamed <= {"SeriesNumber"}  # always in an answer about series


def test_resources() -> None:
    said = section("3.2")
    for path, _endpoint in (*GETS, *POSTS):
        last = path.rpartition("/")[2]
        assert last.strip("{}").partition(":")[0] in said, path
    assert set(re.findall(r"\b(GET|POST|PUT|DELETE|PATCH|OPTIONS)\b", said)) == {"GET", "POST"}


def test_media_types_of_frames() -> None:
    said = section("3.5")
    own = {m for m in media._MEDIA.values() if m.startswith("image/")}
    assert {kind for kind in own if f"`{kind}`" not in said} == set()


def test_character_sets() -> None:
    said = " ".join(section("4").split())
    single, extended = said.split("extensions")
    for term in filter(None, python_encoding):
        number = term.rpartition(" ")[2]
        assert re.search(rf"\b{number}\b", extended if "2022" in term else single), term
