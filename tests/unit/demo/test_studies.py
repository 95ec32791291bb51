"""The fictional practice: always the same, readable, and its manifest names what it plants."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID

from serment.entrypoints.demo.studies import SHORTEST, manifest, practice


@pytest.fixture(scope="module")
def objects() -> list[bytes]:
    return [part10 for planned in practice() for part10 in planned.files()]


@pytest.fixture(scope="module")
def datasets(objects: list[bytes]) -> list[Dataset]:
    return [dcmread(BytesIO(part10)) for part10 in objects]


def _values(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _values(item)
        elif element.keyword == "EncapsulatedDocument":
            page = element.value.partition(b"stream\n")[2]
            yield zlib.decompressobj().decompress(page).decode("cp1252")
        elif not isinstance(element.value, bytes):
            yield str(element.value)


def test_the_same_bytes_every_time(objects: list[bytes]) -> None:
    again = (part10 for planned in practice() for part10 in planned.files())
    digests = [hashlib.sha256(part10).digest() for part10 in objects]
    assert digests == [hashlib.sha256(part10).digest() for part10 in again]
    assert len(set(digests)) == len(objects)


def test_a_practice_of_several_modalities_syntaxes_and_sizes(datasets: list[Dataset]) -> None:
    assert len({each.PatientID for each in datasets}) >= 12
    assert {"CT", "MR", "US", "DX", "SR", "DOC", "NM", "OT"} <= {each.Modality for each in datasets}
    assert {each.SpecificCharacterSet for each in datasets} == {"ISO_IR 100", "ISO_IR 192"}
    assert len({each.file_meta.TransferSyntaxUID for each in datasets}) >= 10
    assert all(each.PatientComments.startswith("PATIENT FICTIF") for each in datasets)


def test_every_uid_is_valid_and_every_instance_has_its_own(datasets: list[Dataset]) -> None:
    instances = [each.SOPInstanceUID for each in datasets]
    assert len(set(instances)) == len(instances)
    for each in datasets:
        for value in (each.SOPInstanceUID, each.SeriesInstanceUID, each.StudyInstanceUID):
            assert UID(value).is_valid
            assert value.startswith("2.25.")


def test_one_object_is_larger_than_the_shared_pack_takes(objects: list[bytes]) -> None:
    assert max(len(part10) for part10 in objects) > 4 * 1024 * 1024


def test_every_planted_value_stands_in_a_data_set_of_its_patient(datasets: list[Dataset]) -> None:
    by_patient: dict[str, list[str]] = {}
    for each in datasets:
        by_patient.setdefault(each.PatientID, []).extend(_values(each))
    for entry in manifest():
        assert len(entry["value"]) >= SHORTEST
        assert any(entry["value"] in value for value in by_patient[entry["patient"]]), entry["kind"]


def test_every_identifier_of_the_data_sets_is_in_the_manifest(datasets: list[Dataset]) -> None:
    planted = {(entry["patient"], entry["value"]) for entry in manifest()}
    for each in datasets:
        other = each.OtherPatientIDsSequence[0].PatientID
        for value in (
            each.PatientName,
            each.PatientID,
            other,
            each.PatientBirthDate,
            each.PatientAddress,
            each.PatientTelephoneNumbers,
            each.AccessionNumber,
            each.StudyDate,
            each.ReferringPhysicianName,
            each.StudyInstanceUID,
            each.SeriesInstanceUID,
            each.SOPInstanceUID,
            each.get("FrameOfReferenceUID"),
        ):
            assert value is None or (each.PatientID, str(value)) in planted


def test_the_manifest_names_nothing_twice() -> None:
    entries = [tuple(entry.values()) for entry in manifest()]
    assert len(entries) == len(set(entries)) > 300


@pytest.mark.parametrize(
    "name",
    ["examples_ybr_color.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"],
)
def test_reheaded_pixels_are_untouched(name: str, datasets: list[Dataset]) -> None:
    source = dcmread(str(files("pydicom").joinpath("data", "test_files", name)))
    same = [each for each in datasets if each.get("PixelData") == source.PixelData]
    assert len(same) == 1
    assert same[0].file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
    assert same[0].get("PatientName") != source.get("PatientName")
    assert np.array_equal(same[0].pixel_array, source.pixel_array)


def test_pictures_are_not_flat(datasets: list[Dataset]) -> None:
    for each in datasets:
        if each.Manufacturer == "Serment" and each.Modality in ("CT", "MR", "DX"):
            assert np.unique(each.pixel_array).size > 100


@pytest.mark.real("dcmtk")
def test_dcmtk_reads_them_all(
    objects: list[bytes], tmp_path: Path, tool: Callable[[str], str]
) -> None:
    for number, part10 in enumerate(objects):
        (tmp_path / f"{number}.dcm").write_bytes(part10)
    run = subprocess.run(
        [tool("dcmdump"), "-q", *sorted(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    assert run.stderr == b""
