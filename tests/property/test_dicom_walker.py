"""The walker reads what pydicom reads: on invented data sets, and on all of pydicom's test files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from serment.core.dicom import uids
from serment.core.dicom.elements import Budget, Elements, items
from serment.core.dicom.headers import decode, encode, split
from serment.core.dicom.part10 import build_meta, read_meta
from serment.core.dicom.syntax import Syntax
from serment.core.dicom.walker import walk
from serment.errors import FormatError

TEST_FILES = sorted(
    path
    for path in Path(pydicom.data.__file__).parent.rglob("*")
    if path.is_file() and path.read_bytes()[128:132] == b"DICM"
)
REFUSED = {"meta_missing_tsyntax.dcm", "rtplan_truncated.dcm"}  # pydicom guesses, we do not
CUT = "DICOMDIR-nooffset"  # its last record is longer than the sequence it is in
NATIVE = sorted(uids.NATIVE)


def assert_same(elements: Elements, order: Syntax, dataset: Dataset) -> None:
    """The same elements with the same bytes, in sequences of any depth too."""
    expected = {int(tag): one for tag, one in dataset._dict.items() if tag >> 16 != 0x7FE0}
    assert set(elements) == set(expected)
    for tag, one in expected.items():
        vr, value = elements[tag]
        assert one.VR in (None, vr), f"{tag:08X}"
        if isinstance(one, RawDataElement):
            assert value == (one.value or b""), f"{tag:08X}"
        if vr == "SQ":
            found = items(value, order, Budget())
            expected_items = dataset[tag].value
            assert len(found) == len(expected_items), f"{tag:08X}"
            for (inside, inner), wanted in zip(found, expected_items, strict=True):
                assert_same_inside(inner, inside, wanted)


def assert_same_inside(elements: Elements, order: Syntax, dataset: Dataset) -> None:
    """As `assert_same`; inside an item pixel data (an icon) is an element like the others."""
    kept = {tag: one for tag, one in elements.items() if tag >> 16 != 0x7FE0}
    assert_same(kept, order, dataset)


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_every_test_file_of_pydicom_gives_what_pydicom_reads(path: Path) -> None:
    data = path.read_bytes()
    if path.name in REFUSED:
        with pytest.raises(FormatError):
            walk(data[read_meta(data).dataset_offset :], read_meta(data).transfer_syntax)
        return
    meta = read_meta(data)
    header = walk(memoryview(data)[meta.dataset_offset :], meta.transfer_syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(data), stop_before_pixels=True)
        if path.name == CUT:
            with pytest.raises(FormatError, match="middle of an item"):
                items(header.elements[0x00041220][1], header.syntax, Budget())
        else:
            assert_same(header.elements, header.syntax, dataset)
    identity, clinical = split(header, meta)
    assert decode(encode(identity)) == identity
    assert decode(encode(clinical)) == clinical


# Invented data sets

TEXTS = {
    0x00080060: "CS",
    0x00100010: "PN",
    0x00100020: "LO",
    0x00100030: "DA",
    0x0020000D: "UI",
    0x00104000: "LT",
    0x0018115E: "DS",
    0x00091001: "LO",
    0x00091002: "UN",
    0x00091003: "OB",
    0x60003000: "OW",
    0xFFFCFFFC: "OB",
}
NUMBERS = {0x00280010: "US", 0x00280106: "US", 0x00189089: "FD", 0x00080000: "UL"}
SEQUENCES = (0x00081140, 0x00400275, 0x00091010)


def texts(vr: str) -> st.SearchStrategy[Any]:
    if vr in ("OB", "OW", "UN"):
        return st.binary(max_size=70_000 if vr == "OB" else 40).map(lambda b: b + bytes(len(b) % 2))
    alphabet = {"DS": "0123456789", "UI": "0123456789.", "DA": "0123456789.-"}.get(vr, "ABCéè^ 0*")
    return st.text(alphabet, max_size=12)


def numbers(vr: str) -> st.SearchStrategy[Any]:
    if vr == "FD":
        return st.lists(st.floats(allow_nan=False), min_size=1, max_size=3)
    return st.integers(0, 2**16 - 1 if vr == "US" else 2**32 - 1)


def datasets(depth: int) -> st.SearchStrategy[Dataset]:
    plain = [
        *(st.tuples(st.just(tag), st.just(vr), texts(vr)) for tag, vr in TEXTS.items()),
        *(st.tuples(st.just(tag), st.just(vr), numbers(vr)) for tag, vr in NUMBERS.items()),
    ]
    choices = st.one_of(*plain)
    if depth:
        content = st.lists(datasets(depth - 1), max_size=3)
        nested = st.tuples(st.sampled_from(SEQUENCES), st.just("SQ"), content)
        choices = st.one_of(choices, nested, nested)
    undefined = st.tuples(st.booleans(), st.booleans())
    return st.tuples(st.lists(choices, max_size=8), undefined).map(lambda drawn: build(*drawn))


def build(parts: list[tuple[int, str, Any]], undefined: tuple[bool, bool]) -> Dataset:
    dataset = Dataset()
    dataset.is_undefined_length_sequence_item = undefined[0]
    for tag, vr, value in parts:
        element = DataElement(
            tag, vr, Sequence(value) if vr == "SQ" else value, validation_mode=IGNORE
        )
        element.is_undefined_length = vr == "SQ" and undefined[1]
        if vr == "SQ":
            element.value.is_undefined_length = undefined[1]
        dataset[tag] = element
    return dataset


def file_of(dataset: Dataset, syntax: str, pixels: bytes) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    if pixels:
        dataset[0x7FE00010] = DataElement(0x7FE00010, "OW", pixels)
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


@given(datasets(3), st.sampled_from(NATIVE), st.sampled_from([b"", b"\1\2\3\4"]))
def test_what_pydicom_writes_is_walked_as_pydicom_reads_it(
    dataset: Dataset, syntax: str, pixels: bytes
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = file_of(dataset, syntax, pixels)
        meta = read_meta(data)
        header = walk(memoryview(data)[meta.dataset_offset :], meta.transfer_syntax)
        assert_same(
            header.elements, header.syntax, dcmread(io.BytesIO(data), stop_before_pixels=True)
        )
    assert header.has_pixels == bool(pixels)
    if pixels and syntax != uids.DEFLATED_LITTLE:
        assert header.pixel_offset is not None
        assert data[meta.dataset_offset + header.pixel_offset :].startswith(pixels)


@given(datasets(2), st.sampled_from(NATIVE))
def test_splitting_never_fails_and_survives_json(dataset: Dataset, syntax: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = file_of(dataset, syntax, b"")
    meta = read_meta(data)
    identity, clinical = split(walk(data[meta.dataset_offset :], meta.transfer_syntax), meta)
    assert decode(encode(identity)) == identity
    assert decode(encode(clinical)) == clinical
    assert clinical["header_size"] in (len(data), len(data) - 1)  # a padded deflate stream


@given(st.binary(max_size=400), st.sampled_from(NATIVE))
def test_any_bytes_are_walked_or_refused(data: bytes, syntax: str) -> None:
    try:
        header = walk(data, syntax)
    except FormatError:
        return
    assert 0 <= header.size <= len(data)
    assert header.pixel_offset is None or header.pixel_offset <= len(data)
    assert walk(memoryview(data), syntax) == header


uid_text = st.from_regex(r"\A[1-9][0-9]{0,5}(\.(0|[1-9][0-9]{0,5})){1,8}\Z").filter(
    lambda uid: len(uid) <= 64
)


@given(uid_text, uid_text, uid_text, st.binary(max_size=20))
def test_file_meta_information_is_read_as_written(
    sop_class: str, instance: str, syntax: str, dataset: bytes
) -> None:
    if dataset[:2] == b"\2\0":
        dataset = b""
    head = build_meta(sop_class, instance, syntax)
    meta = read_meta(head + dataset)
    assert (meta.sop_class, meta.sop_instance, meta.transfer_syntax) == (
        sop_class,
        instance,
        syntax,
    )
    assert meta.dataset_offset == len(head)
    theirs = dcmread(io.BytesIO(head), force=True).file_meta
    assert theirs.MediaStorageSOPInstanceUID == instance
    assert theirs.FileMetaInformationGroupLength == len(head) - 144
