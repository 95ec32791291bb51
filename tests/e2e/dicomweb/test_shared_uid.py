"""Two patients under the same UIDs, over DICOMweb: lists name both, objects say whose they are and
the answer warns, what would not say whose it is is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.e2e.dicomweb.clinic import Clinic, parts_of, quietly
from tests.practices import patient, study

from serment.core.dicom.fictional import Place, ct_slice

MINE = study(patient(871, "CYPRÈS^Agathe"), 1)
THEIRS = replace(MINE, patient=patient(872, "CYPRÈS^Paul", "19630303", "M"))
STUDY = f"/studies/{MINE.uid}"
IMAGE = f"{STUDY}/series/{Place(1, 1).series_uid(MINE)}/instances/{Place(1, 1).instance_uid(MINE)}"
NAMES = [MINE.patient.name, THEIRS.patient.name]
SEVERAL = "several patients"


@pytest.fixture(scope="module")
def web(clinic: Clinic) -> Clinic:
    clinic.store(*(ct_slice(MINE, Place(1, n), 2) for n in (1, 2)))
    clinic.store(*(ct_slice(THEIRS, Place(1, n), 3) for n in (1, 2, 3)))
    return clinic


def names(found: list[dict[str, Any]]) -> list[str]:
    return [row["00100010"]["Value"][0]["Alphabetic"] for row in found]


@pytest.mark.parametrize("who", ["doctor", "secretary"])
def test_the_list_of_studies_has_one_for_each(web: Clinic, who: str) -> None:
    token = getattr(web, who)
    found = web.get(f"/studies?StudyInstanceUID={MINE.uid}", token=token).json()
    assert sorted(names(found)) == sorted(NAMES)
    assert {row["0020000D"]["Value"][0] for row in found} == {MINE.uid}
    identifiers = {row["00100020"]["Value"][0] for row in found}
    assert identifiers == {MINE.patient.patient_id, THEIRS.patient.patient_id}
    if who == "doctor":
        counts = {
            row["00100010"]["Value"][0]["Alphabetic"]: row["00201208"]["Value"][0] for row in found
        }
        assert counts == dict(zip(NAMES, (2, 3), strict=True))
    several = web.get(f"/studies?StudyInstanceUID={MINE.uid}&ModalitiesInStudy=CT,MR", token=token)
    assert sorted(names(several.json())) == sorted(NAMES)
    (one,) = web.get("/studies?PatientName=CYPRES*&PatientSex=M", token=token).json()[:1]
    assert names(web.get("/studies?PatientID=FICTIF0872", token=token).json()) == [NAMES[1]]
    assert one["0020000D"]


def test_series_and_instances_say_whose_they_are(web: Clinic) -> None:
    series = web.get(f"{STUDY}/series")
    assert SEVERAL in series.headers["Warning"]
    assert sorted(names(series.json())) == sorted(NAMES)
    counts = dict(
        zip(names(series.json()), (r["00201209"]["Value"][0] for r in series.json()), strict=True)
    )
    assert counts == dict(zip(NAMES, (2, 3), strict=True))
    instances = web.get(f"{STUDY}/instances").json()
    assert sorted(names(instances)) == sorted([NAMES[0]] * 2 + [NAMES[1]] * 3)
    only = web.get(f"{STUDY}/instances?PatientID=FICTIF0872").json()
    assert len(only) == 3
    sizes = {row["00280010"]["Value"][0] for row in only}
    assert sizes == {quietly(ct_slice(THEIRS, Place(1, 1), 3)).Rows}
    only = web.get(f"/series?StudyInstanceUID={MINE.uid}&PatientID=FICTIF0871").json()
    assert names(only) == [NAMES[0]]


def test_objects_come_with_their_own_identity_and_a_warning(web: Clinic) -> None:
    answer = web.get(STUDY, 'multipart/related; type="application/dicom"')
    assert SEVERAL in answer.headers["Warning"]
    found = [str(quietly(data).PatientName) for _, data in parts_of(answer)]
    assert sorted(found) == sorted([NAMES[0]] * 2 + [NAMES[1]] * 3)
    answer = web.get(f"{STUDY}/metadata")
    assert SEVERAL in answer.headers["Warning"]
    assert sorted(names(answer.json())) == sorted(found)


@pytest.mark.parametrize("what", ["rendered", "thumbnail", "frames/1", "bulkdata/7FE00010"])
def test_what_does_not_say_whose_it_is_is_refused(web: Clinic, what: str) -> None:
    assert web.get(f"{IMAGE}/{what}").status_code == 409
    alone = IMAGE.replace(Place(1, 1).instance_uid(MINE), Place(1, 3).instance_uid(MINE))
    assert web.get(f"{alone}/{what}").status_code == 200
