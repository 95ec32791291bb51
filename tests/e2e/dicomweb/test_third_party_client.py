"""PyPI's dicomweb-client, with its own default headers: what it stores, it finds and gets back."""

from __future__ import annotations

import io
from typing import Any

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from tests.e2e.dicomweb.clinic import samples
from tests.practices import patient, report, study

from serment.core.dicom.fictional import Place, ct_slice, radiograph, uid, ultrasound

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

LEFEVRE, GARCON = patient(501), patient(502, "GARÇON^Zoé-Aïcha", "20010203", "F")
SCAN = study(LEFEVRE, 1, "20260104")
OLD = study(LEFEVRE, 2, "20190630")
ECHO = study(GARCON, 1, "20260105")
SLICES = [ct_slice(SCAN, Place(1, number), 3) for number in (1, 2, 3)]
RADIOGRAPH = radiograph(OLD, Place(1, 1))
LOOP = ultrasound(ECHO, Place(1, 1), frames=4)
TEXT = report(SCAN, 7)


@pytest.fixture(scope="module")
def client(clinic: Any) -> DICOMwebClient:
    """The doctor's, after the device has sent three studies with the same client."""
    sender: DICOMwebClient = clinic.client(clinic.device)
    stored = sender.store_instances([dcmread(io.BytesIO(o)) for o in (*SLICES, RADIOGRAPH, LOOP)])
    assert len(stored.ReferencedSOPSequence) == 5
    assert "FailedSOPSequence" not in stored
    one = sender.store_instances([dcmread(io.BytesIO(report(SCAN, 7)))], SCAN.uid)
    (kept,) = one.ReferencedSOPSequence
    series, instance = Place(1, 7).series_uid(SCAN), Place(1, 7).instance_uid(SCAN)
    assert one.RetrieveURL == f"{clinic.base}/studies/{SCAN.uid}"
    assert kept.RetrieveURL == f"{one.RetrieveURL}/series/{series}/instances/{instance}"
    return clinic.client(clinic.doctor)


def uids(found: list[dict[str, Any]]) -> set[str]:
    return {dataset["0020000D"]["Value"][0] for dataset in found}


OURS = {SCAN.uid, OLD.uid, ECHO.uid}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"PatientName": "LEFEVRE*"}, {SCAN.uid, OLD.uid}),
        ({"PatientName": "LEFÈVRE^HÉLÈNE"}, {SCAN.uid, OLD.uid}),
        ({"PatientName": "lefevre^h?lene"}, {SCAN.uid, OLD.uid}),
        ({"PatientName": "*zoe*"}, {ECHO.uid}),
        ({"00100010": "Garcon*"}, {ECHO.uid}),
        ({"PatientID": "FICTIF0501"}, {SCAN.uid, OLD.uid}),
        ({"PatientID": "FICTIF050?"}, OURS),
        ({"PatientBirthDate": "20010203"}, {ECHO.uid}),
        ({"StudyDate": "20260104", "PatientID": "FICTIF050*"}, {SCAN.uid}),
        ({"StudyDate": "20260101-20260131", "PatientID": "FICTIF050*"}, {SCAN.uid, ECHO.uid}),
        ({"StudyDate": "-20200101", "PatientID": "FICTIF0501"}, {OLD.uid}),
        ({"StudyDate": "20200101-", "PatientID": "FICTIF0501"}, {SCAN.uid}),
        ({"ModalitiesInStudy": "US", "PatientID": "FICTIF050*"}, {ECHO.uid}),
        ({"ModalitiesInStudy": "DX,US", "PatientID": "FICTIF050*"}, {OLD.uid, ECHO.uid}),
        ({"AccessionNumber": SCAN.accession}, {SCAN.uid}),
        ({"StudyInstanceUID": f"{SCAN.uid},{ECHO.uid}"}, {SCAN.uid, ECHO.uid}),
        ({"PatientName": "LEFEVRE*", "PatientBirthDate": "20010203"}, set()),
        ({"PatientName": "NIEMAND*"}, set()),
    ],
)
def test_search_for_studies(
    client: DICOMwebClient, filters: dict[str, str], expected: set[str]
) -> None:
    assert uids(client.search_for_studies(search_filters=filters)) == expected


def test_an_encoded_wildcard_is_one(clinic: Any, client: DICOMwebClient) -> None:
    for query in (
        "PatientName=LEFEVRE%2A",
        "PatientName=LEFEVRE*",
        "PatientName=lef%C3%A8vre%5Eh*",
    ):
        found = clinic.get(f"/studies?{query}")
        assert uids(found.json()) == {SCAN.uid, OLD.uid}, query


def test_what_a_study_says(clinic: Any, client: DICOMwebClient) -> None:
    filters = {"StudyInstanceUID": SCAN.uid}
    (found,) = client.search_for_studies(search_filters=filters, fields=["InstitutionName"])
    known = Dataset.from_json(found)
    assert known.PatientName == LEFEVRE.name
    assert known.PatientID == LEFEVRE.patient_id
    assert known.PatientBirthDate == LEFEVRE.birth_date
    assert known.PatientSex == "F"
    assert known.StudyDate == SCAN.date
    assert known.StudyTime == SCAN.time
    assert known.AccessionNumber == SCAN.accession
    assert sorted(known.ModalitiesInStudy) == ["CT", "SR"]
    assert known.NumberOfStudyRelatedSeries == 1
    assert known.NumberOfStudyRelatedInstances == 4
    assert known.RetrieveURL == f"{clinic.base}/studies/{SCAN.uid}"
    assert known.InstanceAvailability == "ONLINE"
    assert known.InstitutionName
    assert known.ReferringPhysicianName == "DUPONT^Jean"
    assert "StudyID" in known
    (plain,) = client.search_for_studies(search_filters=filters)
    assert "00080080" not in plain


def test_pages(client: DICOMwebClient) -> None:
    filters = {"PatientID": "FICTIF050*"}
    pages = [
        client.search_for_studies(search_filters=filters, limit=1, offset=offset)
        for offset in range(4)
    ]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert set().union(*map(uids, pages)) == OURS
    dates = [page[0]["00080020"]["Value"][0] for page in pages[:3]]
    assert dates == sorted(dates, reverse=True)
    several = {"ModalitiesInStudy": "DX,US,CT", **filters}
    pages = [
        client.search_for_studies(search_filters=several, limit=1, offset=offset)
        for offset in range(4)
    ]
    assert [uids(page) for page in pages] == [{ECHO.uid}, {SCAN.uid}, {OLD.uid}, set()]
    assert len(client.search_for_studies(search_filters=filters, get_remaining=True)) == 3


def test_fuzzy_matching_finds_names_that_begin_so(client: DICOMwebClient) -> None:
    filters = {"PatientName": "lefev"}
    assert client.search_for_studies(search_filters=filters) == []
    assert uids(client.search_for_studies(search_filters=filters, fuzzymatching=True)) == {
        SCAN.uid,
        OLD.uid,
    }


def test_search_for_series(clinic: Any, client: DICOMwebClient) -> None:
    (found,) = client.search_for_series(SCAN.uid)
    known = Dataset.from_json(found)
    assert known.NumberOfSeriesRelatedInstances == 4
    assert known.Modality in ("CT", "SR")
    assert known.SeriesInstanceUID == Place(1, 1).series_uid(SCAN)
    url = f"{clinic.base}/studies/{SCAN.uid}/series/{known.SeriesInstanceUID}"
    assert known.RetrieveURL == url
    assert client.search_for_series(SCAN.uid, search_filters={"Modality": "MG"}) == []
    # over all studies: each says whose it is
    (alone,) = client.search_for_series(search_filters={"PatientName": "GARCON*"})
    known = Dataset.from_json(alone)
    assert known.PatientName == GARCON.name
    assert known.StudyDate == ECHO.date
    assert known.Modality == "US"


def test_search_for_instances(client: DICOMwebClient) -> None:
    found = client.search_for_instances(SCAN.uid, Place(1, 1).series_uid(SCAN))
    numbers = [dataset["00200013"]["Value"][0] for dataset in found]
    assert numbers == [1, 2, 3, 7]
    one = Place(1, 2).instance_uid(SCAN)
    (alone,) = client.search_for_instances(search_filters={"SOPInstanceUID": one})
    known = Dataset.from_json(alone)
    assert (known.Rows, known.Columns, known.BitsAllocated) == (512, 512, 16)
    assert known.PatientName == LEFEVRE.name
    assert known.AvailableTransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert "WindowCenter" not in known
    (more,) = client.search_for_instances(
        search_filters={"SOPInstanceUID": one}, fields=["WindowCenter"]
    )
    assert "WindowCenter" in Dataset.from_json(more)
    assert len(client.search_for_instances(SCAN.uid, limit=2, offset=1)) == 2


def test_retrieve_study_series_instance(client: DICOMwebClient) -> None:
    whole = client.retrieve_study(SCAN.uid)
    assert [d.InstanceNumber for d in whole] == [1, 2, 3, 7]
    series = client.retrieve_series(SCAN.uid, Place(1, 1).series_uid(SCAN))
    assert [d.SOPInstanceUID for d in series] == [d.SOPInstanceUID for d in whole]
    streamed = list(client.iter_study(SCAN.uid))
    assert streamed == whole
    for original, place in zip(SLICES, (Place(1, n) for n in (1, 2, 3)), strict=True):
        found = client.retrieve_instance(SCAN.uid, place.series_uid(SCAN), place.instance_uid(SCAN))
        assert found == dcmread(io.BytesIO(original))
    some = client.retrieve_instance(
        OLD.uid,
        Place(1, 1).series_uid(OLD),
        Place(1, 1).instance_uid(OLD),
        media_types=(("application/dicom", "*"),),
    )
    assert some.pixel_array.shape == dcmread(io.BytesIO(RADIOGRAPH)).pixel_array.shape


def test_retrieve_metadata(client: DICOMwebClient) -> None:
    series = Place(1, 1).series_uid(SCAN)
    of_study = client.retrieve_study_metadata(SCAN.uid)
    assert len(of_study) == 4
    assert of_study == client.retrieve_series_metadata(SCAN.uid, series)
    one = client.retrieve_instance_metadata(SCAN.uid, series, Place(1, 2).instance_uid(SCAN))
    assert one == of_study[1]
    assert Dataset.from_json(one).PatientName == LEFEVRE.name


def test_retrieve_frames(client: DICOMwebClient) -> None:
    where = (ECHO.uid, Place(1, 1).series_uid(ECHO), Place(1, 1).instance_uid(ECHO))
    loop = dcmread(io.BytesIO(LOOP))
    size = loop.Rows * loop.Columns
    frames = [loop.PixelData[n * size : (n + 1) * size] for n in range(4)]
    assert client.retrieve_instance_frames(*where, [1]) == [frames[0]]
    assert client.retrieve_instance_frames(*where, [4, 2, 3, 2]) == [
        frames[n] for n in (3, 1, 2, 1)
    ]
    assert list(client.iter_instance_frames(*where, [1, 4])) == [frames[0], frames[3]]
    for media in (
        ("application/octet-stream",),
        (("application/octet-stream", "1.2.840.10008.1.2.1"),),
        (("application/octet-stream", "*"), ("image/jpeg", "1.2.840.10008.1.2.4.50")),
    ):
        assert client.retrieve_instance_frames(*where, [2], media_types=media) == [frames[1]]
    with pytest.raises(requests.HTTPError, match="404"):
        client.retrieve_instance_frames(*where, [5])
    with pytest.raises(requests.HTTPError, match="406"):
        client.retrieve_instance_frames(*where, [1], media_types=("image/jpeg",))


def test_retrieve_rendered(client: DICOMwebClient) -> None:
    where = (SCAN.uid, Place(1, 1).series_uid(SCAN), Place(1, 2).instance_uid(SCAN))
    default = Image.open(io.BytesIO(client.retrieve_instance_rendered(*where)))
    assert (default.format, default.size) == ("JPEG", (512, 512))
    png = client.retrieve_instance_rendered(
        *where,
        media_types=("image/png",),
        params={"viewport": "128,128", "window": "40,400,LINEAR"},
    )
    assert Image.open(io.BytesIO(png)).size == (128, 128)
    dark = client.retrieve_instance_rendered(
        *where, media_types=("image/png",), params={"viewport": "128,128", "window": "4000,10"}
    )
    assert Image.open(io.BytesIO(dark)).getextrema() == (0, 0)
    series = client.retrieve_series_rendered(*where[:2], media_types=("image/jpeg",))
    assert Image.open(io.BytesIO(series)).size == (512, 512)
    loop = (ECHO.uid, Place(1, 1).series_uid(ECHO), Place(1, 1).instance_uid(ECHO))
    pictures = [
        client.retrieve_instance_frames_rendered(*loop, [n], media_types=("image/png",))
        for n in (1, 4)
    ]
    assert pictures[0] != pictures[1]


def test_retrieve_bulk_data(client: DICOMwebClient) -> None:
    for scan, place, original in ((SCAN, Place(1, 1), SLICES[0]), (ECHO, Place(1, 1), LOOP)):
        where = (scan.uid, place.series_uid(scan), place.instance_uid(scan))
        url = client.retrieve_instance_metadata(*where)["7FE00010"]["BulkDataURI"]
        expected = [dcmread(io.BytesIO(original)).PixelData]
        assert client.retrieve_bulkdata(url) == expected
        assert client.retrieve_bulkdata(url, media_types=("application/octet-stream",)) == expected
        assert list(client.iter_bulkdata(url)) == expected


def test_the_same_again_is_there_once(clinic: Any, client: DICOMwebClient) -> None:
    again = clinic.client(clinic.device).store_instances([dcmread(io.BytesIO(SLICES[0]))])
    assert len(again.ReferencedSOPSequence) == 1
    assert len(client.search_for_instances(SCAN.uid)) == 4


@pytest.mark.parametrize("with_table", [True, False])
def test_frames_of_several_fragments(clinic: Any, with_table: bool) -> None:
    (sample,) = (s for s in samples() if s.path.name == "examples_ybr_color.dcm")
    dataset = sample.read()
    frames = list(generate_frames(dataset.PixelData, number_of_frames=30))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=3, has_bot=with_table)
    dataset["PixelData"].is_undefined_length = True
    dataset.StudyInstanceUID = uid("fragments", str(with_table))
    dataset.SOPInstanceUID = uid("fragments", str(with_table), "1")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    clinic.client(clinic.device).store_instances([dataset])
    reader = clinic.client(clinic.doctor)
    where = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    wanted = [30, 1, 17]
    for media in (None, (("image/jpeg", "1.2.840.10008.1.2.4.50"),), (("image/jpeg", "*"),)):
        found = reader.retrieve_instance_frames(*where, wanted, media_types=media)
        assert [one.rstrip(b"\0") for one in found] == [frames[n - 1].rstrip(b"\0") for n in wanted]
    picture = reader.retrieve_instance_frames_rendered(*where, [17], media_types=("image/png",))
    assert Image.open(io.BytesIO(picture)).size == (dataset.Columns, dataset.Rows)
