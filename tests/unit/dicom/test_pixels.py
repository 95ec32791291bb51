"""Pictures: windows, colours, sizes, and what cannot be shown."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from serment.core.dicom import codestream, pixels, uids
from serment.core.dicom.pixels import render_frame
from serment.errors import FormatError, NotFound, UsageError

FOLDER = Path(pydicom.data.__file__).parent
TEST_FILES = sorted(
    path for path in FOLDER.rglob("*") if path.is_file() and path.read_bytes()[128:132] == b"DICM"
)
NOT_SHOWN = {
    "JPEG-lossy.dcm": "cannot be decoded",  # 12 bits
    "JPGExtended.dcm": "cannot be decoded",  # 12 bits
    "JPEG2000-embedded-sequence-delimiter.dcm": "other dimensions",
    "MR_truncated.dcm": "not laid out",
    "meta_missing_tsyntax.dcm": "transfer syntax",
    "rtplan_truncated.dcm": "longer than the data",
}
RAMP = np.arange(16, dtype=np.uint16).reshape(4, 4)


def image_file(array: NDArray[Any], syntax: str = uids.EXPLICIT_LITTLE, **attributes: Any) -> bytes:
    dataset = Dataset()
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = array.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.tobytes()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset["PixelData"].is_undefined_length = syntax not in uids.NATIVE
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def shown(data: bytes, frame: int = 1, **asked: Any) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(render_frame(data, frame, **asked))))


def test_the_window_of_the_object_is_used() -> None:
    data = image_file(RAMP, WindowCenter=8, WindowWidth=9)
    expected = np.clip(np.rint(((RAMP - 7.5) / 8 + 0.5) * 255), 0, 255)
    assert (shown(data) == expected).all()


@pytest.mark.parametrize(
    ("function", "value"), [("LINEAR", 144), ("LINEAR_EXACT", 128), ("SIGMOID", 128)]
)
def test_window_functions(function: str, value: int) -> None:
    data = image_file(RAMP, WindowCenter=8, WindowWidth=9, VOILUTFunction=function)
    assert shown(data)[2, 0] in (value, value - 1)


def test_the_window_asked_for_wins() -> None:
    data = image_file(RAMP, WindowCenter=8, WindowWidth=9)
    assert set(shown(data, window=(8.0, 1.0)).flat) == {0, 255}
    assert (shown(data, window=(8.0, 1.0)) == np.where(RAMP > 7.5, 255, 0)).all()


def test_rescaling_comes_before_the_window() -> None:
    data = image_file(
        RAMP, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=-984, WindowWidth=1
    )
    assert (shown(data) == np.where(RAMP * 2.0 - 1000 > -984.5, 255, 0)).all()


@pytest.mark.parametrize("window", [(float("nan"), 1.0), (0.0, 0.0), (0.0, -5.0), (1e308, 1e-308)])
def test_a_senseless_window_shows_something(window: tuple[float, float]) -> None:
    assert shown(image_file(RAMP), window=window).shape == (4, 4)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"WindowCenter": 5},
        {"WindowCenter": 5, "WindowWidth": 0},
        {"WindowWidth": [], "WindowCenter": []},
    ],
)
def test_without_a_window_all_values_are_shown(attributes: dict[str, Any]) -> None:
    found = shown(image_file(RAMP * 1000, **attributes))
    assert found[0, 0] == 0
    assert found[3, 3] == 255
    assert (np.diff(found.reshape(-1).astype(int)) >= 0).all()


def test_padding_does_not_count_for_the_window() -> None:
    array = RAMP.astype(np.int16)
    array[0, 0] = -30000
    found = shown(image_file(array, PixelPaddingValue=-30000))
    assert found[0, 0] == 0
    assert found[2, 2] < 200


def test_a_picture_of_one_value() -> None:
    assert len(set(shown(image_file(np.full((4, 4), 7, np.uint8))).flat)) == 1


def test_monochrome1_is_inverted() -> None:
    light = shown(image_file(RAMP))
    dark = shown(image_file(RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert (light == 255 - dark).all()


def test_colours_stay() -> None:
    colours = np.arange(48, dtype=np.uint8).reshape(4, 12)
    data = image_file(
        colours,
        Columns=4,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="RGB",
    )
    assert (shown(data) == colours.reshape(4, 4, 3)).all()


def test_palettes_are_applied() -> None:
    lut = np.array([0, 256 * 100, 256 * 200, 65535], np.uint16).tobytes()
    attributes = {}
    for colour in ("Red", "Green", "Blue"):
        attributes[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        attributes[f"{colour}PaletteColorLookupTableData"] = lut
    data = image_file(
        np.array([[0, 1], [2, 3]], np.uint8),
        PhotometricInterpretation="PALETTE COLOR",
        **attributes,
    )
    assert [tuple(one) for one in shown(data).reshape(4, 3)] == [
        (0, 0, 0),
        (100, 100, 100),
        (200, 200, 200),
        (255, 255, 255),
    ]


def lookup(values: list[int], first: int) -> Dataset:
    table = Dataset()
    table.add_new(0x00283002, "US", [len(values), first, 8])
    table.add_new(0x00283006, "US", values)
    return table


def test_tables_take_the_place_of_rescaling_and_of_windows() -> None:
    to_units = image_file(RAMP, ModalityLUTSequence=[lookup(list(range(100, 116)), 0)])
    assert (shown(to_units, window=(108.0, 1.0)) == np.where(RAMP + 100 > 107.5, 255, 0)).all()
    to_grey = image_file(RAMP, VOILUTSequence=[lookup([0, 10, 255], 4)])
    assert [int(one) for one in shown(to_grey).flat][2:8] == [0, 0, 0, 10, 255, 255]


def test_frames_are_counted_from_one() -> None:
    frames = np.stack([np.zeros((4, 4), np.uint8), np.eye(4, dtype=np.uint8)])
    data = image_file(frames, NumberOfFrames=2)
    assert (shown(data, 2) == np.eye(4) * 255).all()
    for wrong in (0, 3):
        with pytest.raises(NotFound):
            render_frame(data, wrong)


def test_the_size_is_bounded_and_never_enlarged() -> None:
    data = image_file(np.arange(10000, dtype=np.uint16).reshape(50, 200))
    assert shown(data, size=100).shape == (25, 100)
    assert shown(data, size=1000).shape == (50, 200)


def test_types_of_picture() -> None:
    data = image_file(RAMP)
    for name, kind in (
        ("png", "PNG"),
        ("image/png", "PNG"),
        ("image/jpeg", "JPEG"),
        ("JPG", "JPEG"),
    ):
        assert Image.open(io.BytesIO(render_frame(data, 1, None, None, name))).format == kind
    for asked in ({"image_type": "gif"}, {"size": 0}, {"size": 10**6}):
        with pytest.raises(UsageError):
            render_frame(data, 1, **asked)


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_every_picture_of_pydicoms_test_files_is_shown(path: Path) -> None:
    data = path.read_bytes()
    if path.name in NOT_SHOWN:
        with pytest.raises(FormatError, match=NOT_SHOWN[path.name]):
            render_frame(data, 1)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(data))
        if "PixelData" not in dataset or "Rows" not in dataset:
            with pytest.raises(FormatError, match="no picture"):
                render_frame(data, 1)
            return
        # What is shown is decoded from the excerpt; it must be what the object holds.
        for number in {
            1,
            int(dataset.get("NumberOfFrames") or 1) if path.name != "badVR.dcm" else 1,
        }:
            _dataset, decoded = pixels._decoded(pixels._excerpt(data, number))
            if path.name != "badVR.dcm":
                assert (decoded == pixel_array(dataset, index=number - 1)).all()
    picture = Image.open(io.BytesIO(render_frame(data, 1, 64, None, "jpeg")))
    assert max(picture.size) == min(64, max(dataset.Rows, dataset.Columns))


# Hostile pictures


def j2k_head(rows: int, columns: int, components: int = 1) -> bytes:
    sizes = struct.pack(">IIIIIIIIH", columns, rows, 0, 0, columns, rows, 0, 0, components)
    return b"\xff\x4f\xff\x51" + struct.pack(">HH", 41, 0) + sizes + b"\7\1\1"


def jpeg_head(rows: int, columns: int, components: int = 1, marker: int = 0xC0) -> bytes:
    frame = struct.pack(">HBHHB", 8 + 3 * components, 8, rows, columns, components)
    application = b"\xff\xe0" + struct.pack(">H", 4) + b"JF"
    return b"\xff\xd8" + application + b"\xff\xff" + bytes([marker]) + frame + bytes(3 * components)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (j2k_head(30000, 40000, 3), (30000, 40000, 3)),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + j2k_head(3, 4), (3, 4, 1)),
        (jpeg_head(60000, 50000), (60000, 50000, 1)),
        (jpeg_head(3, 4, 3, 0xF7), (3, 4, 3)),
        (b"\xff\xd8\xff\xd9", None),
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 5000, None),
        (b"\xff\xd8\xff\xc0\0", None),
        (b"\xff\x4f\xff\x51\0", None),
        (b"", None),
    ],
)
def test_dimensions_of_a_bit_stream(stream: bytes, expected: tuple[int, int, int] | None) -> None:
    assert codestream.dimensions(stream) == expected


@pytest.mark.parametrize(
    ("syntax", "stream"),
    [
        ("1.2.840.10008.1.2.4.90", j2k_head(60000, 60000)),
        ("1.2.840.10008.1.2.4.50", jpeg_head(60000, 60000)),
        ("1.2.840.10008.1.2.4.80", jpeg_head(4, 5, 1, 0xF7)),
    ],
)
def test_a_bit_stream_larger_than_its_header_is_not_decoded(syntax: str, stream: bytes) -> None:
    data = image_file(RAMP.astype(np.uint8), syntax, PixelData=encapsulate([stream]))
    with pytest.raises(FormatError, match="other dimensions"):
        render_frame(data, 1)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50"])
def test_garbage_in_place_of_a_bit_stream_is_refused(syntax: str) -> None:
    data = image_file(RAMP.astype(np.uint8), syntax, PixelData=encapsulate([b"garbage!" * 20]))
    with pytest.raises(FormatError, match="cannot be decoded"):
        render_frame(data, 1)


def test_a_compression_nobody_here_decodes_is_named() -> None:
    stream = encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
    data = image_file(RAMP.astype(np.uint8), "1.2.840.10008.1.2.4.201", PixelData=stream)
    with pytest.raises(FormatError, match="High-Throughput"):
        render_frame(data, 1)


def test_a_picture_of_absurd_size_is_refused() -> None:
    with pytest.raises(FormatError, match="too large"):
        render_frame(image_file(RAMP, Rows=65535, Columns=65535), 1)
