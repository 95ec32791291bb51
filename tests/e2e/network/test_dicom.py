"""DICOM nodes on any port: who is let in, under which title, how many patients are readable."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from tests.e2e.network.running import HOST, archives, audited, free_port, running
from tests.practices import patient, report, study

from serment.adapters.network.offers import CONTEXTS, OFFERED
from serment.core.dicom.uids import STORAGE_CLASSES, TRANSFER_SYNTAXES
from serment.core.exposure.findings import Readable, Unit
from serment.core.exposure.seen import NOT_NOW, Answer, Dicom, Service
from serment.core.exposure.titles import USUAL_TITLES

ALL = frozenset({"echo", "find", "move", "get", "worklist"})
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


def patients(count: int, capped: bool = False) -> Readable:
    return Readable(count, capped, Unit.PATIENTS)


def rows(count: int, capped: bool = False) -> Readable:
    return Readable(count, capped, Unit.ROWS)


YES, NO, NOT_ASKED = Answer.YES, Answer.REFUSED, Answer.NOT_ASKED
STORE = Dicom(frozenset({"store"}), "", True)
ARCHIVES: dict[str, tuple[dict[str, Any], Dicom]] = {
    "anybody": (
        {"patients": 12, "studies": 3},
        Dicom(ALL, "", True, 0, "", YES, patients(12), YES, rows(12 * 3)),
    ),
    "implicit only": (
        {"patients": 2, "syntaxes": [IMPLICIT]},
        Dicom(ALL, "", True, 0, "", YES, patients(2), YES, rows(2)),
    ),
    "explicit only": (
        {"patients": 2, "syntaxes": [EXPLICIT]},
        Dicom(ALL, "", True, 0, "", YES, patients(2), YES, rows(2)),
    ),
    "more than are counted": (
        {"patients": 70},
        Dicom(ALL, "", True, 0, "", YES, patients(50, True), YES, rows(50, True)),
    ),
    "more studies than are counted, not more patients": (
        {"patients": 40, "studies": 2},
        Dicom(ALL, "", True, 0, "", YES, patients(40), YES, rows(50, True)),
    ),
    "patients only": (
        {"patients": 3, "levels": ["PATIENT"]},
        Dicom(ALL, "", True, 0, "", YES, patients(3), NO),
    ),
    "empty": (
        {"patients": 0},
        Dicom(ALL, "", True, 0, "", YES, patients(0), YES, rows(0)),
    ),
    "one association at a time": (
        {"patients": 2, "most": 1},
        Dicom(ALL, "", True, 0, "", YES, patients(2), YES, rows(2)),
    ),
    "slow to accept": (
        {"patients": 2, "slow": 2.6},
        Dicom(ALL, "", True, 0, "", YES, patients(2), YES, rows(2)),
    ),
    "takes PDF alone": ({"stores": "1.2.840.10008.5.1.4.1.1.104.1"}, STORE),
    "takes angiography alone": ({"stores": "1.2.840.10008.5.1.4.1.1.12.1"}, STORE),
    "takes radiotherapy's doses alone": ({"stores": "1.2.840.10008.5.1.4.1.1.481.2"}, STORE),
    "takes photographs of the eye alone": ({"stores": "1.2.840.10008.5.1.4.1.1.77.1.5.1"}, STORE),
    "takes video alone, as it is filmed": (
        {"stores": "1.2.840.10008.5.1.4.1.1.77.1.4.1", "syntaxes": ["1.2.840.10008.1.2.4.102"]},
        STORE,
    ),
    "refuses queries without restriction": (
        {"patients": 4, "wants": 0xA900},
        Dicom(ALL, "", True, 0, "", YES, patients(4), NO),
    ),
    "finds nothing without restriction": (
        {"patients": 60, "wants": 0},
        Dicom(ALL, "", True, 0, "", YES, patients(50, True), YES, rows(0)),
    ),
    "has too much without restriction": (
        {"patients": 4, "wants": 0xA700},
        Dicom(ALL, "", True, 0, "", YES, patients(4), Answer.NOTHING),
    ),
    "refuses queries": (
        {"patients": 9, "refuse": 0x0124},
        Dicom(ALL, "", True, 0, "", NO, None, NO),
    ),
    "a usual title": (
        {"patients": 1, "called": "PACS"},
        Dicom(ALL, "PACS", False, 3, "called", YES, patients(1), YES, rows(1)),
    ),
    "a title of its own": (
        {"patients": 1, "called": "CABINET7X"},
        Dicom(titles_tried=len(USUAL_TITLES), refusal="called"),
    ),
    "known callers": ({"patients": 1, "calling": "MODALITY"}, Dicom(refusal="calling")),
    "known callers, usual title": (
        {"patients": 1, "called": "PACS", "calling": "MODALITY"},
        Dicom(titles_tried=3, refusal="calling"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> dict[str, Service]:
    with archives(*(settings for settings, _ in ARCHIVES.values())) as ports:
        found = audited(*ports, titles=USUAL_TITLES)
    return {kind: found[port] for kind, port in zip(ARCHIVES, ports, strict=True)}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_node_lets_in_whom_it_lets_in(seen: dict[str, Service], kind: str) -> None:
    service = seen[kind]
    assert (service.protocol, service.tls, service.cut) == ("dicom", None, False)
    assert service.facts == ARCHIVES[kind][1]


def test_what_is_offered_is_registered_and_fits_one_association() -> None:
    stored = {uid for uid, label in OFFERED if label == "store"}
    assert stored <= STORAGE_CLASSES
    assert {syntax for each in CONTEXTS for syntax in each.transfer_syntaxes} <= TRANSFER_SYNTAXES
    assert len({uid for uid, _ in OFFERED}) == len(CONTEXTS) <= 128  # PS3.8 9.3.2.2


def test_a_small_node_has_its_place_again_when_the_audit_has_been_there() -> None:
    """pynetdicom keeps one for half a minute for whoever connects and asks for nothing."""
    with archives({"patients": 1, "most": 1}, {"patients": 0}) as (port, _):
        audited(port)
        after = AE("ECHO1")
        after.add_requested_context(Verification)
        association = after.associate(HOST, port)
        assert association.is_established
        busy = audited(port)[port]
        association.release()
    assert (busy.protocol, busy.facts) == ("dicom", Dicom(refusal=NOT_NOW))


def test_implementations_are_told(seen: dict[str, Service]) -> None:
    service = seen["anybody"]
    assert (service.product, service.banner) == ("pynetdicom", "PYNETDICOM_304")


@pytest.mark.real("dcmtk")
def test_a_receiver_of_dcmtk(tool: Callable[[str], str], tmp_path: Path) -> None:
    port = free_port()
    with running(port, tool("storescp"), "-od", tmp_path, port, folder=tmp_path):
        service = audited(port)[port]
    assert service.product == "DCMTK"
    assert isinstance(service.facts, Dicom)
    assert service.facts.any_title
    assert service.facts.accepted >= {"echo", "store"}
    assert not service.facts.accepted & {"find", "move", "get", "worklist"}
    assert list(tmp_path.iterdir()) == []  # nothing was sent


@pytest.fixture
def orthanc(tool: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start Orthanc with some settings; its DICOM port."""
    with ExitStack() as stack:

        def start(**settings: object) -> int:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            port = free_port()
            given = {
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "storage"),
                "DicomPort": port,
                "HttpServerEnabled": False,
                **settings,
            }
            (folder / "orthanc.json").write_text(json.dumps(given))
            program = tool("Orthanc")
            stack.enter_context(running(port, program, folder / "orthanc.json", folder=folder))
            return port

        yield start


@pytest.mark.real("orthanc", "dcmtk")
def test_orthanc_open_and_closed(
    orthanc: Callable[..., int], tool: Callable[[str], str], tmp_path: Path
) -> None:
    opened = orthanc(DicomAlwaysAllowFind=True, DicomAlwaysAllowStore=True)
    closed = orthanc(DicomAet="CABINET7X", DicomCheckCalledAet=True)
    files = tmp_path / "files"
    files.mkdir()
    for number in range(3):
        (files / f"{number}.dcm").write_bytes(report(study(patient(number + 1))))
    send = [tool("storescu"), "+sd", "-R", HOST, str(opened), str(files)]
    subprocess.run(send, check=True, capture_output=True)
    seen = audited(opened, closed, titles=USUAL_TITLES)
    facts = seen[opened].facts
    assert isinstance(facts, Dicom)
    assert (facts.any_title, facts.studies, facts.patients) == (True, YES, patients(3))
    assert seen[closed].facts == Dicom(titles_tried=len(USUAL_TITLES), refusal="called")


@pytest.mark.real("orthanc")
def test_orthanc_refuses_the_query_of_a_stranger(orthanc: Callable[..., int]) -> None:
    """It accepts the association and hangs up on the query."""
    port = orthanc()
    facts = audited(port)[port].facts
    assert isinstance(facts, Dicom)
    assert (facts.studies, facts.patients, facts.hangs_up) == (NO, None, True)
