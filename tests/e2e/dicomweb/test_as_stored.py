"""All of pydicom's test files that can be stored: back byte for byte, and described as pydicom does."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID
from tests.e2e.dicomweb.clinic import Clinic, Sample, parts_of, quietly, samples

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ANY = 'multipart/related; type="application/dicom"; transfer-syntax=*'
BULK = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
# How the value of one element differs, and why that is right:
OURS = {
    "00080005",  # the answer is in UTF-8, whatever the file was in (PS3.18 F.2.1.1)
    "00083002",  # added by the server (PS3.18 10.4.1.1.2)
}
PIXELS = {"7FE00008", "7FE00009", "7FE00010"}


@pytest.fixture(scope="module")
def objects(filled: Clinic) -> dict[str, list[tuple[str, bytes]]]:
    """Every study as the server gives it back: the parts, by study."""
    found = {}
    for study in {sample.study for sample in samples()}:
        answer = filled.get(f"/studies/{study}", ANY)
        assert answer.status_code == 200, answer.text
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        found[study] = parts_of(answer)
    return found


def position(objects: dict[str, list[tuple[str, bytes]]], sample: Sample) -> int:
    """Which part is this file, byte for byte."""
    return [data for _, data in objects[sample.study]].index(sample.data)


def test_there_are_enough(filled: Clinic) -> None:
    assert len(samples()) > 100
    assert len({sample.syntax for sample in samples()}) >= 10


@pytest.mark.parametrize("sample", samples(), ids=repr)
def test_it_comes_back_byte_for_byte(
    filled: Clinic, objects: dict[str, list[tuple[str, bytes]]], sample: Sample
) -> None:
    media, _data = objects[sample.study][position(objects, sample)]
    assert media == f"application/dicom; transfer-syntax={sample.syntax}"


@pytest.fixture(scope="module")
def metadata(filled: Clinic) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for study in {sample.study for sample in samples()}:
        answer = filled.get(f"/studies/{study}/metadata", "application/dicom+json")
        assert answer.status_code == 200, answer.text
        found[study] = answer.json()
    return found


@pytest.mark.parametrize("sample", samples(), ids=repr)
def test_metadata_says_what_pydicom_says(
    objects: dict[str, list[tuple[str, bytes]]],
    metadata: dict[str, list[dict[str, Any]]],
    sample: Sample,
) -> None:
    found = metadata[sample.study][position(objects, sample)]
    assert found["00083002"] == {"vr": "UI", "Value": [sample.syntax]}
    expected = expected_json(sample)
    differences = list(compared(found, expected, explicit(sample)))
    assert differences == []


def explicit(sample: Sample) -> bool:
    return not UID(sample.syntax).is_implicit_VR


def expected_json(sample: Sample) -> dict[str, Any]:
    """What pydicom makes of the file: elements it cannot put into JSON are left out."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for element in sample.read():
            found[f"{int(element.tag):08X}"] = element.to_json_dict(None, 1024)
    return found


def compared(
    found: dict[str, Any], expected: dict[str, Any], explicit: bool, path: str = ""
) -> Iterator[str]:
    """Tags and values that differ, apart from bulk data."""
    last = max((tag for tag in found if tag in PIXELS), default="FFFFFFFF")
    for tag in sorted({*found, *expected} - OURS):
        if int(tag, 16) & 0xFFFF == 0 or tag > last:
            continue  # group lengths are not in the model; what follows the pixels is not looked at
        here = f"{path}/{tag}"
        if tag not in found or tag not in expected:
            yield f"{here}: {'missing' if tag in expected else 'not in the file'}"
        elif found[tag]["vr"] == "SQ" and "BulkDataURI" not in found[tag]:
            yield from items_compared(found[tag], expected[tag], explicit, here)
        elif explicit or not int(tag[:4], 16) & 1:  # else the file does not say what it is
            yield from (f"{here}: {what}" for what in differing(found[tag], expected[tag]))


def items_compared(
    one: dict[str, Any], other: dict[str, Any], explicit: bool, here: str
) -> Iterator[str]:
    items, others = one.get("Value", []), other.get("Value", [])
    if len(items) != len(others):
        yield f"{here}: {len(items)} items, not {len(others)}"
    for number, (item, original) in enumerate(zip(items, others, strict=False)):
        yield from compared(item, original, explicit, f"{here}/{number}")


def differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    if one["vr"] != other["vr"] and not {one["vr"], other["vr"]} <= BULK:
        yield f"{one['vr']} is not {other['vr']}"
    elif "BulkDataURI" in one:
        if one["vr"] not in BULK | {"UT", "LT", "ST", "SQ"}:
            yield f"a {one['vr']} is not bulk data"
    elif normal(one) != normal(other):
        yield f"{normal(one)} is not {normal(other)}"


def normal(attribute: dict[str, Any]) -> Any:
    """A value in one way of writing it."""
    if "InlineBinary" in attribute:
        return attribute["InlineBinary"]
    values = [plain(attribute["vr"], one) for one in attribute.get("Value", [])]
    return values if any(one is not None for one in values) else None


def plain(vr: str, value: Any) -> Any:
    if value in ("", None, {}):
        return None
    if vr in ("DS", "IS", "FL", "FD"):
        return float(value)
    if isinstance(value, str):
        return value.strip(" \0")
    return value


def pictures() -> list[Sample]:
    """Those with pixels whose UID no other sample has: it must be clear which one is meant."""
    times = Counter(sample.instance for sample in samples())
    alone = (sample for sample in samples() if times[sample.instance] == 1)
    return [sample for sample in alone if sample.read().get("PixelData") is not None]


@pytest.mark.parametrize("sample", pictures(), ids=repr)
def test_frames_are_the_pixels_of_the_file(filled: Clinic, sample: Sample) -> None:
    dataset = sample.read()
    count = int(dataset.get("NumberOfFrames") or 1)
    numbers = list(range(1, count + 1))
    answer = filled.get(
        f"{sample.url}/frames/{','.join(map(str, numbers))}",
        'multipart/related; type="application/octet-stream"; transfer-syntax=*',
    )
    assert answer.status_code == 200, answer.text
    frames = [data for _, data in parts_of(answer)]
    assert frames == list(frames_of(dataset, count))
    kinds = {kind for kind, _ in parts_of(answer)}
    named = sample.syntax if UID(sample.syntax).is_encapsulated else "1.2.840.10008.1.2.1"
    assert kinds == {f"application/octet-stream; transfer-syntax={named}"}


def frames_of(dataset: Dataset, count: int) -> Iterator[bytes]:
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        yield from generate_frames(dataset.PixelData, number_of_frames=count)
        return
    data = dataset.PixelData
    if not syntax.is_little_endian and dataset.BitsAllocated == 16:
        data = bytes(data[at ^ 1] for at in range(len(data)))
    size = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        size = size * 2 // 3
    for number in range(count):
        yield data[number * size : (number + 1) * size]


def test_encapsulated_bulk_data_has_a_part_for_each_frame(
    filled: Clinic,
    objects: dict[str, list[tuple[str, bytes]]],
    metadata: dict[str, list[dict[str, Any]]],
) -> None:
    (sample,) = (s for s in samples() if s.path.name == "examples_ybr_color.dcm")
    found = metadata[sample.study][position(objects, sample)]
    url = found["7FE00010"]["BulkDataURI"].removeprefix(filled.base)
    answer = filled.get(url, 'multipart/related; type="*/*"')
    assert answer.status_code == 200, answer.text
    frames = list(frames_of(quietly(sample.data), 30))
    assert [data for _, data in parts_of(answer)] == frames
    named = {kind for kind, _ in parts_of(answer)}
    assert named == {"image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"}
    assert filled.get(url, "application/octet-stream").status_code == 406
    one = filled.get(f"{sample.url}/frames/30", "image/jpeg")
    assert one.content == frames[29]
    assert one.headers["Content-Type"] == "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"
